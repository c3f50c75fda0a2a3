"""Quantised operators by arithmetic answer the same."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import node_model, operators, put_differently

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 4)).astype(np.float32)
U = RANDOM.integers(0, 256, (2, 4)).astype(np.uint8)
# ONNX Runtime saturates sums of two products of 8 bits on processors without VNNI.
W = RANDOM.integers(-60, 60, (4, 3)).astype(np.int8)
SCALE, ZERO = np.array(0.02, np.float32), np.array(3, np.uint8)


def test_a_scale_of_rank_0():
    put_differently("QuantizeLinear", [X, SCALE, ZERO])
    put_differently("DequantizeLinear", [U, SCALE, ZERO])


def test_a_scale_for_each_channel():
    scales, zeros = np.array([0.1, 0.2, 0.3, 0.4], np.float32), np.array([0, 1, 2, 3], np.uint8)
    put_differently("QuantizeLinear", [X, scales, zeros], axis=1)
    put_differently("DequantizeLinear", [U, scales, zeros], axis=1)


def test_a_scale_for_each_block():
    scales, zeros = RANDOM.uniform(0.1, 1, (2, 2)).astype(np.float32), np.array([[1, 2], [3, 4]], np.uint8)
    put_differently("DequantizeLinear", [U, scales, zeros], axis=1, block_size=2, opset=21)


def test_no_zero_point():
    put_differently("QuantizeLinear", [X, SCALE])
    put_differently("DequantizeLinear", [U, SCALE])


def test_narrow_floats_stay():
    zero = np.zeros((), onnx.helper.tensor_dtype_to_np_dtype(TensorProto.FLOAT8E4M3FN))
    model, _ = node_model("QuantizeLinear", [X, SCALE, zero], constants=(1, 2))
    assert replaced(model, {"QuantizeLinear": DECOMPOSITIONS["QuantizeLinear"].decomposer}) is None


def test_products_of_integers():
    put_differently("MatMulInteger", [U, W, ZERO, np.array(-2, np.int8)])
    image, weights = U.reshape(1, 1, 2, 4), W[:2, :2].reshape(1, 1, 2, 2)
    put_differently("ConvInteger", [image, weights.astype(np.uint8), ZERO], pads=[1, 1, 1, 1])


@pytest.mark.parametrize("zero", [0, -2])
def test_no_constant_of_8_bits_of_rank_0_is_left(zero):
    made = put_differently("MatMulInteger", [U, W, ZERO, np.array(zero, np.int8)], constants=(1, 2, 3))
    assert [one for one in made.graph.initializer if not one.dims] == []
    assert (zero == 0) == (operators(made).count("Sub") == 1)


def test_a_quantised_product():
    one, zero = np.array(0.05, np.float32), np.array(2, np.int8)
    put_differently("QLinearMatMul", [U, SCALE, ZERO, W, one, zero, np.array(0.1, np.float32), np.array(9, np.uint8)])


def test_a_scale_and_a_zero_point_for_each_column():
    scales, zeros = np.array([0.05, 0.02, 0.1], np.float32), np.array([2, -1, 0], np.int8)
    result = [np.array(0.1, np.float32), np.array(9, np.uint8)]
    put_differently("QLinearMatMul", [U, SCALE, ZERO, W, scales, zeros, *result])
    put_differently("MatMulInteger", [U, W, ZERO, zeros])


def test_scales_for_each_row_stay():
    result = [np.array(0.1, np.float32), np.array(9, np.uint8)]
    model, _ = node_model("QLinearMatMul", [U, SCALE, ZERO, W, SCALE, np.array(0, np.int8), *result])
    model.graph.input[1].type.tensor_type.shape.dim.add(dim_value=2)
    assert replaced(model, {"QLinearMatMul": DECOMPOSITIONS["QLinearMatMul"].decomposer}) is None


@pytest.mark.parametrize("bias", [None, np.array([100], np.int32)], ids=["no bias", "bias"])
def test_a_quantised_convolution(bias):
    image, weights = U.reshape(1, 1, 2, 4), U[:1].reshape(1, 1, 2, 2)
    scales = [SCALE, ZERO, weights, np.array([0.03], np.float32), np.array([4], np.uint8), np.array(0.9, np.float32)]
    put_differently("QLinearConv", [image, *scales, np.array(7, np.uint8), *([] if bias is None else [bias])])


MICROSOFT = {"domain": "com.microsoft"}


@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
def test_quantised_elements(op_type):
    other = [U[::-1].copy(), np.array(0.05, np.float32), np.array(1, np.uint8)]
    put_differently(op_type, [U, SCALE, ZERO, *other, np.array(0.06, np.float32), ZERO], **MICROSOFT)


@pytest.mark.parametrize(("op_type", "given"), [("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2})])
def test_a_quantised_function(op_type, given):
    result = [np.array(0.06, np.float32), ZERO]
    put_differently(op_type, [U, SCALE, ZERO, *result], constants=(1, 2, 3, 4), **MICROSOFT, **given)


@pytest.mark.parametrize("last", [0, 1])
def test_a_quantised_mean(last):
    image = RANDOM.integers(0, 256, (1, 2, 3, 3)).astype(np.uint8)
    inputs = [image, SCALE, ZERO, SCALE, ZERO]
    put_differently("QLinearGlobalAveragePool", inputs, channels_last=last, **MICROSOFT)


def test_a_quantised_concatenation():
    inputs = [SCALE, ZERO, U, SCALE, ZERO, U, np.array(0.04, np.float32), ZERO]
    put_differently("QLinearConcat", inputs, axis=1, constants=(0, 1, 3, 4, 6, 7), **MICROSOFT)
