"""Unsigned weights mean the same numbers."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.prepare.rewritings.unsigned import unsigned_weights
from handmade import model, value

X = np.array([[[[3, 250], [128, 7]]]], np.uint8)
W = np.array([[[[127, -128], [5, -1]]], [[[-7, 100], [127, 127]]]], np.int8)


def integer(name="ConvInteger", zero=True, weights=W, computed=False):
    inputs = ["x", "w", "xz", *(["wz"] if zero else [])]
    constants = [numpy_helper.from_array(np.array(3, np.uint8), "xz"), numpy_helper.from_array(weights, "w")]
    fed = [value("x", onnx.TensorProto.UINT8, X.shape)]
    if zero and computed:
        fed.append(value("wz", onnx.TensorProto.INT8, []))
    elif zero:
        constants.append(numpy_helper.from_array(np.array(2, weights.dtype), "wz"))
    node = helper.make_node(name, inputs, ["y"])
    return model([node], fed, [value("y", onnx.TensorProto.INT32, None)], constants, opset=13)


@pytest.mark.parametrize("zero", [False, True])
def test_sums_stay_and_weights_are_unsigned(zero):
    before = integer(zero=zero)
    data = before.SerializeToString()
    after = unsigned_weights(before)

    assert before.SerializeToString() == data
    expected, found = (ReferenceEvaluator(one).run(None, {"x": X})[0] for one in (before, after))
    np.testing.assert_array_equal(found, expected)
    kinds = {one.data_type for one in after.graph.initializer}
    assert kinds == {onnx.TensorProto.UINT8}


@pytest.mark.parametrize(
    "other", [integer(weights=W.astype(np.uint8)), integer(computed=True), integer("Conv"), integer("Nonsense")]
)
def test_other_weights_stay(other):
    assert unsigned_weights(other) is None


def test_a_tensor_that_two_layers_share_is_shifted_once():
    made = integer()
    made.graph.node.append(helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["z"]))
    made.graph.output.append(value("z", onnx.TensorProto.INT32, None))
    assert len(unsigned_weights(made).graph.initializer) == 3
