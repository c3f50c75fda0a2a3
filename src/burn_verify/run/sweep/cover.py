"""Which models of many to run first: those that add operators and cells to what is covered. Greedy, and pure.

A cell is what of a node may decide whether Burn computes it, see `burn_verify.forecast.cells`.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.message import DecodeError

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case
from burn_verify.core.errors import LoadError
from burn_verify.core.progress import Listener, Progress
from burn_verify.forecast.cells import INTERFACE, TENSOR, Cell, cells
from burn_verify.system.cache import Cache

Items: TypeAlias = frozenset[str | Cell]
"""Operators, by their names, and cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """An order of models, those first that add most.

    Attributes:
        order: ids of all models.
        adds: the new operators and cells of each, in that order; empty for all models behind the cover.
        unread: ids of models that cannot be read, the last ones of the order: nothing is known of what they add.
    """

    order: tuple[str, ...]
    adds: tuple[Items, ...]
    unread: tuple[str, ...] = ()

    @property
    def needed(self) -> int:
        """How many models, the first ones, hold everything that any of them holds."""
        return sum(bool(new) for new in self.adds)

    def first(self, count: int) -> frozenset[str | Cell]:
        """Return what the first models hold."""
        return frozenset().union(*self.adds[:count])

    def rest(self, count: int) -> frozenset[str | Cell]:
        """Return what only the others hold."""
        return frozenset().union(*self.adds[count:])


def greedy(items: Mapping[str, Items], costs: Mapping[str, float] | None = None) -> Cover:
    """Order models: each is the one that adds most for its cost to those before it.

    A model that holds nothing new stays in the order of `items`. What a model adds never grows, so that a stale number
    is an upper limit, and only the first of the heap is counted again (M. Minoux, "Accelerated greedy algorithms for
    maximizing submodular set functions", 1978).
    """
    price = costs or {}
    place = {model: number for number, model in enumerate(items)}
    heap = [(-len(held) / price.get(model, 1.0), place[model], model) for model, held in items.items()]
    heapq.heapify(heap)
    covered: set[str | Cell] = set()
    order: list[str] = []
    adds: list[Items] = []
    while heap:
        _, number, model = heapq.heappop(heap)
        new = items[model] - covered
        worth = -len(new) / price.get(model, 1.0)
        if heap and (worth, number) > heap[0][:2]:
            heapq.heappush(heap, (worth, number, model))
            continue
        order.append(model)
        adds.append(new)
        covered |= new
    return Cover(order=tuple(order), adds=tuple(adds))


def cover(cases: Iterable[Case], cache: Cache, listen: Listener, costs: Mapping[str, float] | None = None) -> Cover:
    """Read every model and order them; one that cannot be read comes last."""
    every = tuple(cases)
    items: dict[str, Items] = {}
    unread = []
    for done, case in enumerate(every):
        listen(Progress(phase="load", done=done, total=len(every), text=case.id))
        held = _items(case, cache)
        if held is None:
            unread.append(case.id)
        else:
            items[case.id] = held
    found = greedy(items, costs)
    return Cover(
        order=(*found.order, *unread), adds=(*found.adds, *(frozenset() for _ in unread)), unread=tuple(unread)
    )


def operators(items: Collection[str | Cell]) -> list[str]:
    """Return the operators among items, sorted."""
    return sorted(item for item in items if isinstance(item, str))


def _items(case: Case, cache: Cache) -> Items | None:
    import onnx

    try:
        model = onnx.load(prepare(case, cache).model, format="protobuf", load_external_data=False)
        found = {_without_numbers(placed.cell) for placed in cells(model)}
    except (LoadError, DecodeError, ValueError, OSError):
        return None
    named = {cell.operator for cell in found} - {INTERFACE, TENSOR}
    return frozenset((*found, *named))


def _without_numbers(cell: Cell) -> Cell:
    """Return a cell without the values of floating-point constants: other weights are no other cell."""
    floats = {
        name.removesuffix(" dtype") for name, value in cell.facets if name.endswith(" dtype") and "float" in value
    }
    return Cell(cell.operator, tuple(pair for pair in cell.facets if pair[0].removesuffix(" value") not in floats))
