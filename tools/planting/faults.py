"""The faults that a node can have: what a wrong translation makes of it. Pure: takes and returns protobuf messages.

A fault leaves all shapes as they are in most cases; what does not is sorted out by running the changed node.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Kind(StrEnum):
    """What a translation gets wrong."""

    AXIS = "wrong axis"
    OPERANDS = "swapped operands"
    EPSILON = "epsilon"
    BIAS = "dropped bias"
    OFF_BY_ONE = "off by one"
    CONSTANT = "constant 1 % off"


_OPERANDS: Final = ("Sub", "Div", "Pow", "Less", "Greater", "MatMul", "PRelu")
_LISTS: Final = ("starts", "pads", "axes", "kernel_shape", "dilations")
_FACTOR: Final = 1.01


def faults_of(model: onnx.ModelProto, place: int) -> Iterator[tuple[Kind, onnx.ModelProto]]:
    """Yield a model with one fault in one of its nodes, for each kind that the node can have."""
    for kind, plant in _PLANTS.items():
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        if plant(changed, changed.graph.node[place]):
            yield kind, changed


def planted(model: onnx.ModelProto, place: int, kind: Kind) -> bool:
    """Plant a fault in a node of a model; return whether the node can have it."""
    return _PLANTS[kind](model, model.graph.node[place])


def _axis(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    for attribute in node.attribute:
        if attribute.name == "axis":
            attribute.i = attribute.i - 1 if attribute.i not in (0, -1) else (1 if attribute.i == 0 else -2)
            return True
        if attribute.name == "perm" and len(attribute.ints) > 1:
            attribute.ints[-2:] = reversed(attribute.ints[-2:])
            return True
    if node.op_type in ("Softmax", "LogSoftmax"):
        node.attribute.append(helper.make_attribute("axis", -2))
        return True
    return False


def _swapped(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    if node.op_type == "Where":
        node.input[1], node.input[2] = node.input[2], node.input[1]
        return True
    if node.op_type not in _OPERANDS:
        return False
    node.input[0], node.input[1] = node.input[1], node.input[0]
    return True


def _epsilon(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    if node.op_type not in ("BatchNormalization", "InstanceNormalization", "LayerNormalization"):
        return False
    known = next((one for one in node.attribute if one.name == "epsilon"), None)
    if known is None:
        node.attribute.append(helper.make_attribute("epsilon", 1e-4))
    else:
        known.f *= 10
    return True


def _bias(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    if node.op_type in ("Conv", "ConvTranspose", "Gemm") and len(node.input) > 2:
        return _weight(model, node, 2, lambda value: value * 0)
    # After MatMul the bias is an operand of Add.
    weights = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    place = next((place for place, name in enumerate(node.input) if weights.get(name, 9) <= 1), None)
    return node.op_type == "Add" and place is not None and _weight(model, node, place, lambda value: value * 0)


def _off_by_one(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    for attribute in node.attribute:
        if attribute.name == "auto_pad" and attribute.s in (b"SAME_UPPER", b"SAME_LOWER"):
            attribute.s = b"SAME_LOWER" if attribute.s == b"SAME_UPPER" else b"SAME_UPPER"
            return True
        if attribute.name == "pads" and any(attribute.ints):
            pads = list(attribute.ints)
            half = len(pads) // 2
            place = next(place for place, size in enumerate(pads) if size)
            pads[place] -= 1
            pads[(place + half) % len(pads)] += 1
            attribute.ints[:] = pads
            return True
        if attribute.name == "count_include_pad":
            attribute.i = 1 - attribute.i
            return True
    if node.op_type == "LSTM":
        return _weight(model, node, 1, lambda value: np.roll(value, 1, axis=1))
    if node.op_type == "Gather":
        return _weight(model, node, 1, lambda value: np.where(value > 0, value - 1, value + 1))
    if node.op_type == "Slice" and len(node.input) > 2:
        both = [
            _weight(model, node, place, lambda value: np.where(value < 1 << 30, value - 1, value)) for place in (1, 2)
        ]
        return any(both)
    return False


def _constant(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    for attribute in node.attribute:
        if attribute.name in ("alpha", "beta") and attribute.f:
            attribute.f *= _FACTOR
            return True
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for place, name in enumerate(node.input):
        if name in weights and weights[name].data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
            return _weight(model, node, place, lambda value: value * value.dtype.type(_FACTOR))
    return False


def _weight(
    model: onnx.ModelProto, node: onnx.NodeProto, place: int, change: Callable[[np.ndarray], np.ndarray]
) -> bool:
    """Give a node a changed copy of one of its weights; other nodes keep theirs."""
    tensor = next((one for one in model.graph.initializer if one.name == node.input[place]), None)
    if tensor is None:
        return False
    value = numpy_helper.to_array(tensor)
    changed = np.asarray(change(value)).astype(value.dtype)
    if np.array_equal(changed, value):
        return False
    node.input[place] = f"planted{place}"
    model.graph.initializer.append(numpy_helper.from_array(changed, node.input[place]))
    return True


_PLANTS: Final[Mapping[Kind, Callable[[onnx.ModelProto, onnx.NodeProto], bool]]] = MappingProxyType(
    {
        Kind.AXIS: _axis,
        Kind.OPERANDS: _swapped,
        Kind.EPSILON: _epsilon,
        Kind.BIAS: _bias,
        Kind.OFF_BY_ONE: _off_by_one,
        Kind.CONSTANT: _constant,
    }
)
