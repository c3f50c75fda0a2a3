"""A model as flat graphs with their values: Ifs that are decided are inlined, bodies of Loop and Scan stand beside.

Values come from the engine of the reference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burn_verify.core.located import Node
from burn_verify.graph import control
from burn_verify.graph.cut import Graph, Known, computing, graph_of, needed, whole_inputs
from burn_verify.graph.pieces import node_of
from burn_verify.run.values import Stored, Values
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A flat graph with its values.

    Attributes:
        outer: the place in the whole model of the node whose body this is; None for the whole model.
        inside: names of the nodes whose bodies this is in, the outermost first.
    """

    graph: Graph
    values: Stored
    known: Known
    outer: int | None = None
    inside: tuple[str, ...] = ()

    @property
    def used(self) -> frozenset[int]:
        """The nodes on which an output depends; inlining an If leaves the computation of its condition unused."""
        return needed(self.graph, self.graph.outputs, ())

    def node(self, place: int) -> Node:
        """Return a node as the answer names it."""
        return node_of(self.graph, self.known, place)

    def arrays(self, names: Sequence[str]) -> list[Array]:
        """Return values by name, in order."""
        return [self.values.array(name) for name in names]


def parts_of(model: "ModelProto", inputs: Sequence[Array], values: Values) -> list[Part]:
    """Return the whole model, flat, and the bodies of its loops.

    Arguments:
        model: see `burn_verify.graph.control.named`.
        inputs: in the order of the graph.

    Raises:
        OracleError: the engine was closed.
    """
    fed = dict(zip(whole_inputs(model), inputs, strict=True))
    whole = _part(decided(model, fed, values), fed, values)
    return [whole, *_bodies(whole, values)]


def unfed(model: "ModelProto") -> list[Part]:
    """Return a model without any values, for what is refused before it runs."""
    return [Part(graph=graph_of(model), values=Stored(specs={}, files={}), known=Known())]


def as_it_is(model: "ModelProto", inputs: Sequence[Array], values: Values) -> Part:
    """Return a model as one graph, its Ifs as they are."""
    return _part(model, dict(zip(whole_inputs(model), inputs, strict=True)), values)


def decided(model: "ModelProto", fed: Mapping[str, Array], values: Values) -> "ModelProto":
    """Return a model with the chosen branch in place of each If outside of loops."""
    chosen: dict[str, bool] = {}
    unknown: set[str] = set()
    # An inner If may have the condition of the outer one, or one that is computed beside it.
    while names := [name for name in control.conditions(model) if name not in unknown]:
        graph = graph_of(model)
        found = values.of(graph, fed, [name for name in names if name in graph.maker and name not in chosen])
        chosen |= {name: bool(found.array(name).reshape(-1)[0]) for name in names if name in found.specs}
        chosen |= {name: bool(_constant(graph, name).reshape(-1)[0]) for name in names if name in graph.weights}
        unknown.update(name for name in names if name not in chosen)
        model = control.inlined(model, chosen)
    return model


def _part(model: "ModelProto", fed: Mapping[str, Array], values: Values) -> Part:
    graph = graph_of(model)
    stored = values.of(graph, fed)
    return Part(graph=graph, values=stored, known=stored.known(graph))


def _bodies(part: Part, values: Values) -> Iterator[Part]:
    """Yield the bodies of the loops of a part, and those inside of them."""
    for place in range(len(part.graph.nodes)):
        body = control.body_of(part.graph, place)
        fed = None if body is None else _first_iteration(part, body)
        if body is None or fed is None:
            continue
        typed = control.with_shapes(body.model, {name: control.spec_of(name, value) for name, value in fed.items()})
        inner = replace(
            _part(decided(typed, fed, values), fed, values),
            outer=place if part.outer is None else part.outer,
            inside=(*part.inside, part.graph.nodes[place].name),
        )
        yield inner
        yield from _bodies(inner, values)


def _first_iteration(part: Part, body: control.Body) -> dict[str, Array] | None:
    """Return the inputs of a body in its first iteration; None where one is not known, or there is no iteration."""
    found = {}
    for name in whole_inputs(body.model):
        source = body.takes[name]
        if not isinstance(source, str):
            found[name] = source
            continue
        if source not in part.values.specs and source not in part.graph.weights:
            return None
        weight = source in part.graph.weights
        value = _constant(part.graph, source) if weight else part.values.array(source)
        if name in body.slices and not value.shape[body.slices[name][0]]:
            return None
        found[name] = body.first(name, value)
    return found


def _constant(graph: Graph, name: str) -> Array:
    """Return a weight, an initializer or the value of a Constant."""
    from onnx.reference import ReferenceEvaluator

    found: Any = ReferenceEvaluator(computing(graph, [name])).run(None, {})
    return np.asarray(found[0])
