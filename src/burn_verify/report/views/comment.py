"""A comparison as a comment on a pull request: Markdown, one table, the smallest case of each group.

Decides nothing, see `report.summary.gate`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from burn_verify.cases.reproduce import reproduce_recorded
from burn_verify.core.text import sentences
from burn_verify.report.summary.changes import Change
from burn_verify.report.summary.gate import Gate, Group, first_of
from burn_verify.report.views.changes_text import after_of, before_of, surroundings, title
from burn_verify.report.views.markdown import escape, table

_TEXT: Final = 160
_NAMED: Final = 50
_HEADERS: Final = ["", "cases", "smallest", "before", "after"]


def render(gates: Sequence[Gate]) -> str:
    """Lay out comparisons as one comment; it ends in a newline."""
    return "\n\n".join(part for gate in gates for part in _parts(gate)) + "\n"


def nothing(alike: int) -> str:
    """Return the comment where every case is the same program on both sides."""
    return f"### burn-verify: nothing changed\n\n{_alike(alike)}\n"


def _parts(gate: Gate) -> Iterator[str]:
    counts = ", ".join(f"{len(changes)} {group.value}" for group, changes in gate.groups.items())
    none = "nothing is better or worse" if gate.comparison.changes else "nothing changed"
    yield f"### burn-verify: {counts or none}"
    yield escape(title(gate.comparison))
    if gate.groups:
        yield "\n".join(table(_HEADERS, [_row(group, changes) for group, changes in gate.groups.items()]))
    same = f"{gate.comparison.same} cases are as before."
    grouped = sum(len(changes) for group, changes in gate.groups.items() if group is not Group.SLOWER)
    if others := len(gate.comparison.changes) - grouped:
        same += f" {others} changed otherwise: they fail in another way, or pass with less to spare."
    yield same if gate.alike is None else f"{same} {_alike(gate.alike)}"
    if around := surroundings(gate.comparison):
        yield "\n".join(f"- {escape(line)}" for line in around)
    yield from (_details(group, changes, gate) for group, changes in gate.groups.items())


def _row(group: Group, changes: tuple[Change, ...]) -> list[str]:
    first = first_of(changes)
    before, after = _sides(group, first)
    texts = (first.case_id, sentences(before, _TEXT), sentences(after, _TEXT))
    return [group.value, str(len(changes)), *map(escape, texts)]


def _sides(group: Group, change: Change) -> tuple[str, str]:
    if group is Group.SLOWER and change.before is not None and change.after is not None:
        latencies = (change.before.latency, change.after.latency)
        ratios = [one.ratio for one in latencies if one is not None and one.ratio is not None]
        one, other = (f"{ratio.value:.2f} of ONNX Runtime's time" for ratio in ratios)
        return one, other
    return before_of(change), after_of(change)


def _details(group: Group, changes: tuple[Change, ...], gate: Gate) -> str:
    names = "\n".join(f"- {escape(change.case_id)}" for change in changes[:_NAMED])
    more = f"\n- … {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    first = first_of(changes)
    result = first.after or first.before
    again = "" if result is None else f"\n\n```\n{reproduce_recorded(result, gate.comparison.after)}\n```"
    return f"<details><summary>{group.value}: {len(changes)}</summary>\n\n{names}{more}{again}\n\n</details>"


def _alike(count: int) -> str:
    return f"{count} become the same Rust on both sides, and were not run."
