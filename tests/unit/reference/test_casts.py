"""Casts whose result ONNX leaves open."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.reference.casts import undefined_cast


def cast(to):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    result = helper.make_tensor_value_info("y", to, None)
    return helper.make_model(helper.make_graph([helper.make_node("Cast", ["x"], ["y"], to=to)], "g", [value], [result]))


@pytest.mark.parametrize(
    ("to", "fits", "beyond"),
    [
        (TensorProto.INT32, [-(2.0**31), 2.0**31 - 1, 0.5], [2.0**31, 4e12, np.nan, np.inf, -np.inf]),
        (TensorProto.UINT8, [0, 255.9, -0.9], [256, -1]),
        (TensorProto.INT64, [-(2.0**63), 2.0**62], [2.0**63]),
        (TensorProto.INT4, [-8, 7], [8]),
        (TensorProto.BOOL, [np.nan, 1e30], []),
        (TensorProto.FLOAT16, [1e30], []),
    ],
)
def test_what_an_integer_holds_is_defined(to, fits, beyond):
    for number in fits:
        assert undefined_cast(cast(to), {"x": np.array([1.0, number])}) == ""
    for number in beyond:
        assert undefined_cast(cast(to), {"x": np.array([1.0, number])}).startswith("y is cast from ")


def test_integers_wrap_and_unknown_values_are_passed_over():
    assert undefined_cast(cast(TensorProto.INT8), {"x": np.array([300])}) == ""
    assert undefined_cast(cast(TensorProto.INT8), {}) == ""
