"""Data sets with something wrong: what is said, the exit code, and what is evaluated nevertheless."""

import json

import numpy as np
import pytest

from burn_verify.cli import main
from fakes import seams
from labelled import classifier, detector, pictures

pytest.importorskip("hotcoco", reason="hotcoco is not installed")
BOX = (0.25, 0.25, 0.75, 0.75)
TWICE = (("images", "id"), ("annotations", "image_id"))


def lines(folder, change):
    """Write a data set of three images with a box each; change the second of its lines."""
    path = pictures(folder, [[(BOX, 1)]] * 3) / "dataset.jsonl"
    first, second, third = path.read_text().splitlines()
    given = change(json.loads(second))
    path.write_text("\n".join([first, given if isinstance(given, str) else json.dumps(given), third]) + "\n")
    return folder


def boxes(**changes):
    """Change the only object of the second image."""

    def change(given):
        return {**given, "objects": [{**given["objects"][0], **changes}]}

    return lambda folder: lines(folder, change)


def file(content):
    """Put another content in place of the second image; None for no file."""

    def write(folder):
        pictures(folder, [[(BOX, 1)]] * 3)
        path = folder / "data" / "1.png"
        path.unlink() if content is None else path.write_bytes(content)
        return folder

    return write


def coco(change):
    """Write COCO's JSON of three images with a box each, changed."""

    def write(folder):
        pictures(folder, [[]] * 3)
        (folder / "dataset.jsonl").unlink()
        images = [{"id": one, "file_name": f"data/{one}.png", "width": 32, "height": 32} for one in range(3)]
        found = [{"id": one, "image_id": one, "category_id": 1, "bbox": [8, 8, 16, 16]} for one in range(3)]
        document = {"images": images, "annotations": found, "categories": [{"id": 1, "name": "a"}]}
        change(document)
        (folder / "annotations.json").write_text(json.dumps(document))
        return folder

    return write


def table(**arrays):
    """Write a table of three samples with other arrays."""
    return lambda folder: saved(folder, arrays)


def saved(folder, arrays):
    path = folder.with_suffix(".npz")
    np.savez(path, **{"x": np.eye(3, dtype="f4"), "labels": np.arange(3), **arrays})
    return path


def cut(folder):
    path = saved(folder, {})
    path.write_bytes(path.read_bytes()[:-30])
    return path


def nan(folder):
    found = np.eye(3, dtype="f4")
    found[1] = np.nan
    return saved(folder, {"x": found})


def classes(folder):
    for name in ("0", "1"):
        (folder / name).mkdir(parents=True)
        (folder / name / "empty.txt").touch()
    return folder


PARTLY = {
    "an image is missing": (file(None), "data/1.png: no image that Pillow can read: [Errno 2]"),
    "an image is cut off": (file(b"\x89PNG\r\n\x1a\n"), "data/1.png: no image that Pillow can read"),
    "an image is a text": (file(b"not an image"), "data/1.png: no image that Pillow can read: unknown kind of file"),
    "a line is no JSON": (lambda folder: lines(folder, lambda _: '{"image": '), "dataset.jsonl:2: no JSON"),
    "a line has no objects": (
        lambda folder: lines(folder, lambda given: {"image": given["image"]}),
        'dataset.jsonl:2: "objects" is missing',
    ),
    "a box is turned around": (boxes(bbox=[0.7, 0.2, 0.3, 0.8]), "dataset.jsonl:2: bbox: x1 < x2 and y1 < y2"),
    "a box is in pixels": (boxes(bbox=[8, 8, 24, 24]), "dataset.jsonl:2: bbox: [x1, y1, x2, y2] from 0 to 1"),
    "a box has three numbers": (boxes(bbox=[0.1, 0.2, 0.3]), "dataset.jsonl:2: bbox: four numbers are needed"),
    "a category is a word": (boxes(category="cat"), "dataset.jsonl:2: category: a number is needed, not 'cat'"),
    "a size is not that of the image": (
        lambda folder: lines(folder, lambda given: {**given, "width": 64}),
        "data/1.png: the label says 64x32, the image is 32x32",
    ),
    "an annotation has an unknown category": (
        coco(lambda document: document["annotations"][1].update(category_id=7)),
        "annotations.json: annotations[1]: category_id: 7 is none of the categories",
    ),
    "an id is there twice": (
        coco(lambda document: [document[key][1].update({name: 0}) for key, name in TWICE]),
        "annotations.json: images[1]: id: 0 is there twice",
    ),
    "a label is a class too many": (table(labels=np.array([0, 5, 2])), "[1]: the label is class 5, the model has 3"),
    "a label is negative": (table(labels=np.array([0, -1, 2])), "[1]: label: a whole number from 0 is needed, not -1"),
    "a sample is not a number": (nan, "[1]: 'x' holds numbers that are not finite"),
}
"""By what is wrong: what makes the data, and the line that tells it; the other two samples are evaluated."""

WHOLLY = {
    "a folder is empty": (lambda folder: folder.mkdir() or folder, "detection", "no data set with labels is in it"),
    "a file is empty": (
        lambda folder: [folder.mkdir(), (folder / "dataset.jsonl").touch(), folder][2],
        "detection",
        "dataset.jsonl: it holds no line",
    ),
    "no class has an image": (classes, "classification", "folders named by classes, an .npz with labels"),
    "there are fewer labels than samples": (
        table(labels=np.arange(2)),
        "classification",
        "'labels' has 2 rows, and 'x' has 3",
    ),
    "there are no labels": (
        lambda folder: saved(folder, {"labels": np.zeros((0,))}),
        "classification",
        "it holds no sample",
    ),
    "an archive is cut off": (cut, "classification", "it cannot be read"),
    "the rows have another length": (
        table(x=np.ones((3, 4), "f4")),
        "classification",
        "'x' is of shape [batch, 3], not [1, 4]",
    ),
    "it is not COCO's format": (
        coco(lambda document: document.pop("categories")),
        "detection",
        "not COCO's format: arrays 'images', 'annotations', 'categories' are needed",
    ),
}
"""By what is wrong: what makes the data, the task, and the line; nothing can be evaluated."""


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))

    def run(data, task):
        write = classifier if task == "classification" else detector
        words = ["evaluate", write(tmp_path / "net.onnx"), "--data", data, "--task", task, "-o", tmp_path / "out"]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words], seams())
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", PARTLY)
def test_one_broken_sample_is_told_and_the_others_are_evaluated(evaluate, tmp_path, name):
    make, said = PARTLY[name]
    data = make(tmp_path / "photos")
    code, _, err = evaluate(data, "classification" if data.suffix == ".npz" else "detection")
    assert code == 4
    assert said in err
    assert err.count("burn-verify: ") >= 2
    assert "1 sample could not be used" in err
    assert "Traceback" not in err
    (metrics,) = (tmp_path / "out").glob("eval_photos_burn-flex/metrics.json")
    assert json.loads(metrics.read_text())["samples"] == 2
    assert len(json.loads(metrics.read_text())["unreadable"]) == 1


@pytest.mark.parametrize("name", WHOLLY)
def test_data_of_which_nothing_can_be_used_are_one_line(evaluate, tmp_path, name):
    make, task, said = WHOLLY[name]
    code, out, err = evaluate(make(tmp_path / "photos"), task)
    assert said in err
    assert "Traceback" not in out + err
    assert code == 4
    assert not (tmp_path / "out").exists()
