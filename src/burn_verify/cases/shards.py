"""Which cases each of several machines runs: shards of about equal cost, cut alike by everyone who cuts.

Pure. Machines cannot ask one another, so the cut is a function of what all of them are given: the ids of the selected
cases and, where one is named, a record of what they cost before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from burn_verify.core.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of a selection.

    Attributes:
        index: from 1.
        count: shards of this cut.
        cases, of: how many cases it holds, and how many all shards hold.
        cut: a digest of the whole cut; shards that were cut differently must not be put together.
    """

    index: int
    count: int
    cases: int
    of: int
    cut: str


def cut(
    cases: Sequence[Case], index: int, count: int, costs: Mapping[str, float] | None = None
) -> tuple[tuple[Case, ...], Shard]:
    """Return the cases of a shard, in their order, and what to record of it.

    The dearest case first, each goes to the shard that has least to do (R. L. Graham, "Bounds on multiprocessing timing
    anomalies", 1969): no shard takes more than 4/3 of the time of the best cut.

    Arguments:
        index: from 1 to `count`.
        costs: seconds by case id. A case that is not in it costs the mean of its corpus, or of all.
    """
    known = costs or {}
    means = _means(cases, known)
    price = {case.id: known.get(case.id, means[case.corpus]) for case in cases}
    loads = [0.0] * count
    place: dict[str, int] = {}
    for case_id in sorted(price, key=lambda case_id: (-price[case_id], case_id)):
        place[case_id] = min(range(count), key=lambda shard: (loads[shard], shard))
        loads[place[case_id]] += price[case_id]
    own = tuple(case for case in cases if place[case.id] == index - 1)
    return own, Shard(index=index, count=count, cases=len(own), of=len(cases), cut=_digest(place.items()))


def _means(cases: Iterable[Case], costs: Mapping[str, float]) -> dict[str, float]:
    by_corpus: dict[str, list[float]] = {}
    for case in cases:
        by_corpus.setdefault(case.corpus, []).extend([costs[case.id]] if case.id in costs else [])
    overall = fmean(costs.values()) if costs else 1.0
    return {corpus: fmean(found) if found else overall for corpus, found in by_corpus.items()}


def _digest(places: Iterable[tuple[str, int]]) -> str:
    text = "\n".join(f"{case_id} {shard}" for case_id, shard in sorted(places))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
