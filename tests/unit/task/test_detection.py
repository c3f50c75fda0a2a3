"""Boxes as predictions: what flips, and how far two engines are apart."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.images import Placement
from burn_verify.task.boxes import Limits
from burn_verify.task.detection import Detecting, Detection, matched
from burn_verify.task.protocol import Answer, Answered
from labelled import KINDS, boxed

TASK = Detecting(family="decoded", limits=Limits(score=0.1), categories=KINDS)
PLACE = Placement(image=(100, 50), tensor=(10, 10), across=0.1, down=0.2)


def predicted(boxes, scores, categories, task=TASK, place=PLACE):
    outputs = {
        "location": np.array([boxes], "f4").reshape(1, -1, 4),
        "score": np.array([scores], "f4"),
        "category": np.array([categories]),
    }
    return task.predicted(boxed(), [Answer(outputs=outputs, inputs={}, place=place)])


def one(category, score, *box):
    return Detection(category=category, score=score, box=box)


def test_boxes_are_pixels_of_the_image_and_only_known_categories_count():
    found = predicted([[0, 0.5, 0.5, 1]] * 3, [0.5, 0.75, 0.05], [1, 9, 1])
    assert found == (one(1, 0.5, 0, 25, 50, 25),)


def test_outputs_that_are_not_those_of_the_family():
    with pytest.raises(Wrong, match="the outputs are not those of decoded: 2 locations, 1 scores"):
        predicted([[0, 0, 1, 1]] * 2, [0.5], [1])


def test_boxes_are_paired_by_class_first():
    before = [one(1, 0.9, 0, 0, 10, 10), one(2, 0.8, 0, 0, 10, 10), one(1, 0.5, 50, 50, 10, 10)]
    after = [one(2, 0.9, 0, 0, 10, 10), one(1, 0.9, 0, 0, 10, 9), one(1, 0.5, 90, 50, 10, 10)]
    pairs, gone, come = matched(before, after)
    assert [(left, right) for left, right, _ in pairs] == [(1, 0), (0, 1)]
    assert (gone, come) == ([2], [2])
    assert matched([], after) == ([], [], [0, 1, 2])


def test_flips():
    before = [Answered(entry=boxed(), prediction=(one(1, 0.9, 0, 0, 10, 10), one(1, 0.3, 50, 0, 10, 10)))]
    after = [Answered(entry=boxed(), prediction=(one(2, 0.8, 0, 0, 10, 10), one(1, 0.6, 80, 0, 10, 10)))]
    found = TASK.flips(before, after)
    assert [(flip.kind, flip.weight) for flip in found] == [("class", 0.9), ("box", 0.6), ("box", 0.3)]
    assert found[0].text.startswith("triangle 0.900 at 0.0, 0.0, 10.0 x 10.0 became circle 0.800")
    assert found[1].text.endswith("came")
    assert found[2].text.endswith("is gone")
    assert not TASK.flips(before, before)


def test_how_far_two_predictions_are_apart():
    base = (one(1, 0.9, 0, 0, 10, 10),)
    assert TASK.apart(base, base) == 0
    shifted = TASK.apart(base, (one(1, 0.9, 1, 0, 10, 10),))
    swapped = TASK.apart(base, (one(2, 0.9, 0, 0, 10, 10),))
    assert 0 < shifted < swapped == TASK.apart(base, ()) == 0.9


def test_predictions_are_read_as_they_are_written():
    some = [
        Answered(entry=boxed(), prediction=(one(1, 0.9, 0, 0, 10, 10), one(2, 0.4, 1, 2, 3, 4))),
        Answered(entry=boxed(number=1), prediction=()),
    ]
    assert TASK.read(TASK.written(some), [it.entry for it in some]) == some
    for wrong, said in (
        ({"image_id": 7}, "no image has the id 7"),
        ({"image_id": 0, "bbox": [1, 2, 3]}, "bbox of four numbers"),
        ("box", "no image has the id None"),
    ):
        with pytest.raises(ValueError, match=said):
            TASK.read([wrong], [it.entry for it in some])


def test_details():
    some = [Answered(entry=boxed(), prediction=(one(1, 0.9, 0, 0, 10, 10), one(1, 0.4, 1, 2, 3, 4)))]
    assert TASK.details(some)["detections_by_category"] == {"triangle": 2}


def test_what_moved_every_box_is_noted_and_rounding_is_not():
    def answered(*shifts):
        boxes = [tuple(one(1, 0.9, 20 + shift, 20, 40 + grown, 40) for shift, grown in shifts)]
        return [Answered(entry=boxed(), prediction=found) for found in boxes]

    still = answered(*[(60 * place, 0) for place in range(10)])
    moved = answered(*[(60 * place + 0.5, 0) for place in range(10)])
    grown = answered(*[(60 * place - 1, 2) for place in range(10)])
    jitter = answered(*[(60 * place + (-1) ** place * 0.4, 0) for place in range(10)])
    (line,) = TASK.noted(still, moved)
    assert line.startswith("10 boxes that both found moved, in the median, by +0.50 to the right and +0.00 down")
    assert "+0.00 to the right and +0.00 down, and are +2.00 wider" in TASK.noted(still, grown)[0]
    assert TASK.noted(still, jitter) == TASK.noted(still, still) == TASK.noted(still[:0], moved[:0]) == ()
