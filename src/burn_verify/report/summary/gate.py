"""What a pull request has to know of a comparison: groups of changes, the worst first, and what became slower.

Pure. `report.summary.changes` decides what changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.changes import Change, Comparison, Kind
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import smallest
from burn_verify.report.summary.states import state_of


class Group(StrEnum):
    """The groups, the worst first."""

    NEWLY_WRONG = "newly wrong"
    NEWLY_REFUSED = "newly refused"
    NEWLY_FAILING = "newly failing"  # does not compile, or fails at run time
    LOST = "no evidence any more"
    SLOWER = "slower"
    FIXED = "fixed"


BAD = (Group.NEWLY_WRONG, Group.NEWLY_REFUSED, Group.NEWLY_FAILING, Group.LOST)
"""Groups that are regressions; what is slower is said, and decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A comparison in groups.

    Attributes:
        groups: the changes of each group that has any, by case id.
        alike: cases that are the same program on both sides, and were not run; None where all were.
    """

    comparison: Comparison
    groups: Mapping[Group, tuple[Change, ...]]
    alike: int | None = None

    @property
    def fails(self) -> bool:
        """Whether the change makes anything worse."""
        return any(group in self.groups for group in BAD)


def gate(comparison: Comparison, old: Column, new: Column) -> Gate:
    """Divide the changes between two columns into groups."""
    found: dict[Group, list[Change]] = {}
    for change in comparison.changes:
        if (group := _group_of(change)) is not None:
            found.setdefault(group, []).append(change)
    if slow := _slower(old, new):
        found[Group.SLOWER] = slow
    alike = new.record.environment.get("alike")
    groups = {group: tuple(sorted(found[group], key=lambda one: one.case_id)) for group in Group if group in found}
    return Gate(comparison=comparison, groups=groups, alike=alike if isinstance(alike, int) else None)


def first_of(changes: tuple[Change, ...]) -> Change:
    """Return the change to look at first: that of the smallest model."""
    by_result = {id(result): change for change in changes if (result := change.after or change.before) is not None}
    results = [result for change in changes if (result := change.after or change.before) is not None]
    return by_result[id(smallest(results))]


def _group_of(change: Change) -> Group | None:
    if change.kind is Kind.NEWLY_WRONG:
        return Group.NEWLY_WRONG
    if change.kind is Kind.FIXED:
        return Group.FIXED
    if change.kind is Kind.LOST:
        return Group.LOST if state_of(change.before).passes else None
    if change.kind not in (Kind.REGRESSED, Kind.MOVED):
        return None
    if _refused(change.after) and not _refused(change.before):
        return Group.NEWLY_REFUSED if change.kind is Kind.REGRESSED else None
    return Group.NEWLY_FAILING if change.kind is Kind.REGRESSED else None


def _refused(result: CaseResult | None) -> bool:
    return result is not None and result.outcome is Outcome.FAILED and result.stage is Stage.CONVERT


def _slower(old: Column, new: Column) -> list[Change]:
    """Return cases whose time, as a share of ONNX Runtime's, grew by more than both intervals allow."""
    before = {result.case_id: result for result in old.record.results}
    pairs = [(before[result.case_id], result) for result in new.record.results if result.case_id in before]
    return [
        Change(kind=Kind.SHRUNK, case_id=after.case_id, before=was, after=after)
        for was, after in pairs
        if _is_slower(was, after)
    ]


def _is_slower(before: CaseResult, after: CaseResult) -> bool:
    ratios = [None if one.latency is None or one.latency.why else one.latency.ratio for one in (before, after)]
    was, now = ratios
    return was is not None and now is not None and not (was.noisy or now.noisy) and now.low > was.high
