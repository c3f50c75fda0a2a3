"""Parts of a model as models of their own: any set of its nodes, fed the values that other nodes compute.

The one way to cut a model: prefixes, pieces of a few nodes, and a model without some of its nodes are such sets. Takes
and returns protobuf messages; runs nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from burn_verify.core.case import TensorSpec
from burn_verify.graph.dtypes import elem_type_of
from burn_verify.graph.facts import runtime_inputs
from burn_verify.graph.operators import RANDOM

Array: TypeAlias = npt.NDArray[Any]

_TELLS_SHAPE: Final = ("Shape", "Size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The nodes of a model and the values between them.

    Attributes:
        nodes: without Constant, in the order of the graph; other code names a node by its place here.
        weights: names of initializers and of the outputs of Constant.
        reads: by node, the values it takes, inner graphs included, each once.
        maker: the node that computes a value, by name.
        readers: the nodes that take a value, by name.
        outputs: of the model.
        types: type and shape of tensors, as far as they are declared or inferred.
        fixed: nodes whose outputs depend on weights and shapes alone.
    """

    model: onnx.ModelProto
    nodes: tuple[onnx.NodeProto, ...]
    weights: frozenset[str]
    reads: tuple[tuple[str, ...], ...]
    maker: Mapping[str, int]
    readers: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    types: Mapping[str, onnx.ValueInfoProto]
    fixed: frozenset[int]

    def feeds(self, nodes: Collection[int]) -> tuple[str, ...]:
        """Return the values that some nodes take from elsewhere, weights excluded."""
        made = {name for place in nodes for name in self.nodes[place].output}
        read = (name for place in sorted(nodes) for name in self.reads[place])
        return tuple(dict.fromkeys(name for name in read if name not in made and name not in self.weights))

    def gives(self, nodes: Collection[int]) -> tuple[str, ...]:
        """Return the values that some nodes compute and that other nodes or the caller of the model take."""
        inside, out = set(nodes), set(self.outputs)
        made = (name for place in sorted(nodes) for name in self.nodes[place].output if name)
        return tuple(name for name in made if name in out or not inside.issuperset(self.readers.get(name, ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Some nodes of a model as a model.

    Attributes:
        feeds, gives: names in the original model of its inputs and outputs, in order.
    """

    model: onnx.ModelProto
    feeds: tuple[str, ...]
    gives: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the values between the nodes, by name.

    Attributes:
        specs: dtype and shape of the tensors.
        fixed: the values of nodes in `Graph.fixed`.
    """

    specs: Mapping[str, TensorSpec] = field(default_factory=dict)
    fixed: Mapping[str, Array] = field(default_factory=dict)


def graph_of(model: onnx.ModelProto) -> Graph:
    """Return the graph of a model; local functions are taken as operators."""
    graph = model.graph
    nodes = tuple(node for node in graph.node if node.op_type != "Constant")
    constants = [name for node in graph.node if node.op_type == "Constant" for name in node.output]
    sparse = [tensor.values.name for tensor in graph.sparse_initializer]
    weights = frozenset([*(tensor.name for tensor in graph.initializer), *sparse, *constants])
    reads = tuple(tuple(dict.fromkeys(values_read(node))) for node in nodes)
    readers: dict[str, list[int]] = {}
    for place, names in enumerate(reads):
        for name in names:
            readers.setdefault(name, []).append(place)
    return Graph(
        model=model,
        nodes=nodes,
        weights=weights,
        reads=reads,
        maker={name: place for place, node in enumerate(nodes) for name in node.output if name},
        readers={name: tuple(places) for name, places in readers.items()},
        outputs=tuple(value.name for value in graph.output),
        types=_typed(model),
        fixed=frozenset(_fixed(nodes, reads, weights)),
    )


def values_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the values that a node takes, those that its inner graphs take from outside included."""
    yield from filter(None, node.input)
    for inner in inner_graphs(node):
        own = {value.name for value in inner.input} | {tensor.name for tensor in inner.initializer}
        own |= {name for one in inner.node for name in one.output}
        taken = [name for one in inner.node for name in values_read(one)] + [value.name for value in inner.output]
        yield from (name for name in taken if name not in own)


def inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs in the attributes of a node."""
    for attribute in node.attribute:
        yield from (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else []))


def cut(
    graph: Graph,
    nodes: Collection[int],
    known: Known,
    *,
    gives: Sequence[str] | None = None,
    bake: bool = False,
    declared: bool = False,
) -> Cut | None:
    """Return some nodes as a model; None where a value that it takes or gives is no known tensor.

    Arguments:
        gives: the outputs, None for all values that are used elsewhere.
        bake: whether values of `Known.fixed` become initializers instead of inputs.
        declared: whether sizes that the model leaves open stay open; else every size is that of the known value.
    """
    feeds = graph.feeds(nodes)
    baked = [name for name in feeds if bake and name in known.fixed]
    feeds = tuple(name for name in feeds if name not in baked)
    wanted = graph.gives(nodes) if gives is None else tuple(gives)
    typed = {name: _value_info(graph, name, known, declared=declared) for name in (*feeds, *wanted)}
    values = {name: value for name, value in typed.items() if value is not None}
    if not wanted or len(values) != len(typed):
        return None
    taken = _taken(graph, nodes, [values[name] for name in feeds], [values[name] for name in wanted])
    taken.graph.initializer.extend(numpy_helper.from_array(known.fixed[name], name) for name in baked)
    return Cut(model=taken, feeds=feeds, gives=wanted)


def computing(graph: Graph, names: Collection[str]) -> onnx.ModelProto:
    """Return the part of a model that computes some values, with all its inputs; the outputs have no type."""
    nodes = needed(graph, names, ())
    outputs = [onnx.ValueInfoProto(name=name) for name in names]
    return _taken(graph, nodes, runtime_inputs(graph.model.graph), outputs)


def needed(graph: Graph, names: Collection[str], without: Collection[int]) -> frozenset[int]:
    """Return the nodes that compute some values, where the values of the nodes in `without` are given."""
    found: set[int] = set()
    waiting = [graph.maker[name] for name in names if name in graph.maker]
    while waiting:
        place = waiting.pop()
        if place in found or place in without:
            continue
        found.add(place)
        waiting += [graph.maker[name] for name in graph.reads[place] if name in graph.maker]
    return frozenset(found)


def neutral(piece: Cut) -> Cut:
    """Return a cut with other names inside, since a name such as ``where`` cannot be one of a variable in Rust."""
    model = onnx.ModelProto()
    model.CopyFrom(piece.model)
    names = _Names()
    for prefix, chosen in (("input", piece.feeds), ("output", piece.gives)):
        names.known.update((name, f"{prefix}{place}") for place, name in enumerate(chosen) if name not in names.known)
    _rename(model.graph, names)
    return Cut(model=model, feeds=piece.feeds, gives=piece.gives)


def _typed(model: onnx.ModelProto) -> dict[str, onnx.ValueInfoProto]:
    """Return type and shape of the tensors for which they are known."""
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except (onnx.shape_inference.InferenceError, ValueError):
        # More than 2 GiB, or a graph that the inference refuses: only what is declared is known.
        graph = model.graph
    values = (*graph.value_info, *graph.input, *graph.output)
    return {value.name: value for value in values if value.type.tensor_type.elem_type}


def _fixed(nodes: Sequence[onnx.NodeProto], reads: Sequence[Sequence[str]], weights: Collection[str]) -> Iterator[int]:
    fixed = set(weights)
    for place, node in enumerate(nodes):
        if node.op_type in RANDOM:
            continue
        if (node.op_type in _TELLS_SHAPE and not node.domain) or fixed.issuperset(reads[place]):
            fixed.update(name for name in node.output if name)
            yield place


def _value_info(graph: Graph, name: str, known: Known, *, declared: bool) -> onnx.ValueInfoProto | None:
    """Return name, type and shape of a tensor; None where they are not known."""
    spec, inferred = known.specs.get(name), graph.types.get(name)
    if spec is None or (declared and inferred is not None and inferred.type.tensor_type.HasField("shape")):
        return inferred
    return helper.make_tensor_value_info(name, elem_type_of(spec.dtype), list(spec.shape))


def _taken(
    graph: Graph,
    nodes: Collection[int],
    feeds: Iterable[onnx.ValueInfoProto],
    gives: Iterable[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """Return these nodes as a model, with the weights that they read."""
    # Not onnx.utils.Extractor: it follows the inputs of nodes only, and so loses nodes and weights that only an inner
    # graph reads; it refuses sparse weights.
    whole = graph.model
    gives = list(gives)
    read = {name for place in nodes for name in graph.reads[place]} | {value.name for value in gives}
    # Up to IR version 3 every initializer has to be an input as well.
    taken = onnx.ModelProto(ir_version=max(whole.ir_version, 4), producer_name=whole.producer_name)
    taken.opset_import.extend(whole.opset_import)
    taken.functions.extend(whole.functions)
    made = taken.graph
    made.name = "cut"
    made.initializer.extend(tensor for tensor in whole.graph.initializer if tensor.name in read)
    made.sparse_initializer.extend(one for one in whole.graph.sparse_initializer if one.values.name in read)
    made.node.extend(node for node in whole.graph.node if node.op_type == "Constant" and read.intersection(node.output))
    made.node.extend(graph.nodes[place] for place in sorted(nodes))
    made.input.extend(feeds)
    made.output.extend(gives)
    inside = {name for place in nodes for name in graph.nodes[place].output} - {value.name for value in gives}
    made.value_info.extend(value for value in whole.graph.value_info if value.name in inside)
    return taken


class _Names:
    """New names, given in the order in which the old ones are met."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def of(self, name: str) -> str:
        return self.known.setdefault(name, f"value{len(self.known)}") if name else name


def _rename(graph: onnx.GraphProto, names: _Names) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.of(value.name)
    for tensor in graph.initializer:
        tensor.name = names.of(tensor.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = names.of(sparse.values.name)
    for node in graph.node:
        node.name = ""
        node.input[:] = [names.of(name) for name in node.input]
        node.output[:] = [names.of(name) for name in node.output]
        for inner in inner_graphs(node):
            _rename(inner, names)


def whole_inputs(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the inputs of a model that are no initializers."""
    return tuple(value.name for value in runtime_inputs(model.graph))
