"""Update of expected failures: from the text of a file and the results of a run to the new text.

Reads and writes no file. A reason that is there stays; the reason of a new entry is that of the result.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.text import without_numbers
from burn_verify.expectations.document import key_of, read, render
from burn_verify.expectations.match import EXAMPLES, Expectation, Expectations, has_wildcard, were_drawn

_NO_EVIDENCE: Final = {
    FailureKind.INTERNAL: "internal error",
    FailureKind.NO_RESULT: "no result",
    FailureKind.USAGE: "wrong description",
    FailureKind.TIMEOUT: "timeout",
    FailureKind.MEMORY: "memory",
    FailureKind.CLOSED: "closed",
    FailureKind.ENDED_FROM_OUTSIDE: "ended from outside",
    FailureKind.NOT_STARTED: "its process was not started",
    FailureKind.NOT_SERVABLE: "not servable",
    FailureKind.DEVICE: "the device lacks what it needs",
}
"""What the machine, its load or the limits of the run decided, in a few words."""

_HERE: Final = "passes here"
_MORE_ERRORS: Final = re.compile(r" \(\+\d+ more\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A file of expectations after a run.

    Attributes:
        text: the whole file.
        added, removed, moved, kept: patterns; one that moved is expected at another stage now.
        passed_over: ids of failures that say nothing about Burn, by the cause; their expectations stay.
    """

    text: str
    added: int
    removed: int
    moved: int
    kept: int
    passed_over: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """The stage at which a case failed, None where it passed, and whether values were drawn for it."""

    stage: Stage | None
    drawn: bool

    def is_as(self, entry: Expectation) -> bool:
        """Return whether an entry says so, or says what this run did not ask."""
        if self.stage is None and entry.drawn and not self.drawn:
            return True
        if self.stage is None or entry.stage is None:
            return entry.stage is self.stage
        return entry.drawn == self.drawn and self.stage in entry.stages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """How cases ended, and the cases whose result says nothing about Burn."""

    endings: Mapping[str, _Ending]
    failures: Mapping[str, CaseResult]
    unclear: tuple[str, ...]
    passed_over: Mapping[str, tuple[str, ...]]


def updated(
    text: str, source: str, results: Iterable[CaseResult], header: str, inherited: Sequence[Expectation] = ()
) -> Revision:
    """Return a file of expectations in which exactly the failures of a run are expected.

    Cases without a conclusive result keep their expectations. A second update with the same results changes nothing.

    Arguments:
        text: the file so far, empty for a new one.
        source: its name, for messages.
        results: of one run; the last result of a case counts.
        header: comments for a file that starts with none.
        inherited: inherited expectations; equal ones are not written again.

    Raises:
        UsageError: the text is not a file of expectations; names ``source:line``.
    """
    document = read(text, source)
    live = {entry.pattern: entry for block in document.blocks for entry in block.entries}
    # An entry that a later one repeats has no effect.
    before = [entry for block in document.blocks for entry in block.entries if live[entry.pattern] is entry]
    evidence = _evidence(results)
    after = _revised(before, evidence, inherited)
    now = {entry.pattern: (entry.stage, entry.drawn) for entry in after}
    both = [entry for entry in before if entry.pattern in now]
    kept = sum(now[entry.pattern] == (entry.stage, entry.drawn) for entry in both)
    return Revision(
        text=render(document, after, header),
        added=len(after) - len(both),
        removed=len(before) - len(both),
        moved=len(both) - kept,
        kept=kept,
        passed_over=evidence.passed_over,
    )


def no_evidence(result: CaseResult) -> str | None:
    """Return in a few words why a failure says nothing about Burn, None if it does.

    Failures from the machine, its load or the limits of the run are no evidence: the next run may end differently.
    """
    if result.failure is FailureKind.MACHINE:
        return result.reason
    if result.failure in _NO_EVIDENCE:
        return _NO_EVIDENCE[result.failure]
    return None if _can_be_named(result.case_id) else "an id that no entry can name"


