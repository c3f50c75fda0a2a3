"""The failures of a record as histograms, messages by operator, as Markdown and for JSON.

Makes text and tables only; `error_lines` counts, `supported_ops` shows which operators work.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.text import counted, sentences
from burn_verify.record.codec import Record
from burn_verify.report.summary.ends import End, end_of, first_line, reason_of
from burn_verify.report.summary.error_lines import STAGES, Line, OperatorCount, Section, sections_of
from burn_verify.report.summary.lifted import After, LiftedCase, after
from burn_verify.report.summary.messages import message_and_rust
from burn_verify.report.views.lifted import after_json, removing_text
from burn_verify.report.views.markdown import escape, json_header, made_with, table

_TITLES: Final = {
    Stage.CONVERT: "Refused by burn-onnx",
    Stage.COMPILE: "Does not compile",
    Stage.RUN: "Failed at run time",
    Stage.COMPARE: "Wrong answers",
    Stage.LOAD: "Could not be loaded",
    Stage.REFERENCE: "Without a reference",
}
_EXAMPLE: Final = ("smallest case", "it says", "generated Rust")
_SHOWN_OPERATORS = 4
_TEXT = 120

_PREPARED: Final = """\
*After prepare*: how many of the cases agree once `burn-verify prepare` has rewritten them without any option, and by
which rewritings, the most frequent first: these remove the cause."""

_INTRODUCTION = """\
Each line is what was said, how many cases ended so, the operators they are about, and the smallest case: the fewest
operators, then the fewest input elements, then the shortest id. Wrong answers are told apart by operator. What the case
says is left out where it adds nothing. A case of a graph of several operators counts for the one that the failure
names, else for *several*. Folded below each table: the smallest case for each operator."""


def render(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> str:
    """Render the failures of a record, one table for each stage and kind.

    Args:
        record: one run.
        expected: case id → why its failure is expected.
        prepared: what `prepare` makes of failing cases, by id; without any, the column is left out.
    """
    sections = sections_of(record.results, expected or {})
    parts = [f"# What fails with {made_with(record)}", escape(_sentence(record.results)), _INTRODUCTION]
    parts += [_PREPARED] if prepared else []
    stage = None
    for section in sections:
        if section.stage is not stage:
            stage = section.stage
            count = sum(other.cases for other in sections if other.stage is stage)
            parts.append(f"## {_TITLES[stage]}\n\n{counted(count, 'case')}." + _note(stage, count))
        parts += _section(section, prepared)
    return "\n\n".join(parts) + "\n"


def as_json(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the same as values that JSON knows, nothing shortened."""
    sections = sections_of(record.results, expected or {})
    return {
        **json_header(record),
        "summary": _sentence(record.results),
        "sections": [
            {
                "stage": section.stage.value,
                "kind": section.kind,
                "cases": section.cases,
                "lines": [_line_json(line, prepared) for line in section.lines],
            }
            for section in sections
        ],
    }


def _sentence(results: Sequence[CaseResult]) -> str:
    device = sum(end_of(result) is End.DEVICE for result in results)
    failed = Counter(
        result.stage for result in results if result.outcome is Outcome.FAILED and end_of(result) is not End.DEVICE
    )
    parts = [f"{failed[stage]} at {stage.name}" for stage in STAGES]
    passed = sum(result.outcome is Outcome.PASSED for result in results)
    aside = sum(failed.values()) - sum(failed[stage] for stage in STAGES)
    skipped = sum(result.outcome is Outcome.SKIPPED for result in results)
    others = [
        text
        for count, text in (
            (passed, f"{passed} passed"),
            (aside, f"{aside} could not be loaded or had no reference"),
            (device, f"{device} need what the device lacks"),
            (skipped, f"{skipped} skipped"),
        )
        if count
    ]
    rest = f" (of the others, {', '.join(others)})" if others else ""
    return f"Of {counted(len(results), 'case')}, Burn fails {', '.join(parts[:-1])} and {parts[-1]}{rest}."


def _note(stage: Stage, count: int) -> str:
    several = stage is Stage.COMPILE and count
    return " A case counts once for each code that rustc gave it, so the lines may sum up to more." if several else ""


def _section(section: Section, prepared: Mapping[str, LiftedCase]) -> list[str]:
    if not section.lines:
        return []
    parts = [f"### {section.kind} ({counted(section.cases, 'case')})"] if section.kind else []
    rows = [
        [
            *(_count(line), _cell(line.title), escape(_operators(line.operators)), *_example(line.example, line.key)),
            escape(removing_text(_after(line, prepared))) if prepared else "",
        ]
        for line in section.lines
    ]
    parts.append(_table(["cases", _key(section), "operators", *_EXAMPLE, "after prepare"], rows))
    if fold := _fold(section):
        parts.append(fold)
    return parts


def _fold(section: Section) -> str:
    """Return the smallest case for each operator, of the lines that are about more than one."""
    rows = [
        [_cell(line.title), escape(operator.name), str(operator.count), *_example(operator.example, line.key)]
        for line in section.lines
        if len(line.operators) > 1
        for operator in line.operators
    ]
    table_of = _table([_key(section), "operator", "cases", *_EXAMPLE], rows)
    return f"<details><summary>by operator</summary>\n\n{table_of}\n\n</details>" if rows else ""


def _example(result: CaseResult, key: str) -> list[str]:
    message, rust = message_and_rust(result, key)
    return [escape(result.case_id), _cell(message), _cell(rust)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table without the columns that hold nothing."""
    kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    cells = [[row[place] for place in kept] for row in rows]
    return "\n".join(table([columns[place] for place in kept], cells, right=("cases",)))


def _key(section: Section) -> str:
    return "rustc" if section.stage is Stage.COMPILE else "reason"


def _cell(text: str) -> str:
    return escape(sentences(text, _TEXT))


def _operators(operators: Sequence[OperatorCount]) -> str:
    parts = [f"{operator.name} {operator.count}" for operator in operators[:_SHOWN_OPERATORS]]
    if len(operators) == 1:
        return operators[0].name
    more = len(operators) - _SHOWN_OPERATORS
    return ", ".join([*parts, f"{more} more"] if more > 0 else parts)


def _count(line: Line) -> str:
    return f"{line.count} ({line.expected} expected)" if line.expected else str(line.count)


def _after(line: Line, prepared: Mapping[str, LiftedCase]) -> After:
    return after((one.case_id for one in line.cases), prepared)


def _line_json(line: Line, prepared: Mapping[str, LiftedCase]) -> dict[str, Any]:
    return {
        **({"after_prepare": after_json(_after(line, prepared))} if prepared else {}),
        "key": line.key,
        "title": line.title,
        "count": line.count,
        "expected": line.expected,
        "example": _example_json(line.example, line.key),
        "operators": {
            operator.name: {"count": operator.count, "example": _example_json(operator.example, line.key)}
            for operator in line.operators
        },
    }


def _example_json(result: CaseResult, key: str) -> dict[str, Any]:
    return {
        "case_id": result.case_id,
        "reason": reason_of(result),
        "message": first_line(result),
        "rust": message_and_rust(result, key)[1] or None,
    }
