"""Copies of nodes and inner graphs under other names, so that they can stand in another graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx

from burn_verify.prepare.body import Names
from burn_verify.prepare.prune import copy_of, set_nodes

Attributes = Mapping[str, onnx.AttributeProto]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The contents of an inner graph as a part of another graph.

    Attributes:
        outputs: the names that the outputs of the inner graph have now.
    """

    nodes: tuple[onnx.NodeProto, ...]
    tensors: tuple[onnx.TensorProto, ...]
    outputs: tuple[str, ...]


def instance(graph: onnx.GraphProto, given: Sequence[str], names: Names) -> Instance:
    """Return the contents of an inner graph for these inputs, all other names new."""
    renamed = dict(zip((value.name for value in graph.input), given, strict=False))
    tensors = []
    for tensor in graph.initializer:
        if tensor.name not in renamed:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.name = renamed[tensor.name] = names.new(tensor.name)
            tensors.append(copy)
    for node in graph.node:
        renamed.update((name, names.new(name)) for name in node.output if name)
    nodes = tuple(renamed_node(node, renamed, {}, names) for node in graph.node)
    outputs = tuple(renamed.get(value.name, value.name) for value in graph.output)
    return Instance(nodes=nodes, tensors=tuple(tensors), outputs=outputs)


def renamed_node(
    node: onnx.NodeProto, renamed: Mapping[str, str], attributes: Attributes, names: Names
) -> onnx.NodeProto:
    """Return a node with other names for its values, inner graphs included.

    Arguments:
        renamed: new names by the old ones; others stay.
        attributes: values for the attributes that refer to those of a function.
    """
    made = copy_of(node)
    made.input[:] = [renamed.get(name, name) for name in node.input]
    made.output[:] = [renamed.get(name, name) for name in node.output]
    made.name = ""
    own = [_bound(one, attributes) for one in node.attribute]
    del made.attribute[:]
    made.attribute.extend(one for one in own if one is not None)
    for attribute in made.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            _rename_graph(graph, renamed, attributes, names)
    return made


def _bound(attribute: onnx.AttributeProto, attributes: Attributes) -> onnx.AttributeProto | None:
    """Return an attribute, or what the caller gives for it; None where it gives nothing."""
    made = onnx.AttributeProto()
    if not attribute.ref_attr_name:
        made.CopyFrom(attribute)
        return made
    given = attributes.get(attribute.ref_attr_name)
    if given is None:
        return None
    made.CopyFrom(given)
    made.name = attribute.name
    return made


def _rename_graph(graph: onnx.GraphProto, outer: Mapping[str, str], attributes: Attributes, names: Names) -> None:
    """Give an inner graph the names of the caller, and new ones for what it makes itself."""
    renamed = dict(outer)
    made = [name for node in graph.node for name in node.output if name]
    for name in (*(value.name for value in graph.input), *(one.name for one in graph.initializer), *made):
        renamed[name] = names.new(name)
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = renamed.get(value.name, value.name)
    for tensor in graph.initializer:
        tensor.name = renamed[tensor.name]
    set_nodes(graph, [renamed_node(node, renamed, attributes, names) for node in graph.node])
