"""Constants computed before: nodes that depend on nothing but constants, and shapes that are known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

from burn_verify.core.errors import StageError
from burn_verify.graph import facts
from burn_verify.graph.operators import RANDOM, canonical
from burn_verify.prepare.known import Array, Known, copied, inferred, known
from burn_verify.prepare.prune import pruned, set_nodes
from burn_verify.prepare.rewriting import Tools

_LARGEST: Final = 64 << 20
"""Bytes of the constants that folding may add to a model."""

_KEPT: Final = frozenset({"Constant", *RANDOM, "Dropout", "DequantizeLinear", "Optional", "SequenceEmpty"})
"""Operators that stay: drawn numbers, and weights that are kept small."""


def folded(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Replace what depends on constants only by its value, which the engine of the reference computes."""
    return _folded(model, tools, _KEPT)


def dequantised(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Replace constants behind DequantizeLinear by their values; the weights become floats."""
    return _folded(model, tools, _KEPT - {"DequantizeLinear"}, only="DequantizeLinear")


def with_shapes(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
    """Store the types and shapes that onnx infers; None where the model has them already."""
    del tools
    whole = inferred(model)
    return whole if whole != model else None


def _folded(model: onnx.ModelProto, tools: Tools, kept: frozenset[str], only: str = "") -> onnx.ModelProto | None:
    about = known(model)
    changed = copied(model)
    shaped = _shapes_known(changed, about) if not only else 0
    if shaped:
        about = known(changed)
    constant = _constant_nodes(changed, about, kept)
    if only:
        constant = [node for node in constant if node.op_type == only]
    if not constant:
        return pruned(changed) if shaped else None
    wanted = _boundary(changed, constant)
    values = _values(changed, constant, wanted, tools)
    if not values:
        return pruned(changed) if shaped else None
    return _put(changed, constant, set(wanted), values)


def _shapes_known(model: onnx.ModelProto, about: Known) -> int:
    """Make constants of Shape and Size of values with known shapes, and of known sizes taken out of other shapes.

    In all graphs; return how many.
    """
    found = 0
    for graph in list(facts.graphs(model)):
        # Of this graph alone: another one may give the same name to another value.
        makers = {node.output[0]: node for node in graph.node if node.output}
        for node in graph.node:
            value = _known_size(node, makers, about)
            if value is None:
                continue
            tensor = numpy_helper.from_array(value, "")
            # What reads it may still look at how it was made.
            makers[node.output[0]] = made = onnx.NodeProto()
            made.CopyFrom(node)
            del node.input[:], node.attribute[:]
            node.op_type = "Constant"
            node.attribute.append(helper.make_attribute("value", tensor))
            found += 1
    return found


def _known_size(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto], about: Known) -> Array | None:
    """Return the value of a node that says what is known of a shape; None of any other node."""
    if canonical(node.domain) or not node.input:
        return None
    if node.op_type in {"Shape", "Size"}:
        shape = about.type_of(node.input[0]).static
        return None if shape is None else _shape_value(node, shape)
    source = makers.get(node.input[0])
    if node.op_type != "Gather" or len(node.input) != 2 or source is None or not source.input:
        return None
    if source.op_type != "Shape" or canonical(source.domain):
        return None
    sizes, places = about.type_of(source.input[0]).shape, about.constant(node.input[1])
    if sizes is None or places is None:
        return None
    taken = sizes[_bounds(source, len(sizes))]
    if not all(-len(taken) <= place < len(taken) and taken[place] is not None for place in places.ravel().tolist()):
        return None
    return np.array([taken[place] for place in places.ravel().tolist()], np.int64).reshape(places.shape)


def _shape_value(node: onnx.NodeProto, shape: tuple[int, ...]) -> Array:
    if node.op_type == "Size":
        return np.array(int(np.prod(shape, dtype=np.int64)), np.int64)
    return np.array(shape, np.int64)[_bounds(node, len(shape))]


def _bounds(node: onnx.NodeProto, rank: int) -> slice:
    """Return which sizes a Shape gives."""
    given = {attribute.name: attribute.i for attribute in node.attribute}
    return slice(given.get("start", 0), given.get("end", rank))


def _constant_nodes(model: onnx.ModelProto, about: Known, kept: frozenset[str]) -> list[onnx.NodeProto]:
    """Return the nodes of the main graph that depend on constants only, in the order of the graph."""
    constant = set(about.tensors)
    found = []
    for node in model.graph.node:
        outputs = [name for name in node.output if name]
        if node.op_type == "Constant" and not canonical(node.domain):
            constant.update(outputs)
        elif _is_foldable(node, constant, kept):
            constant.update(outputs)
            found.append(node)
    return found


def _is_foldable(node: onnx.NodeProto, constant: set[str], kept: frozenset[str]) -> bool:
    if node.op_type in kept or canonical(node.domain) not in {"", "ai.onnx.ml"}:
        return False
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        return False
    return all(not name or name in constant for name in node.input)


def _boundary(model: onnx.ModelProto, constant: Sequence[onnx.NodeProto]) -> list[str]:
    """Return the values of constant nodes that others read."""
    inside = {id(node) for node in constant}
    read = {value.name for value in model.graph.output}
    for graph in facts.graphs(model):
        read.update(value.name for value in graph.output)
        read.update(name for node in graph.node if id(node) not in inside for name in node.input)
    return [name for node in constant for name in node.output if name in read]


def _values(
    model: onnx.ModelProto, constant: Sequence[onnx.NodeProto], wanted: Sequence[str], tools: Tools
) -> dict[str, Array]:
    """Return the values of constant nodes; where the engine refuses them together, those it answers one by one."""
    try:
        found = tools.run(_part(model, constant, wanted), [])
        return _small(dict(zip(wanted, found, strict=True)))
    except StageError:
        if len(constant) == 1:
            return {}
    values: dict[str, Array] = {}
    for place, node in enumerate(constant):
        own = [name for name in node.output if name in wanted]
        if not own:
            continue
        try:
            values.update(zip(own, tools.run(_part(model, constant[: place + 1], own), []), strict=True))
        except StageError:
            continue
    return _small(values)


def _small(values: dict[str, Array]) -> dict[str, Array]:
    """Leave out the largest values, if they are too large together."""
    total = 0
    kept = {}
    for name, value in sorted(values.items(), key=lambda entry: entry[1].nbytes):
        total += value.nbytes
        if total <= _LARGEST:
            kept[name] = value
    return kept


def _part(model: onnx.ModelProto, constant: Sequence[onnx.NodeProto], wanted: Iterable[str]) -> onnx.ModelProto:
    """Return a model without inputs that computes some values of another."""
    needed = set(wanted)
    nodes = []
    for node in reversed(constant):
        if needed & set(node.output):
            nodes.append(node)
            needed.update(node.input)
    sources = [node for node in model.graph.node if node.op_type == "Constant" and needed & set(node.output)]
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    outputs = [onnx.ValueInfoProto(name=name) for name in wanted]
    graph = helper.make_graph([*sources, *reversed(nodes)], "constants", [], outputs, tensors)
    return helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=max(4, model.ir_version))


def _put(
    model: onnx.ModelProto, constant: Sequence[onnx.NodeProto], wanted: Collection[str], values: Mapping[str, Array]
) -> onnx.ModelProto:
    """Put values in the place of the nodes that computed them, and drop what nobody reads any more."""
    gone = set()
    for node in constant:
        own = [name for name in node.output if name in wanted]
        if own and all(name in values for name in own):
            gone.add(id(node))
    graph, given = model.graph, {value.name for value in model.graph.output}
    replaced = {name for node in graph.node if id(node) in gone for name in node.output}
    nodes = [node for node in graph.node if id(node) not in gone]
    tensors = [numpy_helper.from_array(value, name) for name, value in values.items() if name in replaced]
    # An output of the graph needs a node that gives it.
    made = [helper.make_node("Constant", [], [one.name], value=one) for one in tensors if one.name in given]
    set_nodes(graph, [*made, *nodes])
    graph.initializer.extend(tensor for tensor in tensors if tensor.name not in given)
    return pruned(model)
