"""Operators of ``com.microsoft`` by those of the standard answer as ONNX Runtime does."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import node_model, put_differently

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
BIAS, GAIN = RANDOM.standard_normal((2, 4)).astype(np.float32)
MICROSOFT = {"domain": "com.microsoft"}


@pytest.mark.parametrize("op_type", ["FastGelu", "Gelu", "QuickGelu"])
def test_an_activation(op_type):
    put_differently(op_type, [X], tolerance=1e-4, **MICROSOFT)


@pytest.mark.parametrize("op_type", ["FastGelu", "BiasGelu"])
def test_an_activation_with_a_bias(op_type):
    put_differently(op_type, [X, BIAS], tolerance=1e-4, **MICROSOFT)


@pytest.mark.parametrize("bias", [None, BIAS])
def test_a_sum_that_is_normalised(bias):
    more = [] if bias is None else [bias]
    put_differently("SkipLayerNormalization", [X, X[::-1].copy(), GAIN, BIAS, *more], epsilon=1e-5, **MICROSOFT)
    put_differently("SkipSimplifiedLayerNormalization", [X, X[::-1].copy(), GAIN, *more], epsilon=1e-5, **MICROSOFT)


@pytest.mark.parametrize("given", [{}, {"transA": 1}, {"transB": 1}, {"alpha": 0.5}], ids=str)
def test_a_product_of_transposed_operands(given):
    shapes = (2, 4, 3) if given.get("transA") else (2, 3, 4), (2, 5, 4) if given.get("transB") else (2, 4, 5)
    put_differently(
        "FusedMatMul", [RANDOM.standard_normal(one).astype(np.float32) for one in shapes], **MICROSOFT, **given
    )


def test_a_batch_that_is_transposed_stays():
    model, _ = node_model("FusedMatMul", [X, X], transBatchA=1, transB=1, transBatchB=1, **MICROSOFT)
    name = "com.microsoft.FusedMatMul"
    assert replaced(model, {name: DECOMPOSITIONS[name].decomposer}) is None


@pytest.mark.parametrize(
    "given", [{"activation": "Relu"}, {"activation": "LeakyRelu", "activation_params": [0.1]}], ids=str
)
def test_a_convolution_with_its_activation(given):
    image, weights = RANDOM.standard_normal((1, 2, 5, 5)), RANDOM.standard_normal((3, 2, 3, 3))
    inputs = [image.astype(np.float32), weights.astype(np.float32), np.float32([1, 2, 3])]
    put_differently("FusedConv", inputs, kernel_shape=[3, 3], **MICROSOFT, **given)


def test_a_matrix_product_with_its_activation():
    inputs = [X[0], RANDOM.standard_normal((4, 2)).astype(np.float32), np.float32([1, 2])]
    put_differently("FusedGemm", inputs, activation="Relu", **MICROSOFT)


def test_embeddings_that_are_normalised():
    ids = RANDOM.integers(0, 9, (2, 3)).astype(np.int32)
    tables = [RANDOM.standard_normal((size, 4)).astype(np.float32) for size in (9, 5, 2)]
    inputs = [ids, ids % 2, *tables, GAIN, BIAS]
    put_differently("EmbedLayerNormalization", inputs, epsilon=1e-5, outputs=2, **MICROSOFT)


def test_products_of_integers():
    left = RANDOM.integers(0, 200, (3, 4)).astype(np.uint8)
    right = RANDOM.integers(0, 100, (4, 2)).astype(np.uint8)
    scales = [np.array(0.1, np.float32), np.array(0.2, np.float32)]
    zeros = [np.array(3, np.uint8), np.array(7, np.uint8)]
    bias = np.float32([1, 2])
    put_differently("MatMulIntegerToFloat", [left, right, *scales, *zeros, bias], tolerance=1e-4, **MICROSOFT)
    inputs = [X[0], right, scales[0], zeros[0], bias]
    put_differently("DynamicQuantizeMatMul", inputs, tolerance=1e-4, **MICROSOFT)
