"""Inner graphs of If, Loop and Scan as parts of a flat graph. Takes and returns protobuf messages; runs nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from onnx.inliner import inline_local_functions

from burn_verify.core.case import TensorSpec
from burn_verify.graph.cut import Graph, inner_graphs
from burn_verify.graph.dtypes import dtype_name, elem_type_of

Array: TypeAlias = npt.NDArray[Any]

REPEATED: Final = ("Loop", "Scan")
_MIN_IR: Final = 10
_MAX_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The inner graph of a Loop or Scan, as a model of its own.

    Attributes:
        takes: by input, the name of the value outside that it is in the first iteration, or that value.
        slices: the inputs that are the slice of the value at an index of an axis.
    """

    model: onnx.ModelProto
    takes: Mapping[str, "str | Array"]
    slices: Mapping[str, tuple[int, int]]

    def first(self, name: str, value: Array) -> Array:
        """Return what an input is in the first iteration, from the value outside."""
        if name not in self.slices:
            return value
        axis, index = self.slices[name]
        return np.asarray(np.take(value, index, axis=axis))


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model without local functions, whose nodes all have a name: that in the file, or operator and place."""
    if model.functions and model.ByteSize() < _MAX_BYTES:
        model = inline_local_functions(model)
    found = onnx.ModelProto()
    found.CopyFrom(model)
    for place, node in enumerate(found.graph.node):
        node.name = node.name or f"{node.op_type}#{place + 1}"
    return found


def conditions(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the conditions of the Ifs of a graph, without those of inner graphs."""
    return tuple(dict.fromkeys(node.input[0] for node in model.graph.node if node.op_type == "If" and not node.domain))


def inlined(model: onnx.ModelProto, known: Mapping[str, bool]) -> onnx.ModelProto:
    """Return a model with the nodes of the chosen branch in place of each If.

    Arguments:
        known: conditions by name; an If without one stays.
    """
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    for node in model.graph.node:
        if node.op_type != "If" or node.domain or node.input[0] not in known:
            found.graph.node.append(node)
            continue
        word = "then_branch" if known[node.input[0]] else "else_branch"
        nodes, weights = _branch(node, word)
        found.graph.node.extend(nodes)
        found.graph.initializer.extend(weights)
    return found


def body_of(graph: Graph, place: int) -> Body | None:
    """Return the inner graph of a Loop or Scan with its first iteration; None where it has none that is known."""
    node = graph.nodes[place]
    inner = next((one.g for one in node.attribute if one.name == "body"), None)
    if node.op_type not in REPEATED or node.domain or inner is None:
        return None
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    del model.graph.node[:], model.graph.initializer[:], model.graph.sparse_initializer[:], model.graph.value_info[:]
    del model.graph.input[:], model.graph.output[:]
    own, takes, slices = model.graph, _takes(node, inner), _slices(node, inner)
    own.name = f"{node.name}/body"
    own.input.extend(inner.input)
    own.output.extend(inner.output)
    own.value_info.extend(inner.value_info)
    captured = [name for name in graph.reads[place] if name not in node.input or _reads_directly(inner, name)]
    for name in captured:
        if name in graph.weights:
            own.initializer.extend(one for one in graph.model.graph.initializer if one.name == name)
            own.node.extend(one for one in graph.model.graph.node if one.op_type == "Constant" and name in one.output)
        elif name in graph.types:
            own.input.append(graph.types[name])
            takes[name] = name
        else:
            return None
    own.initializer.extend(inner.initializer)
    for inside, one in enumerate(inner.node):
        copied = own.node.add()
        copied.CopyFrom(one)
        copied.name = f"{node.name}/body/{one.name or f'{one.op_type}#{inside + 1}'}"
    return Body(model=model, takes=takes, slices=slices)


def with_shapes(model: onnx.ModelProto, specs: Mapping[str, TensorSpec]) -> onnx.ModelProto:
    """Return a model whose inputs have these dtypes and shapes."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    typed = [
        helper.make_tensor_value_info(value.name, elem_type_of(spec.dtype), list(spec.shape))
        if (spec := specs.get(value.name))
        else value
        for value in model.graph.input
    ]
    del found.graph.input[:]
    found.graph.input.extend(typed)
    return found


def spec_of(name: str, value: Array) -> TensorSpec:
    """Return name, dtype and shape of an array."""
    return TensorSpec(name=name, dtype=dtype_name(value.dtype), shape=value.shape)


def _branch(node: onnx.NodeProto, word: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes and weights of a branch, under names that no other branch has."""
    branch = next(attribute.g for attribute in node.attribute if attribute.name == word)
    prefix = f"{node.name}/{word}/"
    inner = {name for one in branch.node for name in one.output if name} | {one.name for one in branch.initializer}
    names = {name: prefix + name for name in inner}
    copies = []
    computed = {name for one in branch.node for name in one.output}
    for value, outer in zip(branch.output, node.output, strict=True):
        if value.name in computed and names[value.name] == prefix + value.name:
            names[value.name] = outer
        elif outer:
            copies.append((value.name, outer))
    nodes = []
    for place, one in enumerate(branch.node):
        copied = onnx.NodeProto()
        copied.CopyFrom(one)
        copied.name = prefix + (one.name or f"{one.op_type}#{place + 1}")
        _renamed(copied, names)
        nodes.append(copied)
    nodes += [
        helper.make_node("Identity", [names.get(name, name)], [outer], f"{prefix}{outer}") for name, outer in copies
    ]
    weights = []
    for tensor in branch.initializer:
        copied_tensor = onnx.TensorProto()
        copied_tensor.CopyFrom(tensor)
        copied_tensor.name = names[tensor.name]
        weights.append(copied_tensor)
    return nodes, weights


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    node.input[:] = [names.get(name, name) for name in node.input]
    node.output[:] = [names.get(name, name) for name in node.output]
    for inner in inner_graphs(node):
        for one in inner.node:
            _renamed(one, names)
        for value in inner.output:
            value.name = names.get(value.name, value.name)


def _takes(node: onnx.NodeProto, inner: onnx.GraphProto) -> "dict[str, str | Array]":
    """Return what the inputs of a body are in the first iteration."""
    if node.op_type == "Scan":
        return dict(zip((value.name for value in inner.input), node.input, strict=True))
    counters: Sequence[str | Array] = [np.array(0, np.int64), np.array(True)]
    return dict(zip((value.name for value in inner.input), [*counters, *node.input[2:]], strict=True))


def _slices(node: onnx.NodeProto, inner: onnx.GraphProto) -> dict[str, tuple[int, int]]:
    """Return axis and index of the first slice, by scanned input."""
    if node.op_type != "Scan":
        return {}
    said = {
        one.name: helper.get_attribute_value(one) for one in node.attribute if one.name.startswith(("scan_", "num"))
    }
    scanned = [value.name for value in inner.input][len(inner.input) - said["num_scan_inputs"] :]
    axes = said.get("scan_input_axes") or [0] * len(scanned)
    backwards = said.get("scan_input_directions") or [0] * len(scanned)
    return {name: (axis, -1 if back else 0) for name, axis, back in zip(scanned, axes, backwards, strict=True)}


def _reads_directly(inner: onnx.GraphProto, name: str) -> bool:
    """Return whether an inner graph takes a value from outside by its name."""
    return name in set(_names(inner)) and name not in {value.name for value in inner.input}


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield from node.input
        for inner in inner_graphs(node):
            yield from _names(inner)
