"""Fixed tolerances by dtype, and those of a corpus."""

import ml_dtypes
import numpy as np
import pytest

from burn_verify.core.case import Tolerance
from burn_verify.judge.tolerance import TOLERANCES, Bound, bound, within


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_the_limit_of_an_element_is_that_of_isclose(dtype):
    desired = np.array([0, -2, 100], dtype)
    tolerance = TOLERANCES[dtype]

    limit = bound(desired).limit

    np.testing.assert_allclose(limit, tolerance.atol + tolerance.rtol * np.abs(desired.astype(np.float64)))


def test_a_rank_of_zero_stays():
    assert bound(np.array(2, np.float32)).limit.shape == ()


@pytest.mark.parametrize("desired", [np.array([1]), np.array([True]), np.array(["a"], dtype=object)], ids=str)
def test_what_is_no_float_is_exact(desired):
    assert (bound(desired).limit, bound(desired).text) == (None, "exact")
    assert within(Tolerance(rtol=1, atol=1))(desired).limit is None


def test_a_tolerance_of_another_dtype_can_be_asked_for():
    desired = np.ones(1, np.float32)

    assert bound(desired, "float16").limit > bound(desired).limit


def test_a_corpus_tolerance_holds_but_for_two_steps_of_bfloat16():
    rule = within(Tolerance(rtol=1e-3, atol=0))

    assert rule(np.ones(1, np.float32)).limit == pytest.approx(1e-3)
    assert rule(np.ones(1, ml_dtypes.bfloat16)).limit == 2.0**-6


def test_a_bound_that_is_multiplied_stays_finite():
    wide = Bound(limit=np.array([1.0, 1.5e308, 0.0]), text="b", mean=2.0).times(2, "2")

    assert wide.limit.tolist() == [2.0, np.finfo(np.float64).max, 0.0]
    assert (wide.mean, wide.text) == (4.0, "2 · (b)")
