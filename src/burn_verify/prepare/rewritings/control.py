"""Control flow that is known before: If of a constant, Loop of a constant number of rounds, Scan of a known length."""

from collections.abc import Iterator, Sequence
from typing import Final

import onnx

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical
from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.instances import Instance, instance
from burn_verify.prepare.known import Known, copied, known, opset_of
from burn_verify.prepare.prune import copy_of, inside_out, pruned, set_nodes
from burn_verify.prepare.replace import OLDEST, Site
from burn_verify.prepare.rewriting import Tools

_MOST_ROUNDS: Final = 512
_MOST_NODES: Final = 20_000
"""Nodes of a model after unrolling."""


def unrolled(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Put the rounds of Loop and Scan, and the chosen branch of If, in their place; None where none is known."""
    del tools
    if opset_of(model) < OLDEST:
        return None
    changed = copied(model)
    about, names = known(model), Names(model)
    found = False
    for graph in inside_out(changed):
        body = Body(names)
        for node in graph.node:
            place = len(body.nodes)
            if canonical(node.domain) or not _unroll(Site(node=node, opset=0, known=about), body, names):
                del body.nodes[place:]
                body.nodes.append(copy_of(node))
                continue
            found = True
        if sum(1 for _ in facts.nodes(changed)) + len(body.nodes) > _MOST_NODES:
            return None
        set_nodes(graph, body.nodes)
        graph.initializer.extend(body.tensors)
    return pruned(changed) if found else None


def _unroll(site: Site, body: Body, names: Names) -> bool:
    outputs = {"If": _chosen, "Loop": _rounds, "Scan": _scanned}.get(site.node.op_type, _nothing)(site, body, names)
    if outputs is None:
        return False
    for name, old in zip(outputs, site.node.output, strict=False):
        if old:
            body.nodes.append(onnx.helper.make_node("Identity", [name], [old]))
    return True


def _nothing(site: Site, body: Body, names: Names) -> None:
    del site, body, names


def _add(body: Body, made: Instance) -> tuple[str, ...]:
    body.nodes.extend(made.nodes)
    body.tensors.extend(made.tensors)
    return made.outputs


def _chosen(site: Site, body: Body, names: Names) -> Sequence[str] | None:
    condition = site.constant(0)
    if condition is None or condition.size != 1:
        return None
    branch = site.attribute("then_branch" if bool(condition.ravel()[0]) else "else_branch")
    return None if branch is None else _add(body, instance(branch, [], names))


def _rounds(site: Site, body: Body, names: Names) -> Sequence[str] | None:
    graph, count = site.attribute("body"), site.constant(0)
    if graph is None or count is None or count.size != 1 or not _fits(graph, int(count.ravel()[0])):
        return None
    condition = site.constant(1)
    if site.input(1) and (condition is None or not bool(condition.ravel()[0])):
        return None
    if not _goes_on(graph):
        return None
    carried = list(site.node.input[2:])
    scanned: list[list[str]] = [[] for _ in range(len(graph.output) - 1 - len(carried))]
    true = body.scalar(True, onnx.TensorProto.BOOL)
    for number in range(int(count.ravel()[0])):
        place = body.scalar(number, onnx.TensorProto.INT64)
        _, *rest = _add(body, instance(graph, [place, true, *carried], names))
        carried = rest[: len(carried)]
        for values, value in zip(scanned, rest[len(carried) :], strict=True):
            values.append(value)
    return [*carried, *(_stacked(body, values, 0) for values in scanned)]


def _fits(graph: onnx.GraphProto, rounds: int) -> bool:
    """Return whether so many rounds are few enough, with all that is inside them."""
    size = sum(1 for _ in facts.nodes(onnx.ModelProto(graph=graph)))
    return 0 < rounds <= _MOST_ROUNDS and rounds * size <= _MOST_NODES


def _goes_on(graph: onnx.GraphProto) -> bool:
    """Return whether the condition that a body hands on is always the one that it was given, or true."""
    name = graph.output[0].name if graph.output else ""
    makers = {output: node for node in graph.node for output in node.output}
    while name in makers and makers[name].op_type == "Identity":
        name = makers[name].input[0]
    if len(graph.input) > 1 and name == graph.input[1].name:
        return True
    inner = onnx.ModelProto(graph=graph)
    value = Known({}, _tensors(inner)).constant(name)
    return value is not None and value.size == 1 and bool(value.ravel()[0])


def _tensors(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    return dict(known(model).tensors)


def _scanned(site: Site, body: Body, names: Names) -> Sequence[str] | None:
    """Unroll a Scan of version 9 or later."""
    graph, count = site.attribute("body"), site.attribute("num_scan_inputs", 0)
    states = len(site.node.input) - count
    sources = list(site.node.input[states:])
    if graph is None or count < 1 or len(graph.input) != len(site.node.input):
        return None
    axes = site.attribute("scan_input_axes") or [0] * count
    backward = site.attribute("scan_input_directions") or [0] * count
    length = _length(site, states, axes)
    if length is None or not _fits(graph, length):
        return None
    given = [
        _parts(body, source, axis, length, back) for source, axis, back in zip(sources, axes, backward, strict=True)
    ]
    carried = list(site.node.input[:states])
    results: list[list[str]] = [[] for _ in range(len(graph.output) - states)]
    for number in range(length):
        rest = _add(body, instance(graph, [*carried, *(parts[number] for parts in given)], names))
        carried = list(rest[:states])
        for values, value in zip(results, rest[states:], strict=True):
            values.append(value)
    return [*carried, *_results(site, body, results)]


def _length(site: Site, states: int, axes: Sequence[int]) -> int | None:
    shape = site.type_of(states).shape
    if shape is None or not -len(shape) <= axes[0] < len(shape):
        return None
    return shape[axes[0]]


def _parts(body: Body, source: str, axis: int, length: int, backward: int) -> list[str]:
    """Return the slices of a scanned input, in the order of the rounds."""
    parts = []
    for number in range(length):
        end = number + 1 if axis >= 0 or number + 1 < length else 1 << 31
        part = body("Slice", source, body.const([number]), body.const([end]), body.const([axis]))
        parts.append(body("Squeeze", part, body.const([axis])))
    return parts[::-1] if backward else parts


def _results(site: Site, body: Body, results: Sequence[list[str]]) -> Iterator[str]:
    axes = site.attribute("scan_output_axes") or [0] * len(results)
    backward = site.attribute("scan_output_directions") or [0] * len(results)
    for values, axis, back in zip(results, axes, backward, strict=True):
        yield _stacked(body, values[::-1] if back else values, axis)


def _stacked(body: Body, values: Sequence[str], axis: int) -> str:
    parts = [body("Unsqueeze", value, body.const([axis])) for value in values]
    return body("Concat", *parts, axis=axis) if len(parts) > 1 else parts[0]
