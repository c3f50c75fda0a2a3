"""Two evaluations side by side: tiers, limits, and what is never compared."""

from dataclasses import replace

import pytest

from burn_verify.task.classification import Classification, Ranking
from burn_verify.task.evaluated import Evaluated, Tier, compared
from burn_verify.task.protocol import Answered
from burn_verify.task.regression import Regression
from labelled import entry

TASK = Classification()


def of(classes, engine="onnxruntime", digest="abc", **changes):
    """Return an evaluation that answered these classes; the label of every sample is 0."""
    some = tuple(
        Answered(entry=entry(0, place), prediction=Ranking(classes=(one,), scores=(1.0,), count=3))
        for place, one in enumerate(classes)
    )
    metrics = TASK.metrics(some) if some else {}
    return replace(
        Evaluated(model="m", engine=engine, dataset="d", digest=digest, answered=some, metrics=metrics), **changes
    )


def beside(before, after, task=TASK, **limits):
    return compared(before, after, task, limits=limits, seed=0)


@pytest.mark.parametrize(
    ("difference", "tier"),
    [
        (0, Tier.EXCELLENT),
        (0.000999, Tier.EXCELLENT),
        (-0.001, Tier.GOOD),
        (0.00999, Tier.GOOD),
        (0.01, Tier.WARNING),
        (-0.5, Tier.WARNING),
        (float("nan"), Tier.WARNING),
    ],
)
def test_tiers(difference, tier):
    assert Tier.of(difference) is tier


def test_equal_ones_are_excellent():
    found = beside(of([0, 0, 1]), of([0, 0, 1], "burn-flex"))
    assert (found.passes, found.tier, found.samples, found.flips, found.worst) == (True, Tier.EXCELLENT, 3, (), ())
    assert found.changes["top1"].interval == (0.0, 0.0)
    assert (found.before, found.after) == ("m by onnxruntime", "m by burn-flex")


def test_a_warning_fails_and_names_what_flipped():
    found = beside(of([0, 0, 0, 0]), of([0, 1, 0, 0], "burn-flex"))
    assert not found.passes
    assert found.exceeded == ("top1 differs by -0.250000: warning",)
    assert [flip.sample for flip in found.flips] == ["sample 1"]
    assert found.kinds == {"class": 1}
    low, high = found.changes["top1"].interval
    assert low <= -0.25 <= high


def test_a_limit_takes_the_place_of_the_tier():
    before, after = of([0, 0, 0, 0]), of([0, 1, 0, 0], "burn-flex")
    assert beside(before, after, top1=0.25).passes
    assert beside(after, before, top1=0.0).passes, "it became better"
    assert beside(before, after, top1=0.2).exceeded == ("top1 is worse by 0.250000, allowed are 0.2",)
    assert beside(before, after, ap=0.2).exceeded == ("ap: m by onnxruntime does not have it",)


def test_other_data_are_never_compared():
    found = beside(of([0]), of([0], "burn-flex", digest="xyz"))
    assert not found.changes
    assert not found.passes
    assert found.check == "not compared: other data, abc and xyz"


def test_an_engine_without_an_answer_fails():
    found = beside(of([0]), of([], "burn-flex", error="convert: no RoiAlign"))
    assert not found.passes
    assert "no RoiAlign" in found.exceeded[0]


def test_a_sample_that_only_one_answered_fails():
    found = beside(of([0, 0]), of([0], "burn-flex"))
    assert found.samples == 1
    assert found.changes["top1"].difference == 0
    assert found.exceeded == ("1 samples that m by onnxruntime answered have no answer: sample 1",)


def test_a_baseline_of_metrics_alone():
    base = Evaluated(model="", engine="baseline", dataset="d", digest="", metrics={"TOP1": 0.9, "loss": 3})
    found = compared(base, of([0, 0]), TASK, limits={}, seed=0, check="nothing known")
    assert (found.before, found.check, found.flips, found.samples) == ("baseline", "nothing known", None, None)
    assert found.changes["top1"].difference == pytest.approx(0.1)
    assert found.changes["top1"].interval is None
    assert not found.passes
    none = compared(replace(base, metrics={"loss": 3}), of([0]), TASK, limits={}, seed=0)
    assert none.check == "not compared: no metric of baseline is one of top1"
    assert not none.passes


def test_errors_are_relative_and_lower_is_better():
    task = Regression()

    def off(by, engine):
        some = (Answered(entry=entry((100.0,)), prediction=(100.0 + by,)),)
        return Evaluated(model="m", engine=engine, dataset="d", digest="a", answered=some, metrics=task.metrics(some))

    worse = beside(off(10, "a"), off(10.05, "b"), task)
    assert worse.changes["rmse"].tier is Tier.GOOD
    assert worse.changes["rmse"].drop == pytest.approx(0.05)
    assert beside(off(10.05, "a"), off(10, "b"), task).changes["rmse"].drop == pytest.approx(-0.05)
