"""A small network that can be quantised, and samples for it."""

import numpy as np
from onnx import helper, numpy_helper

from handmade import model, value


def network():
    """Return a model of a Conv, a Relu and a Gemm: ``x`` float32 [batch, 1, 4, 4] to ``y`` float32 [batch, 3]."""
    rng = np.random.default_rng(0)
    arrays = {
        "filters": rng.normal(size=(2, 1, 3, 3)),
        "bias": rng.normal(size=2),
        "weights": rng.normal(size=(3, 32)),
        "offsets": rng.normal(size=3),
    }
    nodes = [
        helper.make_node("Conv", ["x", "filters", "bias"], ["c"], "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("Flatten", ["r"], ["f"], "flat"),
        helper.make_node("Gemm", ["f", "weights", "offsets"], ["y"], "gemm", transB=1),
    ]
    tensors = [numpy_helper.from_array(array.astype("f4"), name) for name, array in arrays.items()]
    return model(nodes, [value("x", shape=["batch", 1, 4, 4])], [value("y", shape=["batch", 3])], tensors, opset=21)


def samples(count=10):
    """Return float32 samples [count, 1, 4, 4]."""
    return np.random.default_rng(1).normal(size=(count, 1, 4, 4)).astype("f4")
