"""A reference and what is allowed around it: misses, errors, confirmations."""

import numpy as np
import pytest

from burn_verify.judge.tolerance import Bound
from burn_verify.judge.yardstick import NO_ERRORS, Errors, Origin, Yardstick


def yardstick(reference, limit=0.1, **fields):
    bound = Bound(limit=None if limit is None else np.full(np.shape(reference), limit), text="")
    return Yardstick(
        reference=np.array(reference, np.float64), bound=bound, origin=Origin.STORED, **{"lone": True, **fields}
    )


def test_elements_outside_of_the_limit_are_missed():
    assert yardstick([1.0, 2.0]).misses(np.array([1.05, 2.5], np.float32)).tolist() == [False, True]


def test_nan_equals_nan_and_nothing_else():
    assert yardstick([np.nan, np.nan, 1.0]).misses(np.array([np.nan, 1, np.nan])).tolist() == [False, True, True]


def test_the_sign_of_zero_counts_on_request():
    zeros = np.array([-0.0])

    assert not yardstick([0.0]).misses(zeros).any()
    assert yardstick([0.0], zeros=True).misses(zeros).all()


def test_errors_are_in_units_of_the_limit():
    errors = yardstick([0.0, 0.0], limit=0.5).errors(np.array([0.5, 0.0]))

    assert errors.greatest == pytest.approx(1.0)
    assert errors.rms == pytest.approx(np.sqrt(0.5))
    assert yardstick([1.0], limit=None).errors(np.array([2.0])) == NO_ERRORS


def test_errors_may_be_in_proportion_to_those_of_the_reference():
    own = Errors(rms=0.5, tail=1.0, greatest=1.0)

    assert Errors(rms=1.0, tail=2.0, greatest=9.0).within(2, own)
    assert not Errors(rms=1.2, tail=2.0, greatest=2.0).within(2, own)


def test_a_confirmation_has_to_be_whole_for_one_operator_and_nearly_whole_for_a_graph():
    reference = np.zeros(10_000)
    answer = reference.copy()
    answer[0] = 1.0

    assert not yardstick(reference).accepts(answer)
    assert yardstick(reference, lone=False).accepts(answer)
    assert not yardstick(reference, lone=False).accepts(answer[:5])
    answer[0] = np.nan
    assert not yardstick(reference, lone=False).accepts(answer)


@pytest.mark.parametrize(
    ("origin", "program", "name"),
    [
        (Origin.FLOAT64, "onnxruntime", "float64 (onnxruntime)"),
        (Origin.STORED, "", "stored"),
        (Origin.PROGRAM, "onnx.reference", "onnx.reference"),
    ],
)
def test_a_yardstick_is_named_after_its_reference(origin, program, name):
    yardstick = Yardstick(
        reference=np.zeros(1), bound=Bound(limit=None, text=""), origin=origin, program=program, lone=True
    )
    assert yardstick.name == name
