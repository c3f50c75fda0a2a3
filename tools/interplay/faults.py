"""Faults of the interplay of nodes: what a simplifier or a code generator may do wrongly to a graph of several nodes.

Each takes a model and returns one with the fault at the first place where it fits; None where there is none. No fault
changes what a node computes of right operands: graphs of one operator show none of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from onnx import numpy_helper

_SAME_TWICE: Final = frozenset({"Relu", "Ceil", "Floor", "Round", "Sign", "Abs", "Identity"})
"""Operators that change nothing the second time."""
_NEUTRAL: Final = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0, "Pow": 1.0}
_NEARLY: Final = 0.01
_ASYMMETRIC: Final = frozenset(
    {"Sub", "Div", "Pow", "Less", "Greater", "MatMul", "PRelu", "LessOrEqual", "GreaterOrEqual"}
)

TRACED: Final = "sizes of a shape are taken for constants"

Fault = Callable[[onnx.ModelProto], onnx.ModelProto | None]


def planted(name: str, model: onnx.ModelProto, sizes: Mapping[str, int]) -> onnx.ModelProto | None:
    """Return a copy of a model with a fault of `FAULTS`; None where there is no place for it.

    Arguments:
        sizes: the first size of each symbolic dimension, by name.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return _traced(copy, sizes) if name == TRACED else FAULTS[name](copy)


def _constants(model: onnx.ModelProto) -> dict[str, Any]:
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _redirect(model: onnx.ModelProto, old: str, new: str) -> onnx.ModelProto | None:
    """Let every taker of a value take another; an output of the graph is made by an Identity then."""
    changed = False
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new
                changed = True
    for output in model.graph.output:
        if output.name == old:
            for node in model.graph.node:
                for place, name in enumerate(node.output):
                    if name == old:
                        node.output[place] = f"{old}_before"
            model.graph.node.append(onnx.helper.make_node("Identity", [new], [old]))
            changed = True
    return model if changed else None


