"""Three architectures written out node by node, with random weights.

Their graphs follow the zoo's ``mnist-12``, ``resnet18-v1-7`` and ``mobilenetv2-12``; the weights do not.
"""

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases.seeded.draw import Array, Role, parameter

_OPSET = 17
_IR_VERSION = 8
_CLASSES = 1000


class _Value(NamedTuple):
    """An activation: its name and number of channels."""

    name: str
    channels: int


class _Graph:
    """Nodes and initializers of a graph under construction."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, op_type: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append a node with one output and return the name of the output."""
        name = f"{op_type}_{len(self.nodes)}"
        output = output or f"{name}_output"
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=name, **attributes))
        return output

    def constant(self, name: str, values: Array | list[int]) -> str:
        """Store an initializer and return its name; a list becomes int64."""
        array = np.asarray(values, np.int64) if isinstance(values, list) else values
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def draw(self, role: Role, *shape: int, gain: float = 2.0) -> str:
        """Store a random parameter and return its name."""
        return self.constant(f"{role.name.lower()}_{len(self.initializers)}", parameter(self.rng, role, shape, gain))

    def model(self, name: str, inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> onnx.ModelProto:
        """Return the model, checked."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
            self.initializers,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="burn-verify",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def mnist(rng: np.random.Generator) -> onnx.ModelProto:
    """Return the digit classifier: two convolutions and a matrix product; float32 [1, 1, 28, 28] to [1, 10]."""
    graph = _Graph(rng)
    name = "Input3"
    for channels_in, channels, pool in ((1, 8, 2), (8, 16, 3)):
        weight = graph.draw(Role.CONV, channels, channels_in, 5, 5)
        name = graph.node("Conv", name, weight, auto_pad="SAME_UPPER", kernel_shape=[5, 5], strides=[1, 1])
        name = graph.node("Add", name, graph.draw(Role.SHIFT, channels, 1, 1))
        name = graph.node("Relu", name)
        name = graph.node("MaxPool", name, kernel_shape=[pool, pool], strides=[pool, pool], pads=[0, 0, 0, 0])
    features = graph.node("Reshape", name, graph.constant("features_shape", [1, 256]))
    stored = graph.constant("dense", parameter(rng, Role.DENSE, (10, 256), 1.0).T.reshape(16, 4, 4, 10))
    dense = graph.node("Reshape", stored, graph.constant("dense_shape", [256, 10]))
    product = graph.node("MatMul", features, dense)
    graph.node("Add", product, graph.draw(Role.SHIFT, 1, 10), output="Plus214_Output_0")
    return graph.model("mnist", {"Input3": [1, 1, 28, 28]}, {"Plus214_Output_0": [1, 10]})


def resnet18(rng: np.random.Generator) -> onnx.ModelProto:
    """Return ResNet-18 v1: He et al., "Deep Residual Learning" (2015); float32 [1, 3, 224, 224] to [1, 1000]."""
    graph = _Graph(rng)
    value = _conv_norm(graph, _Value("data", 3), 64, kernel=7, stride=2)
    name = graph.node("Relu", value.name)
    name = graph.node("MaxPool", name, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    value = _Value(name, 64)
    for stage, channels in enumerate((64, 128, 256, 512)):
        value = _basic_block(graph, value, channels, stride=1 if stage == 0 else 2)
        value = _basic_block(graph, value, channels, stride=1)
    name = graph.node("GlobalAveragePool", value.name)
    name = graph.node("Flatten", name)
    _dense(graph, _Value(name, value.channels), "scores")
    return graph.model("resnet18", {"data": [1, 3, 224, 224]}, {"scores": [1, _CLASSES]})


def _basic_block(graph: _Graph, value: _Value, channels: int, *, stride: int) -> _Value:
    """Append two 3x3 convolutions and the shortcut around them."""
    inner = _conv_norm(graph, value, channels, kernel=3, stride=stride)
    inner = _Value(graph.node("Relu", inner.name), channels)
    inner = _conv_norm(graph, inner, channels, kernel=3, scale=Role.RESIDUAL_SCALE)
    if stride != 1 or value.channels != channels:
        value = _conv_norm(graph, value, channels, kernel=1, stride=stride)
    total = graph.node("Add", inner.name, value.name)
    return _Value(graph.node("Relu", total), channels)


def _conv_norm(
    graph: _Graph, value: _Value, channels: int, *, kernel: int, stride: int = 1, scale: Role = Role.SCALE
) -> _Value:
    """Append a convolution without bias and the batch normalisation after it."""
    weight = graph.draw(Role.CONV, channels, value.channels, kernel, kernel)
    name = graph.node("Conv", value.name, weight, **_geometry(kernel, stride))
    norm = [graph.draw(role, channels) for role in (scale, Role.SHIFT, Role.SHIFT, Role.VARIANCE)]
    return _Value(graph.node("BatchNormalization", name, *norm, epsilon=1e-5), channels)


def mobilenetv2(rng: np.random.Generator) -> onnx.ModelProto:
    """Return MobileNetV2 1.0: Sandler et al. (2018), table 2; float32 [1, 3, 224, 224] to [1, 1000].

    As in the zoo's file, batch normalisation is folded into the convolutions.
    """
    graph = _Graph(rng)
    graph.constant("relu6_min", np.asarray(0.0, np.float32))
    graph.constant("relu6_max", np.asarray(6.0, np.float32))
    value = _conv_relu6(graph, _Value("input", 3), 32, kernel=3, stride=2)
    settings = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for expansion, channels, repeats, stride in settings:
        for index in range(repeats):
            value = _bottleneck(graph, value, channels, expansion=expansion, stride=1 if index else stride)
    value = _conv_relu6(graph, value, 1280, kernel=1)
    name = graph.node("GlobalAveragePool", value.name)
    name = graph.node("Reshape", name, graph.constant("features_shape", [1, 1280]))
    _dense(graph, _Value(name, 1280), "output")
    return graph.model("mobilenetv2", {"input": [1, 3, 224, 224]}, {"output": [1, _CLASSES]})


def _bottleneck(graph: _Graph, value: _Value, channels: int, *, expansion: int, stride: int) -> _Value:
    """Append an inverted residual: expand, filter each channel, project; add the input where shapes allow."""
    hidden = value.channels * expansion
    inner = value if expansion == 1 else _conv_relu6(graph, value, hidden, kernel=1)
    inner = _conv_relu6(graph, inner, hidden, kernel=3, stride=stride, group=hidden)
    residual = stride == 1 and value.channels == channels
    inner = _conv(graph, inner, channels, kernel=1, gain=0.2 if residual else 2.0)
    return _Value(graph.node("Add", value.name, inner.name), channels) if residual else inner


def _conv_relu6(graph: _Graph, value: _Value, channels: int, *, kernel: int, stride: int = 1, group: int = 1) -> _Value:
    """Append a convolution and a ReLU6."""
    value = _conv(graph, value, channels, kernel=kernel, stride=stride, group=group)
    return _Value(graph.node("Clip", value.name, "relu6_min", "relu6_max"), channels)


def _conv(
    graph: _Graph, value: _Value, channels: int, *, kernel: int, stride: int = 1, group: int = 1, gain: float = 2.0
) -> _Value:
    """Append a convolution with bias."""
    weight = graph.draw(Role.CONV, channels, value.channels // group, kernel, kernel, gain=gain)
    bias = graph.draw(Role.SHIFT, channels)
    return _Value(graph.node("Conv", value.name, weight, bias, group=group, **_geometry(kernel, stride)), channels)


def _geometry(kernel: int, stride: int) -> dict[str, Any]:
    """Return the attributes of a square kernel that keeps the size, up to the stride."""
    return {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}


def _dense(graph: _Graph, value: _Value, output: str) -> None:
    """Append the classifier."""
    weight = graph.draw(Role.DENSE, _CLASSES, value.channels, gain=1.0)
    graph.node("Gemm", value.name, weight, graph.draw(Role.SHIFT, _CLASSES), output=output, transB=1)
