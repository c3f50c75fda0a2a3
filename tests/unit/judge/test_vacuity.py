"""Answers that say nothing, exceptions as data, and the text of explain-number."""

import numpy as np
import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.judge import overrides
from burn_verify.judge.vacuity import says_nothing
from burn_verify.report.views.numbers import explanation, histogram

A, B = np.array([0.5, 2.0], np.float32), np.array([0.25, 3.0], np.float32)


def said(desired, other=None, atol=1e-4):
    """Ask with a judge that allows so much."""

    def passing(answers):
        pairs = zip(answers, desired, strict=True)
        return [one.shape == wanted.shape and np.allclose(one, wanted, rtol=0, atol=atol) for one, wanted in pairs]

    return says_nothing(desired, other, passing)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (A, B, ""),
        (A, A, "the same for two different inputs"),
        (A, A + np.float32(1e-5), "the same for two different inputs, within what is allowed"),
        (A, A + np.float32(1e-3), ""),
        (A, np.ones(3, np.float32), ""),
        (A * 0, B, "all zero"),
        (A * np.nan, B, "all NaN"),
        (A * np.inf, B, "all infinite"),
        (np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0]), "saturated"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "empty"),
        (np.array([3]), np.array([4]), ""),
        (np.array([3]), np.array([3]), "the same"),
        (np.array([1.0]), np.array([2.0]), ""),
        (np.array([True]), np.array([False]), ""),
        (np.array([False]), np.array([True]), ""),
        (np.array([0, 0]), np.array([0, 1]), ""),
        (np.array([0, 0]), np.array([0, 0]), "the same"),
    ],
)
def test_what_moves_no_further_than_is_allowed_says_nothing(first, second, reason):
    (why,) = said([first], [second])
    assert reason in why
    assert bool(reason) == bool(why)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (A, ""),
        (np.array([18.0], np.float32), ""),
        (np.array([1.0, 0.0, 1.0], np.float32), ""),
        (np.array([True, False]), ""),
        (np.zeros((0, 3)), "the output is empty"),
        (np.zeros((2, 2), np.int64), "the output is all zero"),
        (np.array(False), "the output is all zero"),
        (np.full(3, 7), "the output is one value throughout"),
        (np.full(3, 0.5, np.float32), "the output is one value throughout"),
        (np.array([np.nan, np.nan]), "all NaN"),
        (np.array([np.nan, 1.0]), ""),
        (np.array([0.5, 0.50001, 0.50002], np.float32), "alike, within what is allowed"),
        (np.array([1e-6, -3e-6], np.float32), "zeros would pass, within what is allowed"),
        (np.array(["a", "b"], dtype=object), ""),
    ],
)
def test_what_is_stored_says_something_where_a_wrong_answer_fails(stored, reason):
    passing = said if stored.dtype != object else lambda desired: says_nothing(desired, None, lambda _: [False])
    (why,) = passing([stored])
    assert reason in why
    assert bool(reason) == bool(why)


def test_outputs_are_told_apart():
    assert [bool(why) for why in said([A, A, A * 0], [B, A, B])] == [False, True, True]
    assert [bool(why) for why in said([A, A * 0, B])] == [False, True, False]


ENTRY = '[[override]]\nname = "n"\nop_type = "Add"\nfactor = 2\nreason = "r"\nlink = "l"\n'


def test_the_packaged_exceptions_are_well_formed():
    assert all(override.factor > 1 for override in overrides.packaged())


def test_an_exception_is_read():
    (override,) = overrides.parse(ENTRY)
    assert (override.name, override.op_type, override.factor) == ("n", "Add", 2.0)
    assert overrides.unused([override], ["n", "m"]) == ()
    assert overrides.unused([override], ["m"]) == (override,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not TOML"),
        ("[other]\n", "only tables"),
        (ENTRY + "colour = 1\n", "unknown key 'colour'"),
        (ENTRY.replace('reason = "r"\n', ""), "'reason' is missing"),
        (ENTRY.replace('link = "l"\n', ""), "'link' is missing"),
        (ENTRY.replace('op_type = "Add"\n', ""), "neither 'op_type' nor 'case'"),
        (ENTRY.replace("factor = 2", "factor = 0.5"), "'factor' is a number above 1"),
        (ENTRY.replace("factor = 2", 'factor = "2"'), "'factor' is a number above 1"),
        (ENTRY * 2, "two entries have one name"),
    ],
)
def test_a_wrong_exception_is_refused(text, said):
    with pytest.raises(UsageError, match=said):
        overrides.parse(text)


def test_distances_fall_into_classes_that_double():
    desired = np.ones(6, np.float32)
    steps = np.array([0, 0, 1, 2, 3, 5], np.uint32)
    actual = (desired.view(np.uint32) + steps).view(np.float32)
    lines = [line.split() for line in histogram(actual, desired)]
    assert [(*line[:-2],) for line in lines[1:]] == [("0",), ("1",), ("2", "to", "3"), ("4", "to", "7")]
    assert [line[-2] for line in lines[1:]] == ["2", "1", "2", "1"]
    assert histogram(np.array([1]), np.array([1])) == []


def test_the_explanation_has_all_there_is():
    entry = OutputMetrics(
        data_set="seeded",
        name="Y",
        dtype="float32",
        shape=(2,),
        elements=2,
        mismatching=1,
        max_abs=1e-3,
        max_ulp=9,
        first_bad=(1,),
        headroom=12.0,
        bound="2 u·S (Div: 2)",
        reference="float64 (onnxruntime)",
        guilty="burn",
    )
    result = CaseResult(
        case_id="node/a",
        corpus="node",
        stage=Stage.COMPARE,
        outcome=Outcome.FAILED,
        verdict="disagrees",
        message="Y: wrong",
        metrics=(entry,),
        details={"guilty": "burn", "insensitive": "all zero", "overrides": ["mine"], "onnxruntime": "agrees"},
    )
    text = explanation(result, {("seeded", "Y"): (A, B)})
    for part in ("node/a: disagrees", "guilty: burn", "insensitive: all zero", "overrides: mine", "Y: wrong"):
        assert part in text
    for part in ("seeded, Y: float32[2]", "1/2 elements", "2 u·S (Div: 2)", "float64 (onnxruntime)", "[1]", "12"):
        assert part in text
    assert "█" in text
    assert "█" not in explanation(result)
