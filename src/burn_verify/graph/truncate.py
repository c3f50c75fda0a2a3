"""Prefixes of a model, and the time of the nodes between them from the times of the prefixes.

Takes and returns protobuf messages and seconds; opens no file and times nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import onnx

from burn_verify.graph.cut import Known, cut, graph_of

MOST: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """The first nodes of a model.

    Attributes:
        first, last: nodes since the prefix before, counted from 1 in the order of the graph.
        op_types: of those nodes.
        model: all nodes up to the last; its outputs are all tensors that later nodes read, so that nothing is dropped.
    """

    first: int
    last: int
    op_types: tuple[str, ...]
    model: onnx.ModelProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The nodes between two prefixes, and the seconds that they add.

    Attributes:
        below_noise: the difference is smaller than the spread of the calls of the two prefixes.
    """

    first: int
    last: int
    op_types: tuple[str, ...]
    burn: float
    onnxruntime: float | None
    below_noise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A prefix that was timed, in seconds."""

    prefix: Prefix
    burn: float
    onnxruntime: float | None
    iqr: float


def prefixes(model: onnx.ModelProto, most: int = MOST) -> list[Prefix]:
    """Truncate a model after every node, or, if it has more than `most`, at as many places, evenly.

    A place where a tensor of unknown type would become an output is left out.

    Raises:
        ValueError: the model has no nodes.
    """
    nodes = list(model.graph.node)
    if not nodes:
        msg = "a model without nodes has no prefix"
        raise ValueError(msg)
    count = min(most, len(nodes))
    places = sorted({round((place + 1) * len(nodes) / count) for place in range(count)})
    graph, nothing = graph_of(model), Known()
    made: list[Prefix] = []
    start = 0
    for place in places:
        computing = sum(node.op_type != "Constant" for node in nodes[:place])
        if (prefix := cut(graph, range(computing), nothing)) is None:
            continue
        op_types = tuple(node.op_type for node in nodes[start:place])
        made.append(Prefix(first=start + 1, last=place, op_types=op_types, model=prefix.model))
        start = place
    return made


def segments(timed: Sequence[Timed], every: Sequence[Prefix]) -> list[Segment]:
    """Return the seconds that the nodes between prefixes add; before the first prefix there is an empty model.

    Arguments:
        timed: the prefixes that could be timed; the nodes of the others belong to the next one that could.
        every: all prefixes.
    """
    made = []
    before: Timed | None = None
    for one in timed:
        burn = one.burn - (before.burn if before else 0.0)
        theirs = None if one.onnxruntime is None else one.onnxruntime - ((before.onnxruntime or 0.0) if before else 0.0)
        noise = (one.iqr + (before.iqr if before else 0.0)) / 2
        first = before.prefix.last + 1 if before else 1
        inside = [prefix for prefix in every if first <= prefix.last <= one.prefix.last]
        made.append(
            Segment(
                first=first,
                last=one.prefix.last,
                op_types=tuple(op_type for prefix in inside for op_type in prefix.op_types),
                burn=burn,
                onnxruntime=theirs,
                below_noise=burn <= noise,
            )
        )
        before = one
    return made


def slowest(found: Sequence[Segment], count: int = 5) -> list[Segment]:
    """Return the segments that add most to Burn's time, the slowest first, without those below the noise."""
    named = [segment for segment in found if not segment.below_noise]
    return sorted(named, key=lambda segment: -segment.burn)[:count]
