"""Ordinary values of operands: in range, repeatable, and equal for twins."""

import numpy as np
import pytest

from burn_verify.cases.generated.operator_spec import Operand
from burn_verify.cases.generated.values import ordinary, whole_bounds


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "int64", "bool"])
def test_values_have_the_dtype_and_stay_in_range(dtype):
    values = ordinary(Operand(shape=(50,), dtype=dtype, low=-3, high=5), "Add", "A")

    assert values.dtype == np.dtype(dtype)
    assert values.shape == (50,)
    assert dtype == "bool" or ((values >= -3) & (values <= 5)).all()


def test_half_of_the_floats_are_whole_quarters():
    values = ordinary(Operand(shape=(2000,), dtype="float32", low=-4, high=4), "Add", "A")

    assert 0.4 < np.mean(values * 4 == np.round(values * 4)) < 0.6


def test_the_seed_and_the_shape_decide():
    operand = Operand(shape=(8,), dtype="float32", low=-4, high=4)

    np.testing.assert_array_equal(ordinary(operand, "Add", "A"), ordinary(operand, "Add", "A"))
    assert (ordinary(operand, "Add", "A") != ordinary(operand, "Add", "B")).any()


def test_a_fixed_value_is_taken_as_it_is():
    fixed = np.array([1, 2])

    assert ordinary(Operand(shape=(2,), dtype="int64", fixed=fixed), "Add", "A") is fixed


@pytest.mark.parametrize(("dtype", "bounds"), [("uint8", (0, 200)), ("int8", (-100, 127)), ("int32", (-100, 200))])
def test_bounds_of_integers_are_those_that_the_dtype_holds(dtype, bounds):
    assert whole_bounds(Operand(shape=(), dtype=dtype, low=-100, high=200)) == bounds
