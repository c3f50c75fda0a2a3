"""Overlap, suppression and the way back into the image."""

import numpy as np

from burn_verify.cases.samples.images import Placement
from burn_verify.task.boxes import Candidates, Limits, chosen, in_image, overlaps, suppressed

BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30], [0, 1, 10, 11]], float)


def test_overlaps():
    found = overlaps(BOXES[:1], BOXES)
    assert np.allclose(found, [[1, 0.5, 0, 9 / 11]])
    assert overlaps(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [[0]]
    assert overlaps(np.zeros((0, 4)), BOXES).shape == (0, 4)


def test_the_better_one_of_a_class_is_kept():
    scores = np.array([0.9, 0.8, 0.7, 0.95])
    one = np.zeros(4, int)
    assert suppressed(BOXES, scores, one, 0.5).tolist() == [3, 1, 2]
    assert suppressed(BOXES, scores, one, 0.3).tolist() == [3, 2]
    assert suppressed(BOXES, scores, np.array([0, 0, 0, 1]), 0.5).tolist() == [3, 0, 1, 2]
    assert suppressed(BOXES[:0], scores[:0], one[:0], 0.5).tolist() == []


def test_limits():
    found = Candidates(boxes=BOXES, scores=np.array([0.1, 0.2, 0.3, 0.4]), classes=np.zeros(4, int), named=True)
    assert chosen(found, Limits(score=0.1)).scores.tolist() == [0.4, 0.3, 0.2]
    assert chosen(found, Limits(score=0.0, keep=1)).scores.tolist() == [0.4]
    assert chosen(found, Limits(score=0.0, iou=0.5)).named


def test_back_into_the_image():
    place = Placement(image=(200, 100), tensor=(100, 100), across=0.5, down=0.5, left=5, top=10)
    assert in_image(np.array([[5.0, 10, 55, 60]]), place).tolist() == [[0, 0, 100, 100]]
