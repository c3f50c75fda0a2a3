"""Outputs of detectors become boxes: each family by hand."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import TaskHint, TensorSpec
from burn_verify.task import families
from burn_verify.task.families import FAMILIES, family_of, limits_of

SIZE = (64, 32)
"""Width 64, height 32: rows and columns cannot be mixed up."""
PLAIN = TaskHint()


def spec(name, *shape):
    return TensorSpec(name=name, dtype="float32", shape=shape)


def test_decoded():
    outputs = {
        "location": np.array([[[0, 0.25, 0.5, 1]]], "f4"),
        "score": np.array([[0.5]], "f4"),
        "category": np.array([[7]]),
    }
    found = families.decoded(outputs, SIZE, PLAIN)
    assert found.boxes.tolist() == [[0, 8, 32, 32]]
    assert (found.scores.tolist(), found.classes.tolist(), found.named) == ([0.5], [7], True)
    assert families.decoded(outputs, SIZE, TaskHint(boxes="pixels")).boxes.tolist() == [[0, 0.25, 0.5, 1]]
    empty = {name: array[:, :0] for name, array in outputs.items()}
    assert len(families.decoded(empty, SIZE, PLAIN).boxes) == 0
    with pytest.raises(ValueError, match="1 locations, 0 scores"):
        families.decoded({**outputs, "score": np.zeros((1, 0))}, SIZE, PLAIN)
    with pytest.raises(ValueError, match="no output 'score'"):
        families.decoded({"location": outputs["location"]}, SIZE, PLAIN)


def test_yolox():
    hint = TaskHint(strides=(32,))
    raw = np.zeros((1, 2, 7), "f4")
    raw[0, 1] = [0.5, 0.25, 0, np.log(0.5), 0.5, 0.2, 0.8]
    found = families.yolox({"o": raw}, SIZE, hint)
    # The second cell is column 1: centre 1.5 * 32 and 0.25 * 32, a width of 32 and a height of 16.
    assert np.allclose(found.boxes[2:], [[32, 0, 64, 16]] * 2, atol=1e-6)
    assert np.allclose(found.scores[2:], [0.1, 0.4])
    assert found.classes.tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="42 cells of strides 8, 16, 32 in 64x32, and 2 in the output"):
        families.yolox({"o": raw}, SIZE, PLAIN)


def test_grid():
    hint = TaskHint(strides=(32,))
    scores = np.array([[[0.1, 0.9], [0.2, 0.3]]], "f4")
    sides = np.array([[[0, 0.25], [0, 0.5], [0, 0.5], [0, 0.25]]], "f4")
    found = families.grid({"scores": scores, "sides": sides}, SIZE, hint)
    # The second cell has its centre at 48, 16; the box ends at the border, 64.
    assert np.allclose(found.boxes[2:], [[32, 0, 64, 24]] * 2)
    assert np.allclose(found.scores, [0.1, 0.2, 0.9, 0.3])


def test_ultraface():
    outputs = {"scores": np.array([[[0.1, 0.9]]], "f4"), "boxes": np.array([[[0, 0.5, 1, 1]]], "f4")}
    found = families.ultraface(outputs, SIZE, PLAIN)
    assert (found.boxes.tolist(), found.classes.tolist()) == ([[0, 16, 64, 32]], [0])
    assert np.allclose(found.scores, [0.9])


def test_fastestdet():
    raw = np.zeros((1, 7, 1, 2), "f4")
    raw[0, 0, 0, 1], raw[0, 5:, 0, 1] = 1.0, [0.25, 1.0]
    found = families.fastestdet({"o": raw}, SIZE, PLAIN)
    # The second cell starts at 32, 0; sigmoid(0) is half of the image in both directions.
    assert np.allclose(found.boxes[2], [16, -8, 48, 8])
    assert np.allclose(found.scores[2:], [0.25**0.4, 1.0])
    with pytest.raises(ValueError, match=r"\[1, 5 \+ classes, rows, columns\] is needed"):
        families.fastestdet({"o": raw[:, :5]}, SIZE, PLAIN)


@pytest.mark.parametrize(
    ("outputs", "family"),
    [
        ([spec("location", 1, "n", 4), spec("score", 1, "n"), spec("category", 1, "n")], "decoded"),
        ([spec("scores", 1, 3, 500), spec("sides", 1, 4, 500)], "grid"),
        ([spec("scores", 1, 4420, 2), spec("boxes", 1, 4420, 4)], "ultraface"),
        ([spec("output", 1, 3549, 85)], "yolox"),
        ([spec("785", 1, 85, 22, 22)], "fastestdet"),
    ],
)
def test_the_family_is_known_by_the_outputs(outputs, family):
    assert family_of(PLAIN, outputs) == family
    assert family_of(TaskHint(family="grid"), outputs) == "grid"


def test_outputs_of_no_family():
    for outputs in ([spec("scores", 1, 10)], [spec("a", 1, 5, 4)], [spec("a", 1, 5, 85), spec("b", 1)]):
        with pytest.raises(Wrong, match="of no known detector: decoded"):
            family_of(PLAIN, outputs)


def test_a_description_wins():
    assert limits_of(TaskHint(score=0.3), FAMILIES["yolox"]).score == 0.3
    assert limits_of(TaskHint(score=0.3), FAMILIES["yolox"]).iou == 0.65
