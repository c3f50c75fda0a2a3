"""The division of a selection into shards of about equal cost, one for each machine.

Pure. Machines cannot ask one another, so the division is a function of the ids of the selected cases and, where one is
given, of a record with their costs.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from burn_verify.core.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of a selection.

    Attributes:
        index: from 1.
        count: shards of this division.
        cases, of: how many cases it holds, and how many all shards hold.
        cut: a digest of the whole division, by its name in the record; only shards of one division are put together.
    """

    index: int
    count: int
    cases: int
    of: int
    cut: str


def divide(
    cases: Sequence[Case], index: int, count: int, costs: Mapping[str, float] | None = None
) -> tuple[tuple[Case, ...], Shard]:
    """Return the cases of a shard, in their order, and the description of the shard for the record.

    Arguments:
        index: from 1 to `count`.
        costs: as for `places`.
    """
    place = places(cases, count, costs)
    own = tuple(case for case in cases if place[case.id] == index)
    cut = _digest((case_id, shard - 1) for case_id, shard in place.items())
    return own, Shard(index=index, count=count, cases=len(own), of=len(cases), cut=cut)


def places(cases: Sequence[Case], count: int, costs: Mapping[str, float] | None = None) -> dict[str, int]:
    """Return the shard of each case by its id, from 1.

    By falling cost, each case goes to the shard with the smallest sum so far (R. L. Graham, "Bounds on multiprocessing
    timing anomalies", 1969): no shard takes more than 4/3 of the time of the best division.

    Arguments:
        costs: seconds by case id. A case without an entry costs the mean of its corpus, or of all.
    """
    known = costs or {}
    means = _means(cases, known)
    price = {case.id: known.get(case.id, means[case.corpus]) for case in cases}
    loads = [(0.0, shard) for shard in range(1, count + 1)]
    found: dict[str, int] = {}
    for case_id in sorted(price, key=lambda case_id: (-price[case_id], case_id)):
        load, found[case_id] = loads[0]
        heapq.heapreplace(loads, (load + price[case_id], found[case_id]))
    return found


def _means(cases: Iterable[Case], costs: Mapping[str, float]) -> dict[str, float]:
    by_corpus: dict[str, list[float]] = {}
    for case in cases:
        by_corpus.setdefault(case.corpus, []).extend([costs[case.id]] if case.id in costs else [])
    overall = fmean(costs.values()) if costs else 1.0
    return {corpus: fmean(found) if found else overall for corpus, found in by_corpus.items()}


def _digest(places: Iterable[tuple[str, int]]) -> str:
    text = "\n".join(f"{case_id} {shard}" for case_id, shard in sorted(places))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
