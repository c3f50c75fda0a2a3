"""A model with the types that ONNX's shape inference finds, and without the data of its large constants."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import onnx
from onnx import shape_inference

from burn_verify.forecast.values import SMALL
from burn_verify.graph.facts import text

_MOST_NODES: Final = 100_000
"""A model of more nodes, once its functions are expanded, is not inferred: that would take minutes."""


def typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model for reading its cells: types inferred as far as possible, large constants without data.

    Raises:
        ValueError: the model is damaged.
    """
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph = model.graph
    light.graph.name = "g"
    light.graph.node.extend(graph.node)
    for field in ("input", "output", "value_info", "sparse_initializer"):
        getattr(light.graph, field).extend(getattr(graph, field))
    light.graph.initializer.extend(_light(tensor) for tensor in graph.initializer)
    if _expanded(model) > _MOST_NODES:
        return light
    try:
        return shape_inference.infer_shapes(light)
    except Exception:  # onnx documents no exception types here; a model that it refuses has the types that it declares
        return light


def _light(tensor: onnx.TensorProto) -> onnx.TensorProto:
    """Return a constant, without its data where they are many."""
    elements = 1
    for dim in tensor.dims:
        elements *= max(dim, 0)
    if elements <= SMALL:
        return tensor
    return onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)


def _expanded(model: onnx.ModelProto) -> float:
    """Return how many nodes a model has once its functions are expanded; infinity where one calls itself."""
    functions = {(text(one.domain), text(one.name)): one for one in model.functions}
    sizes: dict[tuple[str, str], float] = {}
    for key in functions:
        _measure(key, functions, sizes)
    return len(model.graph.node) + sum(sizes.get((node.domain, node.op_type), 0.0) for node in _every(model.graph.node))


def _measure(
    start: tuple[str, str], functions: Mapping[tuple[str, str], onnx.FunctionProto], sizes: dict[tuple[str, str], float]
) -> None:
    """Fill in the expanded size of a function and of those that it calls, without recursion: chains may be long."""
    stack = [start]
    open_ones: set[tuple[str, str]] = set()
    while stack:
        key = stack[-1]
        if key in sizes:
            stack.pop()
            continue
        calls = [(node.domain, node.op_type) for node in _every(functions[key].node)]
        waiting = [call for call in calls if call in functions and call not in sizes]
        circular = bool(open_ones & {key, *waiting})
        if not waiting or circular:
            sizes[key] = float("inf") if circular and waiting else len(calls) + sum(sizes.get(c, 0.0) for c in calls)
            open_ones.discard(stack.pop())
        else:
            open_ones.add(key)
            stack += waiting


def _every(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _every(inner.node)