def cause(result: CaseResult) -> str:
    """Return a result's reason without the parts of this case alone, so that equal causes are equal texts."""
    text = result.reason.strip() or result.message.strip().partition("\n")[0]
    text = without_numbers(_MORE_ERRORS.sub("", text))
    # A lone surrogate cannot be written to a file.
    return " ".join(text.encode("utf-8", "replace").decode().split()) or "failed without a word"


def _evidence(results: Iterable[CaseResult]) -> _Evidence:
    last = {result.case_id: result for result in results}
    endings: dict[str, _Ending] = {}
    unclear = []
    passed_over: dict[str, list[str]] = defaultdict(list)
    for case_id, result in sorted(last.items()):
        if result.outcome is Outcome.PASSED:
            endings[case_id] = _Ending(stage=None, drawn=were_drawn(result))
        elif result.outcome is Outcome.SKIPPED:
            unclear.append(case_id)
        elif why := no_evidence(result):
            unclear.append(case_id)
            passed_over[why].append(case_id)
        else:
            endings[case_id] = _Ending(stage=result.stage, drawn=were_drawn(result))
    return _Evidence(
        endings=endings,
        failures={case_id: last[case_id] for case_id, ending in endings.items() if ending.stage is not None},
        unclear=tuple(filter(_can_be_named, unclear)),
        passed_over={why: tuple(ids) for why, ids in passed_over.items()},
    )


def _revised(before: Sequence[Expectation], evidence: _Evidence, inherited: Sequence[Expectation]) -> list[Expectation]:
    """Keep entries that still hold or have no result; add entries for the other failures."""
    shared = Expectations(inherited)
    stays = [entry for entry in before if _holds(entry, evidence.endings) and not _repeats(entry, shared)]
    old, new = Expectations([*inherited, *before]), Expectations([*inherited, *stays])
    added = []
    for case_id, result in evidence.failures.items():
        was, now, ending = old.of(case_id), new.of(case_id), evidence.endings[case_id]
        if was is not None and ending.is_as(was):
            # The ids that replace a wildcard keep its reason.
            left = replace(was, pattern=case_id)
            added += [left] if now is not was and not _repeats(left, shared) else []
        elif now is None or not ending.is_as(now):
            added.append(_explained(case_id, result, [*inherited, *before]))
    added += [
        Expectation(pattern=case_id, stage=None, reason=_HERE, source="", line=0)
        for case_id, ending in evidence.endings.items()
        if ending.stage is None and (now := new.of(case_id)) is not None and not ending.is_as(now)
    ]
    for case_id in evidence.unclear:
        was = old.of(case_id)
        if was is not None and new.of(case_id) is not was and not _repeats(replace(was, pattern=case_id), shared):
            added.append(replace(was, pattern=case_id))
    return stays + added


def _repeats(entry: Expectation, shared: Expectations) -> bool:
    """Return whether an entry repeats an inherited one, or expects a pass where no failure is expected."""
    if has_wildcard(entry.pattern):
        return False
    known = shared.of(entry.pattern)
    if entry.stage is None:
        return known is None
    return known is not None and (known.stage, known.drawn) == (entry.stage, entry.drawn)


def _holds(entry: Expectation, endings: Mapping[str, _Ending]) -> bool:
    if not has_wildcard(entry.pattern):
        return entry.pattern not in endings or endings[entry.pattern].is_as(entry)
    alone = Expectations([entry])
    return all(ending.is_as(entry) for case_id, ending in endings.items() if alone.entry_of(case_id) is not None)


def _explained(case_id: str, result: CaseResult, before: Iterable[Expectation]) -> Expectation:
    """Return a new expectation for a failure, with the link of an entry that has the same reason."""
    on = (EXAMPLES,) if were_drawn(result) else ()
    new = Expectation(pattern=case_id, stage=result.stage, reason=cause(result), source="", line=0, on=on)
    alike = (entry.link for entry in before if key_of(entry)[:3] == key_of(new)[:3] and entry.link)
    return replace(new, link=next(alike, None))


def _can_be_named(case_id: str) -> bool:
    # A wildcard cannot be escaped: the entry would match other cases too.
    whole = bool(case_id.strip()) and not has_wildcard(case_id)
    return whole and case_id == case_id.encode("utf-8", "replace").decode()
