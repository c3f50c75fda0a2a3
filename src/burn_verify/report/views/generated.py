"""Generated graphs: a page a family with every cell of its operators, and one about all of them, as Markdown.

A cell is an operator in a version with a dtype, or a value of one of its axes. Its status follows from the graphs in it
by the rules of `operator_rows`, and the graph that decides it is named. Only words and tables are made here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.cases.generated.registry import FAMILIES, NO_GENERATOR, family_of, operators, versions_of
from burn_verify.core.result import CaseResult
from burn_verify.graph.operators import Operator, dtypes_of
from burn_verify.record.codec import Record
from burn_verify.report.summary.ends import End, end_of, own_operator, smallest
from burn_verify.report.summary.status import Status, status_of
from burn_verify.report.views.markdown import escape, made_with, table

_DECIDES: Final = {
    Status.VERIFIED: (End.AGREES,),
    Status.REFUTED: (End.WRONG, End.FAILED),
    Status.DOES_NOT_COMPILE: (End.NO_PROGRAM,),
    Status.REFUSED: (End.REFUSED, End.NO_VALUE),
    Status.UNTESTED: (End.RANDOM, End.DEVICE, End.NOT_SERVABLE, End.SILENT),
}

_INTRODUCTION: Final = """\
Each graph is one operator; its id says what is not at its default. A status follows from the graphs of a cell as in
SUPPORTED-OPS: one wrong answer refutes; all agree, verified; some agree and none is wrong, partly; else the graph that
got furthest decides. *agree* counts graphs that agree, of all. The graph that is named is the smallest that decides,
and of a cell that is partly verified the smallest that does not agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The status of the graphs of a cell; no `graph` where there is none."""

    status: Status
    agree: int
    total: int
    graph: str


def pages(record: Record) -> dict[str, str]:
    """Return the pages about generated graphs by file name; none where the record has no such graph."""
    found: dict[str, list[CaseResult]] = defaultdict(list)
    for result in record.results:
        if result.corpus == CORPUS and (name := own_operator(result)):
            found[name].append(result)
    if not found:
        return {}
    made = {"ops.md": _overview(record, found)}
    for family in FAMILIES:
        names = [operator for operator in operators() if family_of(operator.name) == family]
        parts = [f"# Operators of the family {family} with {made_with(record)}", _INTRODUCTION]
        parts += [part for operator in names for part in _operator(operator, found.get(operator.name, []))]
        made[f"ops-{family}.md"] = "\n\n".join(parts) + "\n"
    return made


def cell_of(results: Sequence[CaseResult]) -> Cell:
    """Return the status of graphs and the graph that decides it."""
    ends = [end_of(result) for result in results]
    status = status_of(ends)
    decisive = _DECIDES.get(status, tuple(end for end in End if end is not End.AGREES))
    deciding = [result for result, end in zip(results, ends, strict=True) if end in decisive]
    graph = smallest(deciding).case_id if deciding else ""
    return Cell(status=status, agree=ends.count(End.AGREES), total=len(results), graph=graph)


def refused_by_oracle(results: Iterable[CaseResult]) -> list[CaseResult]:
    """Return the graphs that no reference could run, also where Burn ended them before that mattered."""
    return [result for result in results if result.details.get("no_reference")]


def _overview(record: Record, found: Mapping[str, list[CaseResult]]) -> str:
    every = [result for results in found.values() for result in results]
    agree = sum(end_of(result) is End.AGREES for result in every)
    silent = refused_by_oracle(every)
    summary = (
        f"{agree} of {len(every)} generated graphs of {len(found)} operators agree. No reference runs {len(silent)} of "
        f"them ({len(silent) / len(every):.1%}): *oracle refused*."
    )
    parts = [f"# Generated graphs with {made_with(record)}", summary, _INTRODUCTION, "## Families", _families(found)]
    names = [operator.name for operator in operators()]
    rows = [[escape(name), escape(NO_GENERATOR[name])] for name in names if name in NO_GENERATOR]
    parts += ["## Operators without a generator", "\n".join(table(["operator", "why"], rows))]
    missing = [name for name in names if name not in found and name not in NO_GENERATOR]
    if missing:
        parts.append(f"Not selected in this run: {escape(', '.join(missing))}.")
    if silent:
        rows = [[escape(result.case_id), escape(str(result.details["no_reference"])[:160])] for result in silent]
        parts += ["## Oracle refused", "\n".join(table(["graph", "what the references say"], rows))]
    return "\n\n".join(parts) + "\n"


def _families(found: Mapping[str, list[CaseResult]]) -> str:
    rows = []
    for family in FAMILIES:
        results = [result for name, several in found.items() if family_of(name) == family for result in several]
        ends = [end_of(result) for result in results]
        counts = [str(ends.count(end)) for end in (End.AGREES, End.WRONG, End.FAILED, End.NO_PROGRAM, End.REFUSED)]
        refused = str(len(refused_by_oracle(results)))
        rows.append([f"[{family}](ops-{family}.md)", str(len(results)), *counts, refused])
    head = ["graphs", "agree", "wrong", "failed", "does not compile", "refused", "oracle refused"]
    return "\n".join(table(["family", *head], rows, right=head))


def _operator(operator: Operator, results: Sequence[CaseResult]) -> Iterator[str]:
    name = operator.name
    whole = cell_of(results)
    yield f"## {escape(name)}"
    if not results:
        yield "Not selected in this run."
        return
    yield f"**{whole.status}**: {whole.agree} of {whole.total} graphs agree."
    yield "\n".join(table(["version", "dtype", "status", "agree", "graph"], _cells(operator, results)))
    values: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for result in results:
        assert result.subject is not None
        for item in result.subject.axes:
            values[item].append(result)
    rows = [[escape(axis), escape(value), *_said(cell_of(group))] for (axis, value), group in sorted(values.items())]
    if rows:
        yield "\n".join(table(["axis", "value", "status", "agree", "graph"], rows))


def _cells(operator: Operator, results: Sequence[CaseResult]) -> list[list[str]]:
    """Return a row for each dtype of each version, those without a graph included."""
    groups: dict[tuple[int, str], list[CaseResult]] = defaultdict(list)
    for version in versions_of(operator):
        for dtype in dtypes_of(operator.op_type, operator.domain, version):
            groups[version, dtype] = []
    for result in results:
        assert result.subject is not None
        groups[result.subject.since_version, result.subject.dtype].append(result)
    return [[str(version), dtype, *_said(cell_of(group))] for (version, dtype), group in sorted(groups.items())]


def _said(cell: Cell) -> list[str]:
    return [str(cell.status), f"{cell.agree}/{cell.total}", escape(cell.graph)]
