"""What the judge allows as plain numbers: never more than the judge itself would let pass."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.result import VerdictName
from burn_verify.judge import Judge, Question
from burn_verify.judge.allowance import BOUNDED, EQUAL, STRUCTURE, allowance_of, equal_to, shaped_as
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.weigh import weigh

X = np.linspace(-2, 2, 48, dtype=np.float32).reshape(6, 8)


def known(reference, sigma=None, stored=None, optimised=None):
    measured = Measured(
        wide={0: reference.astype(np.float64)},
        sigma={} if sigma is None else {0: np.full(reference.shape, sigma)},
        optimised=None if optimised is None else [optimised],
        evaluator="test",
    )
    return Evidence(inputs=[], stored=None if stored is None else [stored], runtime=[reference], measured=measured)


def allowed(answer, evidence):
    question = Question(case_id="a")
    (found,) = Judge().allowances(question, ["Y"], [answer], evidence)
    return found


@pytest.mark.parametrize("sigma", [None, 1e-6])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
@settings(deadline=None, database=None, max_examples=60)
@given(data=st.data())
def test_nothing_is_accepted_that_the_judge_would_not_let_pass(sigma, dtype, data):
    reference = X.astype(dtype)
    evidence = known(reference, sigma, optimised=(X * (1 + 1e-6)).astype(dtype))
    allowance = allowed(reference, evidence)
    scale = data.draw(st.sampled_from([0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]))
    where = data.draw(st.sampled_from([slice(None), slice(0, 1), slice(2, 3)]))
    actual = reference.astype(np.float64)
    actual[where] += scale * np.abs(actual[where])
    actual = actual.astype(dtype)

    if allowance.accepts(actual):
        assert weigh(0, actual, evidence).name is not VerdictName.DISAGREES


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_to_be_the_same(special):
    reference = X.copy()
    reference[0, 0] = special
    allowance = allowed(reference, known(reference))

    assert allowance.accepts(reference)
    assert not allowance.accepts(X)
    moved = X.copy()
    moved[0, 1] = special
    assert not allowance.accepts(moved)


def test_the_answer_it_was_made_for_is_accepted_and_a_wrong_one_is_not():
    actual = X * np.float32(1 + 1e-6)
    allowance = allowed(actual, known(X))

    assert allowance.kind == BOUNDED
    assert allowance.accepts(actual)
    assert not allowance.accepts(X + 1)
    assert not allowance.accepts(X.astype(np.float64))
    assert not allowance.accepts(X.reshape(8, 6))


def test_an_answer_outside_of_the_bound_that_passed_is_accepted():
    outside = X * np.float32(1.005)
    evidence = known(X, optimised=(X * 1.005).astype(np.float32))
    weighed = weigh(0, outside, evidence)
    assert weighed.name is VerdictName.LOOSE

    allowance = allowance_of(outside, weighed)

    assert allowance.most > 1
    assert allowance.accepts(outside)
    assert not allowance.accepts(X * np.float32(1.1))


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.bool_, np.uint64])
def test_what_is_no_float_has_to_be_equal(dtype):
    reference = np.array([0, 1, 1, 0]).astype(dtype)
    allowance = allowed(reference, Evidence(inputs=[], stored=None, runtime=[reference]))
    other = reference.copy()
    other[0] = 1

    assert allowance.kind == EQUAL
    assert allowance.accepts(reference)
    assert not allowance.accepts(other)


def test_a_random_answer_has_a_dtype_and_a_shape():
    question = Question(case_id="a", random=True)
    (allowance,) = Judge().allowances(question, ["Y"], [X], known(X))

    assert allowance.kind == STRUCTURE
    assert allowance.accepts(X + 7)
    assert not allowance.accepts(X[:1])
    assert shaped_as(X).accepts(X)


def test_equal_floats_include_nan():
    reference = np.array([np.nan, 1.0], np.float32)

    assert equal_to(reference).accepts(reference)
    assert not equal_to(reference).accepts(np.array([np.nan, 2.0], np.float32))


def test_an_empty_answer_is_accepted():
    empty = np.zeros((0, 3), np.float32)

    assert allowed(empty, known(empty)).accepts(empty)
