"""COCO's metrics by hotcoco: by hand, and beside another library."""

import numpy as np
import pytest

from burn_verify.task import average_precision
from burn_verify.task.average_precision import METRICS, ground_truth, intervals, metrics
from labelled import KINDS, boxed

pytest.importorskip("hotcoco", reason="hotcoco is not installed")


def result(number, category, score, *box):
    return {"image_id": number, "category_id": category, "score": score, "bbox": list(box)}


TRUTH = ground_truth([boxed((0, 0, 10, 10, 1)), boxed((5, 5, 20, 20, 2), number=1)], KINDS)


def test_labels_in_coco_s_format():
    assert TRUTH["images"][1] == {"id": 1, "file_name": "1.png", "width": 100, "height": 100}
    assert TRUTH["annotations"][1] == {
        "id": 2,
        "image_id": 1,
        "category_id": 2,
        "bbox": [5, 5, 20, 20],
        "area": 400,
        "iscrowd": 0,
    }


def test_by_hand():
    right = [result(0, 1, 0.9, 0, 0, 10, 10), result(1, 2, 0.8, 5, 5, 20, 20)]
    assert metrics(TRUTH, right) == pytest.approx(dict.fromkeys(METRICS, 1.0))
    half = metrics(TRUTH, right[:1])
    assert half["AP"] == pytest.approx(0.5)
    # An overlap of 0.6 is right at three of ten thresholds: 0.5, 0.55, 0.6.
    shifted = metrics(TRUTH, [right[0], result(1, 2, 0.8, 5, 5, 20, 12)])
    assert shifted["AP50"] == pytest.approx(1.0)
    assert shifted["AP"] == pytest.approx((1 + 0.3) / 2)
    assert metrics(TRUTH, []) == dict.fromkeys(METRICS, 0.0)


def test_intervals_hold_the_difference():
    right = [result(0, 1, 0.9, 0, 0, 10, 10), result(1, 2, 0.8, 5, 5, 20, 20)]
    low, high = intervals(TRUTH, right, right[:1], 0)["AP"]
    assert low <= -0.5 <= high
    assert intervals(TRUTH, right, right[:1], 0)["AP"] == (low, high)


def test_the_same_as_another_library(capsys):
    faster = pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")
    draw = np.random.default_rng(5)
    entries, found = [], []
    for number in range(12):
        boxes = [(*draw.uniform(0, 60, 2), *draw.uniform(8, 40, 2), int(draw.integers(1, 3))) for _ in range(4)]
        entries.append(boxed(*boxes, number=number))
        for *box, category in boxes:
            moved = (np.array(box) + draw.normal(0, 2, 4)).clip(1)
            found.append(result(number, category, float(draw.uniform()), *map(float, moved)))
    truth = ground_truth(entries, KINDS)
    known = faster.COCO(truth)
    other = faster.COCOeval_faster(known, known.loadRes(found), "bbox")
    other.run()
    ours = metrics(truth, found)
    assert [ours[name] for name in METRICS] == pytest.approx([other.stats[place] for place in (0, 1, 2, 8)], abs=1e-9)
    assert 0.1 < ours["AP"] < 0.9


def test_nothing_is_printed(capsys):
    metrics(TRUTH, [])
    assert capsys.readouterr() == ("", "")


def test_the_library_is_there():
    assert average_precision.require().__name__ == "hotcoco"
