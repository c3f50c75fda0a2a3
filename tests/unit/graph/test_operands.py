"""What other values an input may take follows from the operators that use it."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import handmade
from burn_verify.graph.operands import FREE, KEPT, NEAR, Operand, Role, operands_of

I64 = TensorProto.INT64
X = np.ones((3, 4), np.float32)


def of(op_type, *arrays, nodes=(), **attributes):
    names = [f"x{place}" for place in range(len(arrays))]
    inputs = [handmade.value(name, helper.np_dtype_to_tensor_dtype(one.dtype)) for name, one in zip(names, arrays)]  # noqa: B905
    made = nodes or [helper.make_node(op_type, names, ["y"], **attributes)]
    return operands_of(handmade.model(made, inputs, [handmade.value("y")]), arrays)


def ints(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("op_type", "arrays"),
    [
        ("Reshape", (X, ints(4, 3))),
        ("Slice", (X, ints(0), ints(2), ints(1))),
        ("ReduceSum", (X, ints(0))),
        ("TopK", (X, ints(2))),
        ("Pad", (X, ints(0, 0, 1, 1))),
    ],
)
def test_what_decides_a_shape_keeps_its_values(op_type, arrays):
    found = of(op_type, *arrays)
    assert found[0] == FREE
    assert set(found[1:]) == {KEPT}


def test_limits_axes_and_diagonals_vary_within_their_range():
    one = np.float32(1)
    assert of("Clip", X, one, one)[1:] == (
        Operand(role=Role.RANGE, low=-3, high=-1),
        Operand(role=Role.RANGE, low=1, high=3),
    )
    assert of("CumSum", X, np.int32(0)) == (FREE, Operand(role=Role.RANGE, low=-2, high=1))
    assert of("Trilu", X, np.int64(0)) == (FREE, Operand(role=Role.RANGE, low=-4, high=4))


def test_numbers_go_into_a_body_freely_and_integers_do_not():
    assert of("Scan", X, ints(1)) == (FREE, KEPT)
    assert of("Loop", ints(3), np.array(True), X)[1:] == (KEPT, FREE)
    assert of("If", np.array(True)) == (FREE,)


def test_a_pattern_of_a_conversion_may_have_any_value():
    assert of("CastLike", X, X) == (FREE, FREE)


def test_integers_that_are_data_are_free():
    assert of("Add", ints(1, 2), ints(3, 4)) == (FREE, FREE)
    assert of("Div", ints(1, 2), ints(3, 4))[1] == Operand(role=Role.RANGE, low=1, high=9)


def test_powers_of_integers_stay_integers():
    base = np.array([1, 2, 3], np.int32)
    assert of("Pow", base, base) == (Operand(role=Role.RANGE, low=-3, high=3), Operand(role=Role.RANGE, high=3))
    assert of("Pow", base, X[0, :3]) == (Operand(role=Role.RANGE, low=1, high=3), NEAR)
    assert of("Pow", X[0, :3], base) == (FREE, Operand(role=Role.RANGE, low=-3, high=3))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_indices_have_the_range_of_their_axis(axis):
    index = Operand(role=Role.INDEX, bounds=(X.shape[axis],))
    assert of("Gather", X, ints(0, 1), axis=axis) == (FREE, index)
    once = Operand(role=Role.INDEX, bounds=(X.shape[axis],), once=axis % 2)
    zeros = np.zeros((1, 1), np.int64)
    assert of("ScatterElements", X, zeros, X[:1, :1], axis=axis)[1] == once
    assert of("ScatterElements", X, zeros, X[:1, :1], axis=axis, reduction="add")[1] == index


def test_rows_of_indices_have_the_ranges_of_their_axes():
    rows = np.zeros((2, 2), np.int64)
    assert of("GatherND", X, rows)[1] == Operand(role=Role.PLACES, bounds=(3, 4))
    assert of("ScatterND", X, rows, X[0, :2])[1] == Operand(role=Role.PLACES, bounds=(3, 4), distinct=True)


def test_scales_and_variances_keep_sign_and_size():
    assert of("QuantizeLinear", X, np.float32(0.5), np.uint8(3))[1] == NEAR
    assert of("BatchNormalization", X, *[np.ones(4, np.float32)] * 4)[4] == NEAR


def test_a_conversion_to_integers_takes_what_they_hold():
    assert of("Cast", X, to=TensorProto.UINT8) == (Operand(role=Role.RANGE, low=0, high=100),)
    assert of("Cast", X, to=TensorProto.FLOAT16) == (FREE,)


def test_an_integer_that_reaches_a_shape_through_other_nodes_is_kept():
    nodes = [
        helper.make_node("Add", ["x1", "x1"], ["twice"]),
        helper.make_node("Reshape", ["x0", "twice"], ["y"]),
    ]
    assert of("", X, ints(2, 6), nodes=nodes) == (FREE, KEPT)
    assert of("", X, ints(2, 6), nodes=[*nodes[:1], helper.make_node("Cast", ["twice"], ["y"], to=1)])[1] == FREE


def test_what_nobody_uses_or_no_number_is_kept():
    assert of("Identity", X, ints(1), nodes=[helper.make_node("Identity", ["x0"], ["y"])])[1] == KEPT
    assert of("Identity", np.array(["a"], object)) == (KEPT,)