def _pairs(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """Yield each node that makes a value with one that takes it first."""
    makers = {name: node for node in model.graph.node for name in node.output if name}
    for node in model.graph.node:
        if node.input and node.input[0] in makers:
            yield makers[node.input[0]], node


def _attributes(node: onnx.NodeProto) -> dict[str, bytes]:
    return {one.name: one.SerializeToString() for one in node.attribute}


def _merged(model: onnx.ModelProto) -> onnx.ModelProto | None:
    seen: dict[tuple[str, tuple[str, ...]], onnx.NodeProto] = {}
    for node in model.graph.node:
        before = seen.setdefault((node.op_type, tuple(node.input)), node)
        if before is not node and _attributes(before) != _attributes(node):
            return _redirect(model, node.output[0], before.output[0])
    return None


def _once(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for maker, taker in _pairs(model):
        if maker.op_type == taker.op_type and len(taker.input) == 1 and taker.op_type not in _SAME_TWICE:
            return _redirect(model, taker.output[0], maker.output[0])
    return None


def _neutral(model: onnx.ModelProto) -> onnx.ModelProto | None:
    known = _constants(model)
    for node in model.graph.node:
        if node.op_type in _NEUTRAL and len(node.input) == 2 and node.input[1] in known:
            value = known[node.input[1]]
            if value.dtype.kind not in "fi" or not value.size:
                continue
            apart = np.abs(value - _NEUTRAL[node.op_type]).max()
            shaped = value.ndim > 1 or value.size > 1
            if 0 < apart <= _NEARLY or (apart == 0 and shaped):
                return _redirect(model, node.output[0], node.input[0])
    return None


def _branches(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for node in model.graph.node:
        if node.op_type == "If":
            for attribute in node.attribute:
                attribute.name = "else_branch" if attribute.name == "then_branch" else "then_branch"
            # A branch that is missing cannot be: both names were there.
            return model
    return None


def _trips(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for node in model.graph.node:
        if node.op_type == "Loop":
            for tensor in model.graph.initializer:
                if tensor.name == node.input[0]:
                    count = numpy_helper.to_array(tensor) - 1
                    tensor.CopyFrom(numpy_helper.from_array(np.asarray(count), tensor.name))
                    return model
    return None


def _exchanged(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for node in model.graph.node:
        if node.op_type in _ASYMMETRIC and len(node.input) == 2 and node.input[0] != node.input[1]:
            node.input[0], node.input[1] = node.input[1], node.input[0]
            return model
    return None


def _skipped(model: onnx.ModelProto) -> onnx.ModelProto | None:
    takers = Counter(name for node in model.graph.node for name in node.input)
    for _, node in _pairs(model):
        if takers[node.input[0]] > 1 and len(node.input) == 1 and node.op_type not in ("Identity", "Shape", "Size"):
            return _redirect(model, node.output[0], node.input[0])
    return None


def _shared(model: onnx.ModelProto) -> onnx.ModelProto | None:
    takers = Counter(name for node in model.graph.node for name in node.input)
    for tensor in list(model.graph.initializer):
        if takers[tensor.name] > 1:
            value = numpy_helper.to_array(tensor)
            model.graph.initializer.append(numpy_helper.from_array(np.zeros_like(value), f"{tensor.name}_lost"))
            *_, last = (node for node in model.graph.node if tensor.name in node.input)
            last.input[:] = [f"{name}_lost" if name == tensor.name else name for name in last.input]
            return model
    return None


def _order(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for node in model.graph.node:
        if node.op_type == "Concat" and len(set(node.input)) > 1:
            node.input[:] = list(node.input)[::-1]
            return model
    return None


def _scale(model: onnx.ModelProto) -> onnx.ModelProto | None:
    for maker, taker in _pairs(model):
        if (
            taker.op_type in ("Softmax", "MatMul")
            and maker.op_type in ("Mul", "Div")
            and taker.input[0] == maker.output[0]
        ):
            return _redirect(model, maker.output[0], maker.input[0])
    return None


def _traced(model: onnx.ModelProto, first: Mapping[str, int] = MappingProxyType({})) -> onnx.ModelProto | None:
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {info.name: info for info in (*inferred.graph.value_info, *inferred.graph.input)}
    for node in model.graph.node:
        if node.op_type == "Shape" and not node.attribute and node.input[0] in shapes:
            dims = shapes[node.input[0]].type.tensor_type.shape.dim
            sizes = [dim.dim_value or first.get(dim.dim_param, 0) for dim in dims]
            if any(dim.dim_param for dim in dims) and all(sizes):
                name = f"{node.output[0]}_traced"
                model.graph.initializer.append(numpy_helper.from_array(np.asarray(sizes, dtype=np.int64), name))
                return _redirect(model, node.output[0], name)
    return None


def _permuted(model: onnx.ModelProto) -> onnx.ModelProto | None:
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    infos = (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
    ranks = {info.name: len(info.type.tensor_type.shape.dim) for info in infos}
    for node in model.graph.node:
        rank = ranks.get(node.input[0], 0) if node.op_type == "Reshape" else 0
        if rank > 1 and rank == ranks.get(node.output[0]):
            order = [*range(1, rank), 0]
            node.CopyFrom(onnx.helper.make_node("Transpose", [node.input[0]], list(node.output), perm=order))
            return model
    return None


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "equal nodes merged although an attribute differs": _merged,
        "an operator applied twice is applied once": _once,
        "an operand that changes a little, or the shape, is dropped": _neutral,
        "the branches of an If exchanged": _branches,
        "a Loop ends one trip early": _trips,
        "operands of a node exchanged": _exchanged,
        "a node after a value that others take is skipped": _skipped,
        "a constant that two nodes read is lost for the second": _shared,
        "parts of a Concat in another order": _order,
        "the factor before a MatMul or Softmax is forgotten": _scale,
        TRACED: _traced,
        "a Reshape becomes a Transpose": _permuted,
    }
)
"""The faults by what they do."""
