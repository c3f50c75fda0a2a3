"""The size of a model with its local functions in the place of their calls.

Thirty functions that call each other twice are a file of three kilobytes and a billion nodes; onnx and ONNX Runtime
unfold them all.
"""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Final, TypeAlias

import onnx

from burn_verify.graph import facts

MOST_NODES: Final = 1_000_000
"""More nodes than any model has that Burn could run: onnx and ONNX Runtime need minutes for so many."""

_Name: TypeAlias = tuple[str, str]


def unfolded(model: onnx.ModelProto) -> int:
    """Return the number of nodes; where functions call themselves, that of the nodes as they are written."""
    calls = {(one.domain, one.name): _calls(one.node) for one in model.functions}
    try:
        order = list(TopologicalSorter(calls).static_order())
    except CycleError:
        return sum(1 for _ in facts.nodes(model))
    sizes: dict[_Name, int] = {}
    for name in order:
        # What no function is called is a node of an operator.
        sizes[name] = _size(calls[name], sizes) if name in calls else 1
    return _size(_calls(model.graph.node), sizes)


def _calls(nodes: Iterable[onnx.NodeProto]) -> Counter[_Name]:
    """Count the operators of nodes and of the graphs inside them."""
    inner = onnx.ModelProto(graph=onnx.GraphProto(node=nodes))
    return Counter((node.domain, node.op_type) for node in facts.nodes(inner))


def _size(calls: Counter[_Name], sizes: dict[_Name, int]) -> int:
    return sum(count * sizes.get(name, 1) for name, count in calls.items())
