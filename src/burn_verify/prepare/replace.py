"""Replacement of single nodes by others, in all graphs of a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import onnx
from onnx import helper

from burn_verify.graph import facts
from burn_verify.graph.operators import qualified
from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.known import Array, Known, Typed, copied, known, opset_of
from burn_verify.prepare.prune import copy_of, inside_out, pruned, set_nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A node, and what is known around it.

    Attributes:
        opset: of the default domain.
    """

    node: onnx.NodeProto
    opset: int
    known: Known

    def input(self, place: int) -> str:
        """Return the name of an input, empty where it is left out."""
        return self.node.input[place] if place < len(self.node.input) else ""

    def wants(self, place: int) -> bool:
        """Return whether an output is there."""
        return place < len(self.node.output) and bool(self.node.output[place])

    def type_of(self, place: int) -> Typed:
        """Return the type of an input."""
        return self.known.type_of(self.input(place))

    def shape(self, place: int = 0) -> tuple[int, ...] | None:
        """Return the shape of an input where every dimension is known."""
        return self.type_of(place).static

    def rank(self, place: int = 0) -> int | None:
        """Return the rank of an input."""
        shape = self.type_of(place).shape
        return None if shape is None else len(shape)

    def elem_type(self, place: int = 0) -> int:
        """Return the element type of an input, 0 where it is unknown."""
        return self.type_of(place).elem_type

    def result(self, place: int = 0) -> Typed:
        """Return the type of an output."""
        return self.known.type_of(self.node.output[place])

    def constant(self, place: int) -> Array | None:
        """Return an input that is a constant, else None."""
        return self.known.constant(self.input(place)) if self.input(place) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute; bytes as text."""
        for attribute in self.node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode(errors="replace") if isinstance(value, bytes) else value
        return default

    def ints(self, place: int, name: str) -> list[int] | None:
        """Return integers that are an attribute of older versions and an input of newer ones; None where neither is."""
        value = self.constant(place)
        if value is not None:
            return [int(one) for one in value.ravel()]
        return None if self.input(place) else self.attribute(name)


OLDEST: Final = 13
"""The opset from which on most decompositions are valid."""

NEW: Final = 18
"""The opset that a model without operators of the default domain gets."""

Decomposer: TypeAlias = Callable[[Site, Body], Sequence[str] | None]
"""Adds the nodes that replace a node; returns the names of its outputs, None where the node has to stay."""


def replaced(model: onnx.ModelProto, table: Mapping[str, Decomposer], oldest: int = OLDEST) -> onnx.ModelProto | None:
    """Replace the nodes of some operators, inner graphs included; None where there is nothing to replace.

    A model that imports no default domain gets it.

    Arguments:
        table: by the qualified name of the operator.
        oldest: the opset from which on the new nodes are valid; an older model stays.
    """
    opset = opset_of(model) or NEW
    if opset < oldest or not any(
        qualified(node.op_type, node.domain) in table for graph in facts.graphs(model) for node in graph.node
    ):
        return None
    changed = copied(model)
    if not opset_of(model):
        changed.opset_import.append(helper.make_opsetid("", NEW))
    about, names = known(model), Names(model)
    found = False
    for graph in inside_out(changed):
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            decomposer = table.get(qualified(node.op_type, node.domain))
            site = Site(node=node, opset=opset, known=about)
            body = Body(names)
            made = None if decomposer is None else decomposer(site, body)
            if made is None:
                nodes.append(copy_of(node))
                continue
            found = True
            nodes += _named(body, node, made)
            graph.initializer.extend(body.tensors)
        set_nodes(graph, nodes)
    return pruned(changed) if found else None


def _named(body: Body, node: onnx.NodeProto, made: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes of a body, so that they give the outputs of the replaced node by their names."""
    wanted = [(name, old) for name, old in zip(made, node.output, strict=False) if old]
    given = {name for inner in body.nodes for name in inner.output}
    renamed: dict[str, str] = {}
    extra = []
    for name, old in wanted:
        if name in given and name not in renamed:
            renamed[name] = old
        else:
            extra.append((name, old))
    for inner in body.nodes:
        for field in (inner.input, inner.output):
            field[:] = [renamed.get(name, name) for name in field]
    identities = [helper.make_node("Identity", [renamed.get(name, name)], [old]) for name, old in extra]
    return [*body.nodes, *identities]
