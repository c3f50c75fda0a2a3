"""The drift from a first model to a second one is the same by two engines, or it is told how it is not."""

import math
from dataclasses import replace

import pytest

from burn_verify.task.classification import Classification, Ranking
from burn_verify.task.drift import drifted, shared
from burn_verify.task.evaluated import Evaluated
from burn_verify.task.protocol import Answered
from burn_verify.task.regression import Regression
from labelled import entry

TASK = Classification()


def of(scores, model, engine, task=TASK):
    """Return an evaluation with a score of class 0 for each sample; that of class 1 is 0.5."""
    some = []
    for place, score in enumerate(scores):
        best = (0, 1) if score > 0.5 else (1, 0)
        ranking = Ranking(classes=best, scores=tuple({0: score, 1: 0.5}[one] for one in best), count=2)
        some.append(Answered(entry=entry(0, place), prediction=ranking))
    return Evaluated(model=model, engine=engine, dataset="d", digest="x", answered=tuple(some))


def drift(mine, other):
    four = [of(*one) for one in zip((*mine, *other), "abab", ("ort", "ort", "burn", "burn"), strict=True)]
    return drifted((four[0], four[1]), (four[2], four[3]), TASK)


def test_the_same_drift_passes_even_where_it_is_a_loss():
    found = drift(([1, 1, 1], [0.9, 0.4, 1]), ([1, 1, 1], [0.9, 0.4, 1]))
    assert (found.passes, found.samples, found.share, found.alone) == (True, 3, 0.0, {})
    assert found.metrics["top1"] == (pytest.approx(-1 / 3), pytest.approx(-1 / 3))
    assert (found.before, found.after, found.engines) == ("a", "b", ("ort", "burn"))


def test_a_drift_by_one_engine_only_fails_and_names_the_samples():
    found = drift(([1, 1, 1], [0.9, 1, 1]), ([1, 1, 1], [0.9, 0.4, 1]))
    assert not found.passes
    assert found.alone == {"burn": ("sample 1",)}
    assert any("top1 drifts by +0.000000 and by -0.333333" in line for line in found.exceeded)


def test_a_drift_that_no_metric_shows_is_found():
    found = drift(([1, 1], [0.9, 0.9]), ([1, 1], [0.9, 0.7]))
    assert found.metrics["top1"] == (0, 0)
    assert found.share == pytest.approx(1.0)
    assert found.exceeded == ("100.0 % of the drift of the samples differs, allowed are 10 %",)


def test_without_a_common_sample_nothing_is_told():
    found = drift(([1], [1]), ([1], []))
    assert (found.passes, found.samples, found.exceeded) == (False, None, ("no sample was answered by all",))
    failed = replace(of([], "b", "burn"), error="convert: no")
    found = drifted((of([1], "a", "ort"), of([1], "b", "ort")), (of([1], "a", "burn"), failed), TASK)
    assert found.exceeded == ("b by burn: convert: no",)


@pytest.mark.parametrize(
    ("mine", "other", "share"),
    [
        ([], [], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0], [0.1], math.inf),
        ([1.0, 1.0], [1.0, 1.1], 0.05),
        ([math.inf, 1.0], [math.inf, 1.0], 0.0),
        ([math.inf, 1.0], [2.0, 1.0], math.inf),
    ],
)
def test_the_share_of_the_drift_that_differs(mine, other, share):
    assert shared(mine, other) == pytest.approx(share)


def test_errors_are_relative_to_their_value():
    task = Regression()

    def of_values(values, model, engine):
        some = tuple(Answered(entry=entry((1000.0,), place), prediction=(value,)) for place, value in enumerate(values))
        return Evaluated(model=model, engine=engine, dataset="d", digest="x", answered=some)

    columns = [([900.0], [890.0]), ([900.0], [889.5])]
    pairs = [
        (of_values(old, "a", name), of_values(new, "b", name)) for (old, new), name in zip(columns, "xy", strict=True)
    ]
    assert drifted(*pairs, task).passes
