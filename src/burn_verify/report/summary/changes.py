"""Changes from one run to another, case by case, the worst first.

Pure. A case without evidence on one side is neither better nor worse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.target import Target
from burn_verify.core.targets import neighbours
from burn_verify.core.text import plain
from burn_verify.record.targets import target_environment
from burn_verify.report.summary.columns import Column, Matrix
from burn_verify.report.summary.ends import headroom_of
from burn_verify.report.summary.states import LOOSE, RANK, WRONG, state_of

SHRUNK: Final = 4.0
"""The growth of a headroom that counts as a change."""

_QUIET: Final = 1e-3
"""A headroom below this is no change."""

_ALWAYS_DIFFERENT: Final = ("started", "shard")


class Kind(StrEnum):
    """The kinds of changes of a case, the worst first."""

    NEWLY_WRONG = "newly wrong"  # an answer, and a wrong one; whatever it was before
    REGRESSED = "regressed"  # passed, and fails now
    LOST = "no evidence any more"
    SHRUNK = "headroom shrunk"  # passes, with less to spare
    MOVED = "moved"  # fails at another stage, or in another way
    FIXED = "fixed"
    VANISHED = "vanished"
    APPEARED = "appeared"


REGRESSIONS: Final = (Kind.NEWLY_WRONG, Kind.REGRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case that changed; None on the side where it is absent."""

    kind: Kind
    case_id: str
    before: CaseResult | None
    after: CaseResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value of the environment that changed, and may be the cause of a change."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One target in two runs, or two targets.

    Attributes:
        changes: by kind and by how the case ends now, the worst first, then by id.
        same: number of cases without a change.
        gaps, gaps_before: in one line each, what the new run, or the old one, lacks.
    """

    before: Target
    after: Target
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    same: int
    gaps: tuple[str, ...] = ()
    gaps_before: tuple[str, ...] = ()

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """Return the changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def compare(old: Matrix, new: Matrix) -> tuple[Comparison, ...]:
    """Compare the targets that both have, or the only one with the only one; empty where nothing can be compared."""
    if len(old.columns) == len(new.columns) == 1:
        pairs = [(old.columns[0], new.columns[0])]
    else:
        before = {column.target: column for column in old.columns}
        pairs = [(before[column.target], column) for column in new.columns if column.target in before]
    made = (compare_columns(*pair) for pair in pairs)
    return tuple(comparison for comparison in made if comparison is not None)


def between(columns: Sequence[Column]) -> tuple[Comparison, ...]:
    """Compare the columns of targets that are neighbours, see `burn_verify.core.targets.neighbours`."""
    by_target = {column.target: column for column in columns if not column.failure}
    pairs = neighbours(tuple(by_target))
    made = (compare_columns(by_target[pair.before], by_target[pair.after]) for pair in pairs)
    return tuple(_beside_targets(comparison) for comparison in made if comparison is not None)


def _beside_targets(comparison: Comparison) -> Comparison:
    """Leave out differences of the environment that are in the names of the targets."""
    named = {name for target in (comparison.before, comparison.after) for name in target_environment(target)}
    return replace(comparison, differences=tuple(one for one in comparison.differences if one.name not in named))


def compare_columns(old: Column, new: Column) -> Comparison | None:
    """Compare two columns; None where they have no case in common."""
    before = {result.case_id: result for result in old.record.results}
    after = {result.case_id: result for result in new.record.results}
    if not before.keys() & after.keys():
        return None
    missing = set(new.missing)
    changes = [
        Change(kind=kind, case_id=case_id, before=before.get(case_id), after=after.get(case_id))
        for case_id in before.keys() | after.keys()
        if case_id not in missing and (kind := kind_of(before.get(case_id), after.get(case_id)))
    ]
    order = {kind: place for place, kind in enumerate(Kind)}
    return Comparison(
        before=old.target,
        after=new.target,
        differences=tuple(_differences(old.record.environment, new.record.environment)),
        changes=tuple(
            sorted(changes, key=lambda change: (order[change.kind], RANK[state_of(change.after)], change.case_id))
        ),
        same=len((before.keys() & after.keys()) - {change.case_id for change in changes}),
        gaps=new.lacking,
        gaps_before=old.lacking,
    )


def kind_of(before: CaseResult | None, after: CaseResult | None) -> Kind | None:
    """Return the kind of change of a case, None where there is none."""
    if before is None or after is None:
        return Kind.APPEARED if before is None else Kind.VANISHED
    was, now = state_of(before), state_of(after)
    if now is WRONG:
        return None if was is WRONG else Kind.NEWLY_WRONG
    if was.speaks != now.speaks:
        return Kind.LOST if was.speaks else Kind.APPEARED
    if was.passes != now.passes:
        return Kind.REGRESSED if was.passes else Kind.FIXED
    if now.passes:
        return Kind.SHRUNK if now is LOOSE is not was or _shrank(before, after) else None
    return Kind.MOVED if (was, before.stage) != (now, after.stage) else None


def exit_code(comparisons: Sequence[Comparison]) -> int:
    """Return 0 without regressions, 1 for regressions, 2 where a part cannot be compared.

    A case that passed and has no evidence any more is a regression as well.
    """
    if any(comparison.of(*REGRESSIONS) or any(map(_lost, comparison.changes)) for comparison in comparisons):
        return 1
    return 2 if not comparisons or any(comparison.gaps for comparison in comparisons) else 0


def _lost(change: Change) -> bool:
    return change.kind is Kind.LOST and state_of(change.before).passes


def _shrank(before: CaseResult, after: CaseResult) -> bool:
    was, now = headroom_of(before), headroom_of(after)
    return was is not None and now is not None and now > max(_QUIET, was) and now >= SHRUNK * was


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        if name not in _ALWAYS_DIFFERENT and before.get(name) != after.get(name):
            yield Difference(name=name, before=plain(before.get(name)), after=plain(after.get(name)))
