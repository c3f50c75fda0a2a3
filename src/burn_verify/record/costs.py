"""Seconds by case, from records of earlier runs, to balance shards."""

from collections.abc import Iterable
from typing import Final

from burn_verify.record.codec import Record

OWN_STAGES: Final = ("load", "convert", "reference", "run", "compare")
"""Keys of `CaseResult.durations` that do not overlap."""

_LEAST: Final = 1e-3
"""The least cost of a case, in seconds; one from the cache is not free."""


def costs_of(records: Iterable[Record]) -> dict[str, float]:
    """Return seconds by case id, summed over the targets of a run.

    The time of work for all cases at once is divided among them.
    """
    costs: dict[str, float] = {}
    for record in records:
        share = float(record.phases.get("compile", 0.0)) / max(len(record.results), 1)
        for result in record.results:
            spent = share + sum(result.durations.get(stage, 0.0) for stage in OWN_STAGES)
            costs[result.case_id] = costs.get(result.case_id, 0.0) + max(_LEAST, spent)
    return costs
