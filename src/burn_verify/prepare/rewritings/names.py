"""Names that burn-onnx keeps apart: no two that it writes alike, and no Rust keyword."""

import onnx

from burn_verify.graph import facts
from burn_verify.graph.advice import KEYWORDS, plain
from burn_verify.prepare.body import Names
from burn_verify.prepare.known import copied
from burn_verify.prepare.rewriting import Tools


def distinct(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Give new names to values whose names burn-onnx takes for others, or for keywords; None where there are none.

    Inputs and outputs keep their order, and their names where these do not clash among themselves.
    """
    del tools
    if model.functions:
        return None
    renamed = _renamed(model)
    if not renamed:
        return None
    changed = copied(model)
    for graph in facts.graphs(changed):
        for value in (*graph.input, *graph.output, *graph.value_info):
            value.name = renamed.get(value.name, value.name)
        for tensor in graph.initializer:
            tensor.name = renamed.get(tensor.name, tensor.name)
        for sparse in graph.sparse_initializer:
            sparse.values.name = renamed.get(sparse.values.name, sparse.values.name)
        for node in graph.node:
            node.input[:] = [renamed.get(name, name) for name in node.input]
            node.output[:] = [renamed.get(name, name) for name in node.output]
    return changed


def _renamed(model: onnx.ModelProto) -> dict[str, str]:
    """Return the new names by the old ones; the first of several alike keeps its own, inputs and outputs first."""
    names = Names(model)
    outside = [value.name for value in (*facts.runtime_inputs(model.graph), *model.graph.output)]
    inside = [name for name in _inner(model) if name]
    taken: set[str] = set()
    found = {}
    for name in dict.fromkeys([*outside, *inside]):
        key = plain(name)
        if key in taken or name.lower() in KEYWORDS or not key.strip("_"):
            found[name] = names.new(name)
        taken.add(key)
    return found


def _inner(model: onnx.ModelProto) -> list[str]:
    found = []
    for graph in facts.graphs(model):
        found += [value.name for value in graph.input]
        found += [tensor.name for tensor in graph.initializer]
        found += [tensor.values.name for tensor in graph.sparse_initializer]
        found += [name for node in graph.node for name in node.output]
    return found
