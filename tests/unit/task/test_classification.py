"""Classes: the best, the best five, and those that flip."""

from dataclasses import replace

import numpy as np
import pytest

from burn_verify.cases.labelled.entry import DataSet, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.task.classification import Classification, doubt
from burn_verify.task.protocol import Answer, Answered
from labelled import entry

TASK = Classification()


def answered(label, scores, number=0):
    one = entry(label, number)
    outputs = {"scores": np.array([scores], "f4")}
    return Answered(entry=one, prediction=TASK.predicted(one, [Answer(outputs=outputs, inputs={})]))


def test_the_best_class_and_the_best_five():
    some = [answered(2, [0, 1, 9, 2, 3, 4]), answered(1, [0, 1, 9, 2, 3, 4], 1), answered(0, [0, 1, 9, 2, 3, 4], 2)]
    assert TASK.metrics(some) == {"top1": pytest.approx(1 / 3), "top5": pytest.approx(2 / 3)}
    assert TASK.details(some)["correct"] == 1
    assert np.array(TASK.details(some)["confusion"])[[2, 1, 0], 2].tolist() == [1, 1, 1]


def test_five_classes_have_no_best_five():
    assert TASK.metrics([answered(0, [1, 2, 3, 4, 5])]) == {"top1": 0.0}


def test_flips_are_named_with_both_classes_the_surest_first():
    before = [answered(0, [1, 0, 0]), answered(1, [0, 5, 0], 1), answered(2, [0, 0, 1], 2)]
    after = [answered(0, [1, 2, 0]), answered(1, [9, 5, 0], 1), answered(2, [0, 0, 7], 2)]
    found = TASK.flips(before, after)
    assert [(one.sample, one.kind) for one in found] == [("sample 1", "class"), ("sample 0", "class")]
    assert found[0].text == "class 1 became 0 (the label is 1)"
    assert TASK.apart(before[2].prediction, after[2].prediction) == 6
    assert TASK.intervals(before, after, 0)["top1"][0] < 0


def test_nan_is_no_best_class():
    assert answered(1, [np.nan, 0, -1]).prediction.classes[0] == 1
    with pytest.raises(Wrong, match="no score is a finite number"):
        answered(0, [np.nan, np.nan, np.nan])


def test_a_label_that_the_model_does_not_have():
    with pytest.raises(Wrong, match="the label is class 3, the model has 3 classes"):
        answered(3, [1, 2, 3])


def test_predictions_are_read_as_they_are_written():
    some = [answered(0, [1, 0, 0]), answered(1, [0, 5, 0], 1)]
    read = TASK.read(TASK.written(some), [one.entry for one in some])
    assert [one.prediction.classes for one in read] == [one.prediction.classes for one in some]
    assert TASK.metrics(read) == TASK.metrics(some)
    assert TASK.read([{"sample": 0, "class": 2}], [some[0].entry])[0].prediction.classes == (2,)
    for wrong in ({"classes": []}, {"classes": ["a"]}, {}, {"classes": [1], "scores": []}):
        with pytest.raises(ValueError, match="the prediction of sample 0 needs"):
            TASK.read([{"sample": 0, **wrong}], [some[0].entry])


def test_fewer_names_than_classes_are_a_doubt():
    some = [answered(0, [1, 2, 3])]
    data = DataSet(name="photos", labels=Labels.CLASS, entries=(some[0].entry,), counted=2)
    assert doubt(data, some).startswith(
        "photos: its classes are names, counted from 0 to 1 in alphabetical order, and the model has 3: "
    )
    assert doubt(replace(data, counted=3), some) == doubt(replace(data, counted=0), some) == ""
