"""Metrics of whole models: best classes, directions of rows, boxes."""

import numpy as np
import pytest

from burn_verify.judge.task_metrics import least_cosine, least_iou, top_agreement

SCORES = np.array([[1, 5, 3, 2], [4, 1, 2, 3]], np.float32)


@pytest.mark.parametrize(("actual", "k", "share"), [(SCORES, 1, 1.0), (SCORES * 2 + 1, 2, 1.0), (-SCORES, 1, 0.0)])
def test_the_best_classes_are_compared_and_not_their_scores(actual, k, share):
    assert top_agreement(actual, SCORES, k) == share


def test_the_worst_row_decides_the_cosine():
    assert least_cosine(SCORES * 3, SCORES) == pytest.approx(1.0)
    turned = SCORES.copy()
    turned[1] *= -1
    assert least_cosine(turned, SCORES) == pytest.approx(-1.0)


def test_the_worst_box_decides_the_overlap():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 4, 4]], np.float32)
    moved = boxes.copy()
    moved[1] += [2, 0, 2, 0]

    assert least_iou(boxes, boxes) == pytest.approx(1.0)
    assert least_iou(moved, boxes) == pytest.approx(8 / 24)
