"""The page of evaluations is made of what `evaluate` wrote; faults and damages do what their names say."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import evaluation
from burn_verify.graph import facts
from evaluating import broken, faults
from handmade import model, value

CHANGE = {"difference": -0.25, "after": 0.5, "tier": "warning", "interval": [-0.5, 0.0]}


NOTES = ["9 boxes that both found moved, in the median, by +0.50 to the right and +0.25 down, and are +0.00 wider"]


def compared(**metrics):
    changes = {name: CHANGE for name in ("AP", "AP50", "AP75")}
    flips = {"count": 3, "by_kind": {"box": 2, "class": 1}}
    return {
        "metrics": changes | metrics,
        "tier": "warning",
        "flips": flips,
        "exceeded": ["AP differs"],
        "samples": 9,
        "notes": NOTES,
    }


def run(engine, **metrics):
    return {"engine": engine, "samples": 9, "samples_per_second": 3.25, "peak_memory_mib": 41.6, **metrics}


def write(place, document, code=0, said=()):
    place.mkdir(parents=True)
    (place / evaluation.COMPARISON).write_text(json.dumps(document))
    (place / evaluation.ENDED).write_text(json.dumps({"code": code, "said": list(said), "traceback": False}))


def test_published_figures_stand_beside_those_of_both_engines(tmp_path):
    entry = evaluation.ENTRIES["digits, float32"]
    both = [run("onnxruntime", top1=entry.published["top1"]), run("burn-flex", top1=0.5)]
    found = {"evaluations": both, "comparisons": [compared(top1=CHANGE)]}
    write(tmp_path / "metrics" / "digits-float32", found)
    text, wrong = evaluation.page(tmp_path)
    cells = ("digits, float32", "top1", "0.984427", "0.984427", "+0e+00", "0.500000", "2 box, 1 class", "warning")
    assert f"| {' | '.join(cells)} | [-0.5000, +0.0000] |" in text
    assert "|  | burn-flex | 9 | 3.2 | 42 |" in text
    assert "digits, float32: not evaluated" not in wrong
    assert "STS-B test, MiniLM: not evaluated" in wrong


def test_a_figure_that_is_another_one_is_told(tmp_path):
    found = {"evaluations": [run("onnxruntime", top1=0.98)], "comparisons": []}
    write(tmp_path / "metrics" / "digits-float32", found)
    assert "digits, float32: top1 0.980000, published 0.984427" in evaluation.page(tmp_path)[1]


def test_a_model_that_burn_refuses_is_told(tmp_path):
    refused = {"engine": "burn-flex", "error": "convert: no"}
    found = {"evaluations": [run("onnxruntime", top1=0.984427), refused], "comparisons": [compared()]}
    write(tmp_path / "metrics" / "digits-float32", found)
    assert "| convert failed |  |  |  |" in evaluation.page(tmp_path)[0]


def test_what_is_said_of_a_fault(tmp_path):
    place = tmp_path / "faults" / "single-stage-triangles" / evaluation.slug(faults.SWAP)
    found = {"evaluations": [], "comparisons": [compared()]}
    write(place / "plain", found, code=1)
    write(place / "limited", found, code=0)
    cells = (
        faults.SWAP,
        "-0.2500",
        "-0.2500",
        "[-0.5000, +0.0000]",
        "warning",
        "2 box, 1 class",
        "+0.50, +0.25",
        "1",
        "0",
    )
    assert f"| {' | '.join(cells)} |" in evaluation.page(tmp_path)[0]


def test_what_is_said_of_broken_data(tmp_path):
    found = {"evaluations": [run("onnxruntime", AP=0.5)], "dataset": {"unreadable": ["a"]}, "comparisons": []}
    said = ["data/0002.png: no image", "1 sample could not be used"]
    write(tmp_path / "broken" / "an-image-is-missing" / "out", found, code=4, said=said)
    row = "| an image is missing | triangles/test | 9 of 60 | AP 0.5000 | 1 | 4 | `data/0002.png: no image` |"
    assert row in evaluation.page(tmp_path)[0]


@pytest.fixture
def sets(tmp_path):
    """A good data set of each kind, small."""
    lines = [{"image": f"data/{one}.png", "objects": [{"bbox": [0, 0, 1, 1], "category": 1}]} for one in range(4)]
    (tmp_path / "lines" / "data").mkdir(parents=True)
    (tmp_path / "lines" / "dataset.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for one in range(4):
        (tmp_path / "lines" / "data" / f"{one}.png").write_bytes(b"image of some length")
    (tmp_path / "coco").mkdir()
    images = [{"id": one} for one in range(3)]
    document = {"images": images, "annotations": [{"image_id": 0, "category_id": 1}], "categories": [{"id": 1}]}
    (tmp_path / "coco" / "annotations.json").write_text(json.dumps(document))
    np.savez(tmp_path / "table.npz", images=np.zeros((9, 1, 8, 8), "f4"), labels=np.arange(9))
    (tmp_path / "pairs.csv").write_text("sentence1,sentence2,score\n" + "a,b,1\n" * 5)
    return {"lines": "lines", "coco": "coco", "table": "table.npz", "pairs": "pairs.csv"}


def content(place):
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return [(path.name, path.read_bytes()) for path in files if path.is_file()]


@pytest.mark.parametrize("name", broken.BROKEN)
def test_a_damage_changes_a_copy_and_not_what_was_copied(tmp_path, sets, name):
    kind, damage = broken.BROKEN[name]
    source = tmp_path / sets[kind]
    before = content(source)
    copy = broken.folder if source.is_dir() else broken.single
    made = copy(source, tmp_path / "copy")
    damage(made)
    assert content(made) != before
    assert content(source) == before


def test_sides_move_a_box_and_keep_its_size():
    sides = np.array([[[0.1], [0.2], [0.3], [0.4]]], "f4")
    _, moved = faults.moved_sides(160)([np.zeros((1, 3, 1), "f4"), sides])
    step = 0.5 / 160
    assert np.allclose(moved[0, :, 0], [0.1 - step, 0.2 - step, 0.3 + step, 0.4 + step])
    assert moved.dtype == np.float32


def test_centres_of_cells_move_by_half_a_pixel_at_each_stride():
    (moved,) = faults.moved_cells(32, (8, 16))([np.zeros((1, 20, 6), "f4")])
    assert np.allclose(moved[0, :16, :2] * 8, 0.5)
    assert np.allclose(moved[0, 16:, :2] * 16, 0.5)
    assert not moved[..., 2:].any()


def test_two_classes_are_swapped_and_others_stay():
    scores = np.arange(4, dtype="f4")[None, :, None]
    swapped, other = faults.swapped(0, 1, 1)([scores, scores])
    assert swapped[0, :, 0].tolist() == [0, 2, 1, 3]
    assert other is scores
    assert faults.renumbered([None, None, np.array([[1, 2, 3]])])[2].tolist() == [[2, 1, 3]]


def network():
    weights = [numpy_helper.from_array(np.full((2, 2), 1 / 3, "f4"), name) for name in ("a", "b")]
    nodes = [helper.make_node("MatMul", ["x", "a"], ["h"]), helper.make_node("MatMul", ["h", "b"], ["l"])]
    nodes.append(helper.make_node("Sigmoid", ["l"], ["y"]))
    return model(nodes, [value("x", shape=[1, 2])], [value("y", shape=[1, 2])], weights)


def test_the_last_layer_is_in_float16_and_no_other():
    made = network()
    assert faults.last_layers(made) == {"l"}
    faults.in_float16(made)
    first, last = (numpy_helper.to_array(one) for one in made.graph.initializer)
    assert (first[0, 0], last[0, 0]) == (np.float32(1 / 3), np.float32(np.float16(1 / 3)))
    assert [node.op_type for node in made.graph.node] == ["MatMul", *["Cast"] * 2, "MatMul", *["Cast"] * 2, "Sigmoid"]
    onnx.checker.check_model(made)


def test_every_suppression_gets_the_threshold_in_branches_too():
    const = helper.make_node("Constant", [], ["t"], value=numpy_helper.from_array(np.array([0.5], "f4")))
    kept = helper.make_node("NonMaxSuppression", ["boxes", "scores", "", "t"], ["kept"])
    none = helper.make_node("Constant", [], ["none"], value=numpy_helper.from_array(np.zeros((0, 3), "i8")))
    then, other = (
        helper.make_graph(several, "g", [], [value(several[-1].output[0], TensorProto.INT64)])
        for several in ([const, kept], [none])
    )
    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)]
    made = model(nodes, [value("c", TensorProto.BOOL)], [value("y", TensorProto.INT64)])
    faults.suppressing(0.7)(made)
    (found,) = (node.attribute[0].t for node in facts.nodes(made) if "t" in node.output)
    assert numpy_helper.to_array(found).tolist() == [np.float32(0.7)]
