"""Elementwise operators by others answer the same."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import answers, node_model, operators, put_differently

X = np.array([[1, -2, 3], [4, 5, -6]], np.float32)


@pytest.mark.parametrize("op_type", ["Max", "Min"])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_variadic_operator_takes_pairs(op_type, count):
    model, arrays = node_model(op_type, [X * place for place in range(count)])
    made = replaced(model, {op_type: DECOMPOSITIONS[op_type].decomposer})
    assert operators(made) == ([op_type] * (count - 1) if count > 1 else ["Identity"])
    np.testing.assert_array_equal(answers(made, arrays)[0], answers(model, arrays)[0])


def test_two_inputs_stay_as_they_are():
    model, _ = node_model("Max", [X, X])
    assert replaced(model, {"Max": DECOMPOSITIONS["Max"].decomposer}) is None


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int8, np.int32])
def test_bits_shift_within_the_width(direction, dtype):
    values, places = np.array([1, 5, 100, 127], dtype), np.array([0, 1, 3, 7], dtype)
    put_differently("BitShift", [values, places], direction=direction)


def test_all_bits_shift_out():
    places = np.array([32, -1, 40], np.int32)
    model, _ = node_model("BitShift", [np.array([1, 5, -7], np.int32), np.zeros(3, np.int32)], direction="RIGHT")
    made = replaced(model, {"BitShift": DECOMPOSITIONS["BitShift"].decomposer})
    np.testing.assert_array_equal(answers(made, [np.array([1, 5, -7], np.int32), places])[0], [0, 0, -1])


def test_bounds_that_cross_give_the_upper_one():
    put_differently("Clip", [X, np.array(2, np.float32), np.array(1, np.float32)])


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("constants", [(), (1,)])
def test_products_run_along_an_axis(reverse, exclusive, axis, constants):
    given = {"reverse": reverse, "exclusive": exclusive, "opset": 26, "constants": constants}
    put_differently("CumProd", [X, np.array(axis, np.int64)], **given)


@pytest.mark.parametrize("ends", [(0, 5, 1), (5, 0, -2), (3, 3, 1), (0, 1, 0.25)])
def test_a_range_of_constants_is_a_constant(ends):
    made = put_differently("Range", [np.array(one, np.float32) for one in ends], constants=(0, 1, 2))
    assert operators(made) == ["Identity"]


def test_a_range_of_inputs_stays():
    model, _ = node_model("Range", [np.array(one, np.float32) for one in (0, 5, 1)])
    assert replaced(model, {"Range": DECOMPOSITIONS["Range"].decomposer}) is None


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_elements_are_chosen_by_a_mask(axis):
    given = {} if axis is None else {"axis": axis}
    put_differently("Compress", [X, np.array([True, False, True][: 3 if axis in (None, 1, -1) else 2])], **given)


def test_two_vectors_have_a_product():
    put_differently("MatMul", [X[0], X[1]])


@pytest.mark.parametrize(("batch", "time"), [(1, 0), (0, 1)])
def test_sequences_are_reversed_up_to_their_length(batch, time):
    values = np.arange(48, dtype=np.float32).reshape(4, 4, 3)
    lengths = np.array([4, 1, 3, 2], np.int64)
    put_differently("ReverseSequence", [values, lengths], batch_axis=batch, time_axis=time)


@pytest.mark.parametrize(
    ("transposed", "factors", "offset"),
    [((0, 0), (1.0, 1.0), True), ((1, 1), (2.0, 0.5), True), ((0, 1), (2.0, 1.0), False)],
)
def test_a_gemm_of_computed_weights_is_a_product_and_a_sum(transposed, factors, offset):
    a, b = np.arange(6, dtype="f4").reshape(2, 3), np.arange(12, dtype="f4").reshape(3, 4) - 5
    arrays = [a.T if transposed[0] else a, b.T if transposed[1] else b, np.float32([1, 2, 3, 4])]
    given = [np.ascontiguousarray(one) for one in arrays[: 3 if offset else 2]]
    put_differently("Gemm", given, transA=transposed[0], transB=transposed[1], alpha=factors[0], beta=factors[1])


def test_a_gemm_of_constant_weights_stays():
    model, _ = node_model("Gemm", [np.ones((2, 3), "f4"), np.ones((3, 4), "f4")], constants=[1])
    assert replaced(model, {"Gemm": DECOMPOSITIONS["Gemm"].decomposer}) is None
