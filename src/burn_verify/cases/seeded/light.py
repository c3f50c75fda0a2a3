"""The light models of the onnx package, their constant weights replaced by random ones.

The package ships the graphs of nine zoo models with every large weight made by a ConstantOfShape. Here each of these,
and each small trained weight that is stored, becomes a random initializer; other nodes stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from burn_verify.cases.seeded.draw import Role, parameter

FILES: Mapping[str, str] = {
    "squeezenet": "light_squeezenet.onnx",
    "resnet50": "light_resnet50.onnx",
    "densenet121": "light_densenet121.onnx",
    "vgg19": "light_vgg19.onnx",
    "inception_v1": "light_inception_v1.onnx",
    "inception_v2": "light_inception_v2.onnx",
    "shufflenet": "light_shufflenet.onnx",
    "alexnet": "light_bvlc_alexnet.onnx",
    "zfnet512": "light_zfnet512.onnx",
}
"""File of each architecture, in the onnx package."""

_DENSE_GAINS: Mapping[str, float] = {"resnet50": 0.25, "inception_v1": 0.25, "shufflenet": 0.06}
"""Architectures with large features before the classifier: smaller weights there keep the softmax from saturating."""

_FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
_FILL = "ConstantOfShape"
_IR_VERSION = 8  # from 4 on, an initializer need not be an input as well

_ROLES: Mapping[tuple[str, int], Role] = {
    ("Conv", 1): Role.CONV,
    ("Gemm", 1): Role.DENSE,
    ("BatchNormalization", 1): Role.SCALE,
    ("BatchNormalization", 4): Role.VARIANCE,
    ("Mul", 1): Role.SCALE,
}
"""By operator and input slot; every other parameter is a shift."""


class _Use(NamedTuple):
    """One input slot of a node."""

    node: onnx.NodeProto
    slot: int


class _Flow(NamedTuple):
    """The producer and the consumers of each value, without the nodes that make constants."""

    producers: Mapping[str, onnx.NodeProto]
    uses: Mapping[str, Sequence[_Use]]


def reweight(architecture: str, rng: np.random.Generator) -> onnx.ModelProto:
    """Return the light model with random weights, drawn in the order of the graph."""
    model = onnx.load(_FOLDER / FILES[architecture])
    graph = model.graph
    flow = _flow(graph)
    shapes = {name: shape for name, shape in _parameters(graph) if name in flow.uses}
    gains = {Role.DENSE: _DENSE_GAINS.get(architecture, 1.0)}
    weights = []
    for name, shape in shapes.items():
        role = _role(name, flow)
        weights.append(numpy_helper.from_array(parameter(rng, role, shape, gains.get(role, 2.0)), name))
    kept = [tensor for tensor in graph.initializer if tensor.name in flow.uses and tensor.name not in shapes]
    stored = {tensor.name for tensor in (*kept, *weights)}
    _replace(graph.node, [node for node in graph.node if node.op_type != _FILL])
    _replace(graph.initializer, [*kept, *weights])
    _replace(graph.input, [value for value in graph.input if value.name in flow.uses and value.name not in stored])
    model.ir_version = _IR_VERSION
    model.producer_name = "burn-verify"
    return model


def _flow(graph: onnx.GraphProto) -> _Flow:
    """Index the graph."""
    nodes = [node for node in graph.node if node.op_type != _FILL]
    uses: dict[str, list[_Use]] = {}
    for node in nodes:
        for slot, name in enumerate(node.input):
            uses.setdefault(name, []).append(_Use(node, slot))
    return _Flow({name: node for node in nodes for name in node.output}, uses)


def _parameters(graph: onnx.GraphProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of each weight: stored ones first, then constant fills."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for name, tensor in stored.items():
        if tensor.data_type == onnx.TensorProto.FLOAT:
            yield name, tuple(tensor.dims)
    for node in graph.node:
        if node.op_type == _FILL:
            shape = numpy_helper.to_array(stored[node.input[0]])
            yield node.output[0], tuple(int(size) for size in shape)


def _role(name: str, flow: _Flow) -> Role:
    """Return the role of a weight from the node that consumes it, through nodes that change its shape."""
    node, slot = flow.uses[name][0]
    if node.op_type in ("Reshape", "Unsqueeze"):
        return _role(node.output[0], flow)
    role = _ROLES.get((node.op_type, slot), Role.SHIFT)
    return Role.RESIDUAL_SCALE if role is Role.SCALE and _ends_residual(node, flow) else role


def _ends_residual(norm: onnx.NodeProto, flow: _Flow) -> bool:
    """Return whether a normalisation ends a residual branch.

    Its result is added to a shortcut. The convolution of a shortcut differs in that the branch reads its input, too.
    """
    if all(use.node.op_type != "Sum" for use in flow.uses[norm.output[0]]):
        return False
    convolution = flow.producers[norm.input[0]]
    return len(flow.uses[convolution.input[0]]) == 1


def _replace(field: Any, values: list[Any]) -> None:
    """Set a repeated field of a protobuf message."""
    del field[:]
    field.extend(values)
