"""Single corners of operators answer the same."""

import math

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from burn_verify.prepare.rewritings.corners import reduction_of_nothing
from handmade import model, value
from rewriting import answers, node_model, operators, put_differently, typed

X = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)


def put(made, name):
    return replaced(made, {name: DECOMPOSITIONS[name].decomposer})


def test_a_squeeze_says_its_axes():
    model_, arrays = node_model("Squeeze", [X])
    made = put(model_, "Squeeze")
    assert len(made.graph.node[0].input) == 2
    np.testing.assert_array_equal(answers(made, arrays)[0], X.reshape(2, 3))
    assert put(made, "Squeeze") is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_sum_is_one_of_pairs(count):
    assert operators(put_differently("Sum", [X] * count)) == ["Add"] * (count - 1) or count == 1


def test_a_pad_that_wraps():
    put_differently("Pad", [X.astype(np.int32), np.array([0, 1, 2, 0, 0, 3, 1, 0], np.int64)], mode="wrap")


def test_a_pad_that_wraps_and_cuts_stays():
    pads = np.array([0, -1, 0, 0, 0, 3, 0, 0], np.int64)
    given, _ = node_model("Pad", [X, pads], mode="wrap", constants=(1,))
    assert put(given, "Pad") is None


@pytest.mark.parametrize("dtype", [np.float16, np.int8])
@pytest.mark.parametrize("constants", [(), (1, 2)])
def test_a_pad_of_narrow_numbers(dtype, constants):
    pads = np.array([0, 1, 2, 0, 0, 0, 1, 0], np.int64)
    for inputs, fixed in (([X, pads, np.array(7)], constants), ([X, pads], ())):
        inputs = [one if one is pads else one.astype(dtype) for one in inputs]
        given, arrays = node_model("Pad", inputs, constants=fixed)
        made = put(given, "Pad")
        assert operators(made)[-2:] == ["Pad", "Cast"]
        np.testing.assert_array_equal(answers(made, arrays)[0], answers(given, arrays)[0])
        assert put(made, "Pad") is None


@pytest.mark.parametrize(("dtype", "least"), [(np.float32, -math.inf), (np.int32, -(2**31))])
def test_a_reduction_of_nothing_is_one_number(dtype, least):
    shape = value("x", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [2, 0, 4])
    node = helper.make_node("ReduceMax", ["x", "a"], ["y"])
    inputs = [shape, value("a", TensorProto.INT64, [1])]
    result = value("y", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [2, 1, 4])
    made = replaced(model([node], inputs, [result], opset=20), {"ReduceMax": reduction_of_nothing(-math.inf)})
    assert operators(made) == ["Identity"]
    found = answers(made, [np.zeros((2, 0, 4), dtype), np.array([1], np.int64)])[0]
    np.testing.assert_array_equal(found, np.full((2, 1, 4), least, dtype))


def test_a_value_without_elements_is_a_constant():
    given, _ = node_model("Reshape", [np.zeros((0, 3), np.float32), np.array([3, 0], np.int64)], allowzero=1)
    assert operators(put(given, "Reshape")) == ["Identity"]
    given, _ = node_model("Reshape", [X, np.array([6], np.int64)])
    assert put(given, "Reshape") is None


@pytest.mark.parametrize(
    ("old", "new"), [("uint8", "int8"), ("int8", "uint8"), ("int32", "uint32"), ("uint16", "int16")]
)
def test_bits_of_integers(old, new):
    limits = np.iinfo(old)
    values = np.array([limits.min, 0, 1, limits.max], old)
    node = helper.make_node("BitCast", ["x"], ["y"], to=helper.np_dtype_to_tensor_dtype(np.dtype(new)))
    inputs = [value("x", helper.np_dtype_to_tensor_dtype(np.dtype(old)), [4])]
    given = model([node], inputs, [value("y", helper.np_dtype_to_tensor_dtype(np.dtype(new)), [4])], opset=26)
    made = put(given, "BitCast")
    made.opset_import[0].version = 20
    np.testing.assert_array_equal(answers(made, [values])[0], values.view(new))


def test_bits_of_floats_stay():
    node = helper.make_node("BitCast", ["x"], ["y"], to=TensorProto.INT32)
    given = model([node], [value("x", shape=[4])], [value("y", TensorProto.INT32, [4])], opset=26)
    assert put(given, "BitCast") is None


@pytest.mark.parametrize(("inputs", "there"), [(["x"], True), ([""], False), ([], False)])
def test_what_is_fed_as_a_tensor_is_there(inputs, there):
    node = helper.make_node("OptionalHasElement", inputs, ["y"])
    given = model([node], [value("x", shape=[4])], [value("y", TensorProto.BOOL, [])], opset=18)
    made = put(given, "OptionalHasElement")
    assert answers(made, [np.zeros(4, np.float32)])[0].item() is there


def test_the_element_of_a_tensor_is_the_tensor():
    node = helper.make_node("OptionalGetElement", ["x"], ["y"])
    made = put(model([node], [value("x", shape=[4])], [value("y", shape=[4])], opset=18), "OptionalGetElement")
    assert operators(made) == ["Identity"]


IMAGE = np.random.default_rng(1).standard_normal((1, 2, 4, 5)).astype(np.float32)
KERNEL = np.random.default_rng(2).standard_normal((2, 3, 3, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "given",
    [
        {"output_shape": [10, 12], "strides": [2, 2], "auto_pad": "VALID"},
        {"output_shape": [8, 10], "strides": [2, 2]},
        {"output_shape": [8, 9], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"output_shape": [8, 9], "strides": [2, 2], "auto_pad": "SAME_LOWER", "dilations": [1, 2]},
        {"strides": [2, 3], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 3], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "auto_pad": "VALID", "output_padding": [1, 0]},
    ],
    ids=str,
)
def test_the_size_of_a_transposed_convolution_is_said_by_paddings(given):
    model, arrays = node_model("ConvTranspose", [IMAGE, KERNEL], constants=(1,), **given)
    made = replaced(model, {"ConvTranspose": DECOMPOSITIONS["ConvTranspose"].decomposer})
    assert not {"output_shape", "auto_pad"} & {one.name for one in made.graph.node[0].attribute}
    np.testing.assert_array_equal(answers(made, arrays)[0], answers(model, arrays)[0])


@pytest.mark.parametrize("given", [{}, {"output_shape": [99, 99], "strides": [2, 2]}], ids=["plain", "too large"])
def test_a_transposed_convolution_that_says_no_size_stays(given):
    node = helper.make_node("ConvTranspose", ["in0", "w"], ["y"], **given)
    values = [typed("in0", IMAGE)], [helper.make_tensor_value_info("y", 1, None)]
    made = model([node], *values, [numpy_helper.from_array(KERNEL, "w")])
    assert replaced(made, {"ConvTranspose": DECOMPOSITIONS["ConvTranspose"].decomposer}) is None
