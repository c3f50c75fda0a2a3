"""Which pieces of a model are tried: single nodes, nodes with the computation of their shapes, and pairs.

No single way to cut shows every fault. A node alone, with shapes as constants, is blind to wrong shapes; a node with
the nodes that compute its shapes is not; a pair shows the interplay of two nodes. Runs nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.core.located import Node, PieceKind
from burn_verify.graph.cut import Cut, Graph, Known, cut, needed, neutral
from burn_verify.graph.facts import versions
from burn_verify.graph.operators import canonical, qualified, subject_of

_MOST_IN_GROUP: Final = 64
_MOST_ADDED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A few nodes of a graph as a model with neutral names.

    Attributes:
        nodes: their places in the graph, ascending.
        tells_shapes: whether all its outputs are values of `Graph.fixed`, which in the whole are no tensors.
    """

    kind: PieceKind
    nodes: tuple[int, ...]
    cut: Cut
    tells_shapes: bool = False


def pieces(graph: Graph, known: Known, places: Collection[int] | None = None) -> Iterator[Piece]:
    """Yield every piece, in the order of the last node in it.

    Arguments:
        places: the nodes that are to be in some piece, None for all.
    """
    for place in range(len(graph.nodes)):
        if places is not None and place not in places:
            continue
        yield from _made(graph, known, PieceKind.NODE, _alone(graph, place))
        yield from _made(graph, known, PieceKind.GROUP, _with_shapes(graph, place))
        for other in _before(graph, place):
            yield from _made(graph, known, PieceKind.PAIR, frozenset({other, place}))


def segments(graph: Graph, known: Known, count: int) -> Iterator[Piece]:
    """Yield the graph in `count` pieces of successive nodes, as evenly as possible."""
    every = len(graph.nodes)
    ends = sorted({round((place + 1) * every / count) for place in range(count)})
    for start, end in zip([0, *ends], ends, strict=False):
        yield from _made(graph, known, PieceKind.SEGMENT, frozenset(range(start, end)))


def without(graph: Graph, known: Known, nodes: Collection[int]) -> Cut | None:
    """Return the model without some nodes, whose values become inputs; None where they are no known tensors."""
    left = [place for place in range(len(graph.nodes)) if place not in set(nodes)]
    made = {name for place in left for name in graph.nodes[place].output}
    gives = [name for name in graph.outputs if name in made]
    inside = needed(graph, gives, set(nodes))
    found = cut(graph, inside, known, gives=gives, declared=True) if gives else None
    return None if found is None else neutral(found)


def upto(graph: Graph, known: Known, place: int) -> Cut | None:
    """Return all nodes up to one, with every value that a later node takes as an output; None as of `cut`."""
    found = cut(graph, frozenset(range(place + 1)), known, declared=True)
    return None if found is None else neutral(found)


def traced(graph: Graph, known: Known, names: Sequence[str]) -> Cut | None:
    """Return the whole model with some of its values as outputs."""
    found = cut(graph, needed(graph, names, ()), known, gives=names, declared=True)
    return None if found is None else neutral(found)


def node_of(graph: Graph, known: Known, place: int) -> Node:
    """Return a node by its name in the model, with the types of its values."""
    node, specs = graph.nodes[place], known.specs
    opset = versions(graph.model).get(canonical(node.domain), 0)
    dtypes = [[specs[name].dtype if name in specs else None for name in names] for names in (node.input, node.output)]
    subject = subject_of(node.op_type, node.domain, opset, *dtypes)
    name = qualified(node.op_type, node.domain)
    return Node(
        name=node.name,
        op_type=name,
        cell=name if subject is None else f"{name}-{subject.since_version}/{subject.dtype}",
        inputs=tuple(_typed(known, one) for one in node.input if one),
        outputs=tuple(_typed(known, one) for one in node.output if one),
    )


def _typed(known: Known, name: str) -> str:
    spec = known.specs.get(name)
    return name if spec is None else f"{name}: {spec.dtype}[{','.join(map(str, spec.shape))}]"


def _alone(graph: Graph, place: int) -> frozenset[int]:
    """Return a node, unless its inputs are shapes or constants: in the whole it is another computation then."""
    reads_values = any(name not in graph.weights for name in graph.reads[place])
    is_fixed = place in graph.fixed and graph.nodes[place].op_type not in ("Shape", "Size")
    return frozenset() if is_fixed or not reads_values else frozenset({place})


def _with_shapes(graph: Graph, place: int) -> frozenset[int]:
    """Return a node and the nodes that compute its shapes and constants; nothing where `_alone` has the same."""
    found, waiting = {place}, [place]
    while waiting:
        for name in graph.reads[waiting.pop()]:
            maker = graph.maker.get(name)
            if maker in graph.fixed and maker not in found:
                found.add(maker)
                waiting.append(maker)
        if len(found) > _MOST_IN_GROUP:
            return frozenset()
    return frozenset(found) if found != _alone(graph, place) else frozenset()


def _before(graph: Graph, place: int) -> list[int]:
    """Return the nodes whose values a node takes, without those that compute shapes or constants."""
    if place in graph.fixed and graph.nodes[place].op_type not in ("Shape", "Size"):
        return []
    makers = (graph.maker.get(name) for name in graph.reads[place])
    return list(dict.fromkeys(maker for maker in makers if maker is not None and maker not in graph.fixed))


def _made(graph: Graph, known: Known, kind: PieceKind, nodes: frozenset[int]) -> Iterator[Piece]:
    chosen = _closed(graph, known, nodes)
    if not chosen:
        return
    last = max(nodes)
    gives = None if kind is PieceKind.SEGMENT else [name for name in graph.gives(chosen) if graph.maker[name] == last]
    bake = kind is not PieceKind.GROUP
    found = cut(graph, chosen, known, gives=gives, bake=bake, declared=kind is PieceKind.GROUP)
    if found is None or (kind is not PieceKind.GROUP and not found.feeds):
        return
    tells_shapes = all(graph.maker[name] in graph.fixed for name in found.gives)
    yield Piece(kind=kind, nodes=tuple(sorted(chosen)), cut=neutral(found), tells_shapes=tells_shapes)


def _is_tensor(graph: Graph, known: Known, name: str) -> bool:
    """Return whether a value is a tensor; where no value was computed, by the type that is inferred."""
    return name in known.specs or (not known.specs and name in graph.types)


def _closed(graph: Graph, known: Known, nodes: frozenset[int]) -> frozenset[int]:
    """Add the nodes that compute values which are no tensors, such as sequences; nothing where they are too many."""
    found = set(nodes)
    while missing := [name for name in graph.feeds(found) if not _is_tensor(graph, known, name)]:
        makers = {graph.maker[name] for name in missing if name in graph.maker}
        if len(makers) < len(missing) or len(found | makers) > len(nodes) + _MOST_ADDED:
            return frozenset()
        found |= makers
    return frozenset(found)
