"""The five models of docs/prepare.md that burn-onnx refuses, and what it says about each."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from handmade import model, value

REFUSALS = {
    "norm": ("RMSNormalization", "Unsupported ONNX operation(s): RMSNormalization"),
    "smooth": ("Resize", "antialias other than 0 is not supported"),
    "volume": ("MaxPool", "does not currently support 3D max pooling"),
    "mask": ("Compress", "Unsupported ONNX operation(s): Compress"),
    "local": ("mine.double", "model contains 1 custom op(s) with no covering inference hook"),
}
"""The operator and the message by model."""


def shaped(*shape):
    """Return an input of a shape."""
    return [value("x", shape=shape)]


def refused():
    """Return the models by name."""
    constant = {
        name: numpy_helper.from_array(array, name)
        for name, array in {
            "scale": np.ones(8, np.float32),
            "sizes": np.array([1, 1, 4, 4], np.int64),
            "mask": np.array([True, False, True]),
        }.items()
    }
    norm = helper.make_node("RMSNormalization", ["x", "scale"], ["y"])
    smooth = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", antialias=1)
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2, 2])
    mask = helper.make_node("Compress", ["x", "mask"], ["y"], axis=0)
    call = helper.make_node("double", ["x"], ["y"], domain="mine")
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    double = helper.make_function("mine", "double", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    return {
        "norm": model([norm], shaped(2, 8), [value("y", shape=[2, 8])], [constant["scale"]], opset=23),
        "smooth": model([smooth], shaped(1, 1, 8, 8), [value("y", shape=[1, 1, 4, 4])], [constant["sizes"]]),
        "volume": model([pool], shaped(1, 1, 3, 3, 3), [value("y", shape=[1, 1, 2, 2, 2])]),
        "mask": model([mask], shaped(3, 2), [value("y", shape=[None, 2])], [constant["mask"]]),
        "local": model([call], shaped(2, 2), [value("y", TensorProto.FLOAT, [2, 2])], functions=[double]),
    }
