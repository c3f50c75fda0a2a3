"""What the shards of a sweep have done so far: their journals, read together.

A journal is a record with one run for each part that a shard verified. Decides what is done, what is left, and in which
groups; runs nothing.
"""

import calendar
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.result import CaseResult, Difference
from burn_verify.core.stage import FailureKind, Outcome
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import Record

PART: Final = 100
"""Models that are verified together: what is begun again where a process dies."""

ENOUGH: Final = 2
"""A model alone with which a process died so often is not tried again."""

_PIECES: Final = 8
"""Into so many groups a part is divided whose process died."""

_SAYS_NOTHING: Final = frozenset(
    {
        FailureKind.MACHINE,
        FailureKind.CLOSED,
        FailureKind.ENDED_FROM_OUTSIDE,
        FailureKind.NOT_STARTED,
        FailureKind.INTERNAL,
    }
)
"""Failures of the machine or of this program: the model is tried again by the next sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The journals of a sweep.

    Attributes:
        results: the result of each case on each target, as the record names it; of several, one that says something
            about the model, and of those a failure.
        differences: between targets, by case and targets, each once.
        environments: of every run, oldest first in each journal.
        lost: for each case that was begun in a run that died, and has no result of that run: how many cases were.
        died: how often a run of this case alone died.
        failures: of targets that could not be built or started.
    """

    results: Mapping[tuple[str, Target], CaseResult] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    environments: tuple[Mapping[str, object], ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)
    died: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[Target, str] = field(default_factory=dict)

    def left(self, cases: Iterable[Case], targets: Sequence[Target]) -> list[Case]:
        """Return the cases that have no result on a target, or one that says nothing of the model."""
        return [case for case in cases if not all(self._says(case.id, target) for target in targets)]

    def exhausted(self, cases: Iterable[Case]) -> list[Case]:
        """Return the cases of which nothing is to be expected but another dead process."""
        return [case for case in cases if self.died.get(case.id, 0) >= ENOUGH]

    def parts(self, cases: Sequence[Case], most: int = PART) -> list[tuple[Case, ...]]:
        """Return cases in groups that are verified together: smaller ones, down to single ones, of what died before."""
        groups: dict[int, list[Case]] = {}
        for case in cases:
            size = self.lost.get(case.id)
            groups.setdefault(most if size is None else min(most, -(-size // _PIECES)), []).append(case)
        # What died comes last: everything else is safe by then.
        return [
            tuple(some[place : place + size])
            for size, some in sorted(groups.items(), reverse=True)
            for place in range(0, len(some), size)
        ]

    def _says(self, case_id: str, target: Target) -> bool:
        result = self.results.get((case_id, target))
        return result is not None and says_something(result)


def says_something(result: CaseResult) -> bool:
    """Return whether a result is one of the model, not of the machine or of this program."""
    return result.failure not in _SAYS_NOTHING


def read(folder: Path, cases: Iterable[Case] = ()) -> Journal:
    """Read every journal of a folder.

    Arguments:
        cases: results of a file that was changed after the run began are left out.

    Raises:
        UsageError: a journal is damaged elsewhere than at the end of a run; the message names file and line.
    """
    changed = {case.id: _changed(case) for case in cases}
    results: dict[tuple[str, Target], CaseResult] = {}
    differences: dict[tuple[str, Target, Target], Difference] = {}
    environments: list[Mapping[str, object]] = []
    lost: dict[str, int] = {}
    died: dict[str, int] = {}
    failures: dict[Target, str] = {}
    for run in _runs(folder):
        environments.append(run[0].environment)
        began = _began(run[0])
        for record in run:
            for result in record.results:
                if began >= changed.get(result.case_id, 0):
                    key = (result.case_id, record.target)
                    results[key] = _better(results.get(key), result)
            differences |= {(one.case_id, one.before, one.after): one for one in record.differences}
            if record.failure:
                failures[record.target] = record.failure
        without = _without(run)
        lost |= {case_id: min(len(without), lost.get(case_id, len(without))) for case_id in without}
        if len(run[0].selection or ()) == 1:
            died |= {case_id: died.get(case_id, 0) + 1 for case_id in without}
    return Journal(
        results=results,
        differences=tuple(differences.values()),
        environments=tuple(environments),
        lost=lost,
        died=died,
        failures=failures,
    )


def _runs(folder: Path) -> Iterator[tuple[Record, ...]]:
    for path in sorted(folder.glob("*.jsonl")):
        # An empty file: a shard died before its first line.
        yield from store.every_run(path)


def _without(run: Sequence[Record]) -> list[str]:
    """Return the cases without a result of a run that died; a run that ended, or was told to, says how long it took."""
    if any(record.phases for record in run):
        return []
    selected = {case_id for record in run for case_id in record.selection or ()}
    done = [{result.case_id for result in record.results} for record in run]
    return sorted(case_id for case_id in selected if not all(case_id in ids for ids in done))


def _better(one: CaseResult | None, other: CaseResult) -> CaseResult:
    """Return the result that counts of two of the same case and target."""
    if one is None:
        return other
    return max(one, other, key=lambda result: (says_something(result), result.outcome is Outcome.FAILED))


def _changed(case: Case) -> float:
    """Return when the file of a case was changed, in whole seconds since 1970; 0 where there is none here."""
    source = case.source
    return int(source.path.stat().st_mtime) if isinstance(source, ModelFile) and source.path.is_file() else 0


def _began(record: Record) -> float:
    try:
        return calendar.timegm(time.strptime(str(record.environment.get("started")), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return 0.0
