"""What a gate and a complete run say of one change, side by side, and the page about all of them. Runs nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tabulate import tabulate

from burn_verify.core.result import CaseResult
from burn_verify.record.codec import Record
from gating.changes import RELEASE, VERSION

Ends: TypeAlias = Mapping[str, Sequence[str | None]]
"""How each case ended: stage, outcome, verdict, failure and reason."""

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one run said of two checkouts.

    Attributes:
        seconds: of the whole command.
        ran: cases that were compiled and run.
        changed: ids of those that ended otherwise with the second checkout, or whose answers differ by more than the
            judge allows.
        after: how those ended with the second checkout.
        comment: the first line of the comment on the pull request.
    """

    seconds: float
    ran: int
    changed: Sequence[str]
    after: Ends
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change.

    Attributes:
        selection: what was run, as words of the command.
        building: seconds that the converter with the change took to be built, which both runs need.
        load: the machine's load average when the gate began.
        error: why there is no run, where there is none.
        markdown: the gate's whole comment, where it is to be shown.
    """

    name: str
    part: str
    selection: str = ""
    building: float = 0.0
    load: float = 0.0
    gate: Said | None = None
    complete: Said | None = None
    error: str = ""
    markdown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The two runs compared.

    Attributes:
        missed: cases that the complete run knows to have changed and the gate did not run, or says nothing about.
        otherwise: cases of which the gate says something else.
    """

    changed: int
    missed: Sequence[str] = field(default_factory=tuple)
    otherwise: Sequence[str] = field(default_factory=tuple)


def said(records: Sequence[Record], seconds: float, comment: str) -> Said:
    """Return what a run said, from its records: one of the checkout before, one of that after.

    Raises:
        ValueError: there are not two of them, or a checkout could not be used.
    """
    if len(records) != 2:
        message = f"{len(records)} records instead of those of two checkouts"
        raise ValueError(message)
    if failed := next((record.failure for record in records if record.failure), ""):
        raise ValueError(failed)
    before, after = ({result.case_id: _end(result) for result in record.results} for record in records)
    differ = {difference.case_id for record in records for difference in record.differences}
    changed = sorted(
        {case_id for case_id in before.keys() | after.keys() if before.get(case_id) != after.get(case_id)} | differ
    )
    ends = {case_id: after[case_id] for case_id in changed if case_id in after}
    return Said(seconds=seconds, ran=len(after), changed=changed, after=ends, comment=comment)


def recall(gate: Said, complete: Said) -> Recall:
    """Compare a gate with the complete run."""
    known = set(gate.changed)
    return Recall(
        changed=len(complete.changed),
        missed=tuple(case_id for case_id in complete.changed if case_id not in known),
        otherwise=tuple(
            case_id
            for case_id in gate.changed
            if case_id not in complete.after or gate.after.get(case_id) != complete.after[case_id]
        ),
    )


def page(rows: Sequence[Row], how: str, declared: Sequence[str]) -> str:
    """Return the page as Markdown.

    Arguments:
        how: what writes the page.
        declared: the names of all changes; those without a row are named as not tried.
    """
    done = [(row, recall(row.gate, row.complete)) for row in rows if row.gate and row.complete]
    planted = [(row, found) for row, found in done if row.part != RELEASE]
    releases = [(row, found) for row, found in done if row.part == RELEASE]
    parts = [
        "# The gate against the complete run",
        f"{how}",
        f"{len(planted)} changes of burn-onnx {VERSION}, one at a time. {_known(planted)}",
        *_tables(planted),
    ]
    if releases:
        parts += [
            "## Two releases",
            f"Their converters, as `--burn-onnx-path OLD,NEW`, on one Burn (`--burn-version`). {_known(releases)}",
            *_tables(releases),
        ]
    parts += [
        "*Ran* is how many cases were compiled and run with each checkout. *Changed* ended otherwise, or their answers "
        "differ by more than the judge allows; *missed* are those of the complete run that the gate does not name, "
        "*otherwise* those of which it says something else. *Converter* is what building burn-onnx with the change "
        "took, which both need first; where the same sources had been built before, it is less. "
        "A complete run comes after its gate, and finds in the cache what that converted "
        "and compiled: alone it takes longer. *Load* is the machine's when the gate began, on 2 cores.",
    ]
    parts += [f"- {row.name}: missed {_listed(found.missed)}" for row, found in done if found.missed]
    parts += [f"- {row.name}: otherwise {_listed(found.otherwise)}" for row, found in done if found.otherwise]
    parts += [f"- {row.name}: not run: {row.error}" for row in rows if row.error]
    known = {row.name for row in rows}
    if left := [name for name in declared if name not in known]:
        parts.append(f"Not tried yet: {'; '.join(left)}.")
    parts += [f"## The comment on {row.name}\n\n{row.markdown.strip()}" for row, _ in done if row.markdown]
    return "\n\n".join(parts) + "\n"


def _known(done: Sequence[tuple[Row, Recall]]) -> str:
    changed, missed = sum(found.changed for _, found in done), sum(len(found.missed) for _, found in done)
    return f"The complete runs know {changed} cases that changed; the gate misses {missed} of them."


def _tables(done: Sequence[tuple[Row, Recall]]) -> Iterator[str]:
    """Yield a table for each selection, under its words."""
    by_selection: dict[str, list[tuple[Row, Recall]]] = {}
    for row, found in done:
        by_selection.setdefault(row.selection, []).append((row, found))
    for selection, some in by_selection.items():
        yield f"`burn-verify verify {selection}`:"
        yield _table(some)


def _table(done: Sequence[tuple[Row, Recall]]) -> str:
    headers = (
        *("change", "in", "ran: gate", "complete", "changed", "missed", "otherwise"),
        *("gate, s", "complete, s", "converter, s", "load", "the gate's comment"),
    )
    rows = []
    for row, found in done:
        assert row.gate is not None
        assert row.complete is not None
        rows.append(
            (
                *(row.name, row.part, row.gate.ran, row.complete.ran),
                *(found.changed, len(found.missed), len(found.otherwise)),
                *(round(row.gate.seconds), round(row.complete.seconds), round(row.building), round(row.load, 1)),
                row.gate.comment,
            )
        )
    return tabulate(rows, headers, "github", disable_numparse=True)


def _end(result: CaseResult) -> tuple[str | None, ...]:
    return (
        str(result.stage),
        str(result.outcome),
        None if result.verdict is None else str(result.verdict),
        None if result.failure is None else str(result.failure),
        result.reason,
    )


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(f"`{case_id}`" for case_id in ids[:_SHOWN]) + more
