"""Changes as text: for a terminal and as Markdown, in the same order.

Decides nothing, see `report.summary.changes`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tabulate import tabulate

from burn_verify.core.result import CaseResult
from burn_verify.core.text import harmless, sentences
from burn_verify.report.summary.changes import Change, Comparison, Kind
from burn_verify.report.summary.ends import first_line, headroom_of, reason_of
from burn_verify.report.summary.states import WRONG, state_of
from burn_verify.report.views.markdown import escape, table

_FOLDED: Final = (Kind.VANISHED, Kind.APPEARED)
_FOLD_FROM: Final = 20
_TEXT: Final = 100

MEANINGS: Final = {
    Kind.NEWLY_WRONG: "Newly wrong: an answer where there was none, or a right one, and it is not the expected one",
    Kind.REGRESSED: "Regressed: agreed, and fails now",
    Kind.LOST: "No evidence any more",
    Kind.SHRUNK: "Headroom shrunk: still agrees, but uses four times as much of its bound",
    Kind.MOVED: "Moved: fails as before, but elsewhere",
    Kind.FIXED: "Fixed",
    Kind.VANISHED: "Vanished: only in the old record",
    Kind.APPEARED: "Appeared: says something only in the new record",
}


def sentence(comparison: Comparison) -> str:
    """Count the changes in one line."""
    counts = Counter(change.kind for change in comparison.changes)
    lost = sum(state_of(change.before).passes for change in comparison.of(Kind.NEWLY_WRONG))
    # The others were refused or failed before: a wrong answer is no progress.
    more = {Kind.NEWLY_WRONG: f" ({lost} agreed before)"} if lost else {}
    counts_text = [f"{counts[kind]} {kind.value}{more.get(kind, '')}" for kind in Kind if counts[kind]]
    return f"{', '.join(counts_text) or 'nothing changed'}, {comparison.same} as before"


def as_text(comparison: Comparison) -> str:
    """Lay out a comparison for a terminal."""
    parts = [title(comparison), *surroundings(comparison)]
    parts.append(sentence(comparison))
    for kind, changes in _by_kind(comparison):
        shown, more = _folded(kind, changes)
        rows = [
            [change.case_id, sentences(before_of(change), _TEXT), sentences(after_of(change), _TEXT)]
            for change in shown
        ]
        lines = tabulate(rows, headers=["case", "before", "after"], disable_numparse=True)
        parts.append(f"\n{MEANINGS[kind]} ({len(changes)})\n{lines}" + (f"\n… {more} more" if more else ""))
    return harmless("\n".join(parts))


def as_markdown(comparison: Comparison) -> str:
    """Lay out a comparison as Markdown."""
    parts = [f"## {escape(title(comparison))}"]
    parts += ["\n".join(f"- {escape(line)}" for line in around)] if (around := surroundings(comparison)) else []
    parts.append(f"**{escape(sentence(comparison))}**")
    for kind, changes in _by_kind(comparison):
        shown, more = _folded(kind, changes)
        cells = [[escape(text) for text in (change.case_id, before_of(change), after_of(change))] for change in shown]
        lines = "\n".join(table(["case", "before", "after"], cells))
        parts.append(f"### {MEANINGS[kind]} ({len(changes)})\n\n{lines}" + (f"\n\n… {more} more" if more else ""))
    return "\n\n".join(parts) + "\n"


def before_of(change: Change) -> str:
    """Return in one line how the case ended before."""
    return _side(change.before, change.kind)


def after_of(change: Change) -> str:
    """Return in one line how the case ends now."""
    return _side(change.after, change.kind)


def ending_text(result: CaseResult) -> str:
    """Return in one line how a case ended, and why if it does not pass."""
    state = state_of(result)
    if state.passes:
        return state.word
    return f"{state.word}: {first_line(result) if state is WRONG else reason_of(result)}"


def _side(result: CaseResult | None, kind: Kind) -> str:
    if result is None:
        return "not there"
    headroom = headroom_of(result)
    if kind is Kind.SHRUNK and headroom is not None:
        return f"{state_of(result).word}, {headroom:.2g} of its bound"
    return ending_text(result)


def title(comparison: Comparison) -> str:
    """Return the names of the two sides."""
    before, after = comparison.before.label, comparison.after.label
    return after if before == after else f"{before} → {after}"


def surroundings(comparison: Comparison) -> list[str]:
    """Return in one line each the changes of the environment, and what is missing."""
    different = [
        f"environment: {difference.name}: {difference.before or 'none'} → {difference.after or 'none'}"
        for difference in comparison.differences
    ]
    gaps = [f"missing before: {gap}" for gap in comparison.gaps_before]
    return [*different, *gaps, *(f"missing: {gap}" for gap in comparison.gaps)]


def _by_kind(comparison: Comparison) -> Iterator[tuple[Kind, Sequence[Change]]]:
    for kind in Kind:
        if changes := comparison.of(kind):
            yield kind, changes


def _folded(kind: Kind, changes: Sequence[Change]) -> tuple[Sequence[Change], int]:
    if kind in _FOLDED and len(changes) > _FOLD_FROM:
        return changes[:_FOLD_FROM], len(changes) - _FOLD_FROM
    return changes, 0
