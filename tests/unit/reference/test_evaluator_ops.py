"""Operators by whole arrays give what onnx's own evaluator gives, or what the standard says where that is wrong."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from burn_verify.reference import evaluator_ops

X = np.random.default_rng(0).normal(size=(2, 4, 7, 6))


def run(op_type, *arrays, **attributes):
    model, feeds = alone(op_type, *arrays, **attributes)
    return ReferenceEvaluator(model, new_ops=list(evaluator_ops.OPERATORS)).run(None, feeds)[0]


def both(op_type, *constants, **attributes):
    model, feeds = alone(op_type, X, *constants, **attributes)
    return run(op_type, X, *constants, **attributes), ReferenceEvaluator(model).run(None, feeds)[0]


def alone(op_type, *arrays, **attributes):
    names = [f"x{place}" for place in range(len(arrays))]
    node = helper.make_node(op_type, names, ["y"], **attributes)
    values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in names]
    graph = helper.make_graph([node], "g", values, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    return model, dict(zip(names, arrays, strict=True))


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 0, 2, 1]},
        {"strides": [2, 3]},
        {"dilations": [2, 1], "pads": [1, 1, 1, 1]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "VALID"},
    ],
)
def test_convolution(group, attributes):
    weights = np.random.default_rng(1).normal(size=(8, 4 // group, 3, 2))
    bias = np.arange(8.0)
    mine, theirs = both("Conv", weights, bias, group=group, **attributes)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 0, 1, 1], "strides": [2, 2]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"dilations": [2, 1]},
        {"ceil_mode": 1, "strides": [2, 2]},
    ],
)
def test_pooling(op_type, attributes):
    mine, theirs = both(op_type, kernel_shape=[3, 2], **attributes)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def test_padding_counts_where_the_model_says_so():
    mine, theirs = both("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    apart, _ = both("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    assert not np.allclose(mine, apart)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 0, 2, 1]},
        {"strides": [2, 3], "output_padding": [1, 1]},
        {"dilations": [2, 1], "pads": [1, 1, 1, 1]},
    ],
)
def test_transposed_convolution(attributes):
    weights = np.random.default_rng(1).normal(size=(4, 5, 3, 2))
    mine, theirs = both("ConvTranspose", weights, np.arange(5.0), **attributes)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def test_groups_of_a_transposed_convolution_are_convolutions_of_their_own():
    weights = np.random.default_rng(1).normal(size=(4, 3, 3, 2))
    mine = run("ConvTranspose", X, weights, group=2)
    parts = [run("ConvTranspose", X[:, half], weights[half]) for half in (slice(2), slice(2, 4))]
    np.testing.assert_allclose(mine, np.concatenate(parts, axis=1), rtol=1e-12)


def test_the_response_of_neighbouring_channels():
    mine = run("LRN", X, size=3, alpha=0.5, beta=0.75, bias=2.0)
    for channel in range(4):
        squares = (X[:, max(0, channel - 1) : channel + 2] ** 2).sum(axis=1)
        np.testing.assert_allclose(mine[:, channel], X[:, channel] / (2 + 0.5 / 3 * squares) ** 0.75, rtol=1e-6)
