"""Removal of what nobody reads any more: nodes, constants, types of values, and imports of domains."""

import onnx

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical


def pruned(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove dead nodes and constants from a model in place, and return it. Nodes of inner graphs stay."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    alive: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            alive.append(node)
            needed.update(reads(node))
    set_nodes(graph, alive[::-1])
    made = {name for node in graph.node for name in node.output}
    # In models of old versions every constant is among the inputs, too: it stays one there, or goes from both.
    gone = {one.name for one in graph.initializer if one.name not in needed or one.name in made}
    _keep(graph.initializer, [one for one in graph.initializer if one.name not in gone])
    _keep(graph.input, [one for one in graph.input if one.name not in gone])
    made |= {value.name for value in graph.input}
    _keep(graph.value_info, [one for one in graph.value_info if one.name in made])
    _unimport(model)
    return model


def inside_out(model: onnx.ModelProto) -> list[onnx.GraphProto]:
    """Return all graphs of a model, each before the one that holds it.

    Whoever sets the nodes of a graph copies the graphs inside them: those have to be finished by then.
    """
    return list(facts.graphs(model))[::-1]


def reads(node: onnx.NodeProto) -> set[str]:
    """Return the names that a node reads, those that its inner graphs read from outside included."""
    found = {name for name in node.input if name}
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            found |= {name for inner in graph.node for name in reads(inner)} | {one.name for one in graph.output}
    return found


def set_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Replace the nodes of a graph, by some of its own or by new ones."""
    _keep(graph.node, nodes)


def copy_of(node: onnx.NodeProto) -> onnx.NodeProto:
    """Return a copy of a node."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _keep(field, messages) -> None:  # type: ignore[no-untyped-def]  # a repeated field has no public type
    # The messages belong to the field: emptying it would empty them.
    kept = []
    for message in messages:
        copy = type(message)()
        copy.CopyFrom(message)
        kept.append(copy)
    del field[:]
    field.extend(kept)


def _unimport(model: onnx.ModelProto) -> None:
    """Drop the imports of domains that no node is of: ONNX Runtime and burn-onnx need not know them."""
    used = {canonical(node.domain) for node in facts.nodes(model)} | {canonical(one.domain) for one in model.functions}
    kept = [entry for entry in model.opset_import if not canonical(entry.domain) or canonical(entry.domain) in used]
    _keep(model.opset_import, kept)
