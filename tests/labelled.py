"""Small models with a task, and labelled data sets for them."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from burn_verify.cases.labelled.entry import Arrays, Box, Category, Entry, Picture
from burn_verify.cases.samples.sample import Model
from burn_verify.core.case import Hints, TensorSpec
from handmade import model, value

IMAGES = TensorSpec(name="x", dtype="float32", shape=("batch", 3, 32, 32))
ROWS = TensorSpec(name="x", dtype="float32", shape=("batch", 3))
SCORES = TensorSpec(name="scores", dtype="float32", shape=("batch", 3))


def readable(*inputs, hints=Hints()):  # noqa: B008  (immutable)
    """Return what readers know of a model with these inputs."""
    return Model(inputs=inputs or (ROWS,), outputs=(SCORES,), hints=hints)


def classifier(path):
    """Write a model that answers what it is fed: the scores of three classes."""
    made = model(
        [helper.make_node("Identity", ["x"], ["scores"])],
        [value("x", shape=["batch", 3])],
        [value("scores", shape=["batch", 3])],
    )
    onnx.save(made, path)
    return path


def rows(path, labels=(0, 1, 2, 1), **more):
    """Write a table of samples that the classifier gets right, but for the last one."""
    found = np.eye(3, dtype="f4")[[*labels[:-1], (labels[-1] + 1) % 3]]
    np.savez(path, x=found, labels=np.array(labels), **more)
    return path


def detector(path, box=(0.25, 0.25, 0.75, 0.75), category=1):
    """Write a model that finds one box in every image, always the same one."""
    found = [
        numpy_helper.from_array(np.array([[box]], "f4"), "box"),
        numpy_helper.from_array(np.array([[category]], "i8"), "category_0"),
        numpy_helper.from_array(np.array([0], "f4"), "nothing"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Add", ["box", "zero"], ["location"]),
        helper.make_node("Add", ["zero", "half"], ["score_0"]),
        helper.make_node("Reshape", ["score_0", "shape"], ["score"]),
        helper.make_node("Identity", ["category_0"], ["category"]),
    ]
    found += [
        numpy_helper.from_array(np.array([0.5], "f4"), "half"),
        numpy_helper.from_array(np.array([1, 1]), "shape"),
    ]
    outputs = [
        value("location", shape=[1, "n", 4]),
        value("score", shape=[1, "n"]),
        value("category", TensorProto.INT64, [1, "n"]),
    ]
    onnx.save(model(nodes, [value("x", shape=[1, 3, 32, 32])], outputs, found), path)
    return path


def pictures(folder, objects, size=(32, 32)):
    """Write a data set of grey images with these objects: a list of box and category for each."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    lines = []
    for place, found in enumerate(objects):
        name = f"data/{place}.png"
        Image.new("RGB", size, (40 * place % 256, 90, 20)).save(folder / name)
        boxes = [{"bbox": list(box), "category": category} for box, category in found]
        lines.append(json.dumps({"image": name, "width": size[0], "height": size[1], "objects": boxes}))
    (folder / "dataset.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder


def entry(label, number=0, name=None, items=()):
    """Return a sample."""
    return Entry(name=name or f"sample {number}", number=number, label=label, items=tuple(items))


def boxed(*boxes, number=0):
    """Return an image with boxes: left, top, width, height and category."""
    label = tuple(Box(category=one[4], box=one[:4], area=one[2] * one[3]) for one in boxes)
    return entry(label, number, f"{number}.png", [Picture(path=Path(f"{number}.png"), size=(100, 100))])


KINDS = (Category(id=1, name="triangle"), Category(id=2, name="circle"))


def fed(**arrays):
    """Return an item of arrays."""
    return Arrays(read=lambda: arrays)
