"""Cases by targets: as JSON, as Markdown for several targets, and the summary of a step of GitHub's CI.

Makes text and tables only; `columns` and `states` decide.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.targets import names
from burn_verify.core.text import counted, json_text, sentences
from burn_verify.record.targets import target_to_json
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import is_model, reason_of
from burn_verify.report.summary.findings import Counts, Findings, cell_json, counts_of, sentence
from burn_verify.report.summary.lifted import LiftedCase
from burn_verify.report.summary.sizes import sizes_of
from burn_verify.report.summary.states import RANK, STATES, State, state_of
from burn_verify.report.summary.tiers import tier_counts, tiers_json
from burn_verify.report.summary.totals import percent_after
from burn_verify.report.views import changes_text, tasks
from burn_verify.report.views.lifted import second_status
from burn_verify.report.views.markdown import bullets, escape, table
from burn_verify.report.views.side_by_side import difference_text

_NUMBERS: Final[tuple[tuple[str, Callable[[Counts], str]], ...]] = (
    ("agree / all", lambda numbers: _part(numbers.agree, numbers.total)),
    ("agree / attempted", lambda numbers: _part(numbers.agree, numbers.attempted)),
    ("wrong numbers", lambda numbers: str(numbers.wrong)),
    ("refused", lambda numbers: str(numbers.refused)),
    ("do not compile", lambda numbers: str(numbers.no_program)),
    ("fail at run time", lambda numbers: str(numbers.failed)),
    ("missing or not run", lambda numbers: str(numbers.missing)),
)


_NAMED: Final = 50
"""So many failing cases are named under a step; GitHub cuts a summary of more than a megabyte."""

_REASON: Final = 200


def render(findings: Findings) -> str:
    """Render the models of several targets side by side; what is not there is shown as missing."""
    columns = findings.matrix.columns
    prepared = [findings.prepared_on(column) for column in columns]
    parts = ["# Compatibility of ONNX models", *(escape(sentence(column)) for column in columns), _totals(findings)]
    parts += _lacking(columns)
    rows = [
        [
            escape(case_id),
            *(
                escape(", ".join(filter(None, _told(result, column, after))))
                for result, column, after in zip(results, columns, prepared, strict=True)
            ),
        ]
        for case_id, results in findings.matrix.rows.items()
        if all(result is None or is_model(result) for result in results)
    ]
    if rows:
        head = ["model", *(escape(column.target.label) for column in columns)]
        parts.append("## Models\n\n" + "\n".join(table(head, rows)))
    parts += _tasks(columns)
    parts += _between(findings)
    for column in columns:
        parts.append(
            f"## Environment: {escape(column.target.label)}\n\n" + "\n".join(bullets(column.record.environment))
        )
    return "\n\n".join(parts) + "\n"


def step_summary(findings: Findings) -> str:
    """Render the summary of a step of CI: the counts, what is missing and what changed."""
    columns = findings.matrix.columns
    parts = ["# burn-verify", *(escape(sentence(column)) for column in columns), _totals(findings), *_lacking(columns)]
    parts += _failing(findings)
    parts += _tasks(columns)
    parts += [changes_text.as_markdown(comparison).rstrip("\n") for comparison in findings.comparisons]
    parts += _between(findings)
    return "\n\n".join(parts) + "\n"


def _failing(findings: Findings) -> list[str]:
    """Name the cases of each target that did not pass though they should, the worst first."""
    parts = []
    for column, expected in zip(findings.matrix.columns, findings.expected, strict=True):
        failing = [
            one for one in column.record.results if one.outcome is Outcome.FAILED and one.case_id not in expected
        ]
        if not failing:
            continue
        failing.sort(key=lambda result: (RANK[state_of(result)], result.case_id))
        of = f" on {column.target.label}" if len(findings.matrix.columns) > 1 else ""
        lines = [
            f"- {escape(_word(state_of(one)))}: {escape(one.case_id)}: {escape(sentences(reason_of(one), _REASON))}"
            for one in failing[:_NAMED]
        ]
        more = [f"- … and {len(failing) - _NAMED} more"] if len(failing) > _NAMED else []
        parts.append(f"## {counted(len(failing), 'failure')} not expected{escape(of)}\n\n" + "\n".join([*lines, *more]))
    return parts


def json_lines(findings: Findings) -> str:
    """Return the JSON of the whole matrix, with one line for each case, for readable diffs."""
    value = as_json(findings)
    cases = value.pop("cases")
    lines = [f"  {_line(case_id)}: {_line(cells)}" for case_id, cells in cases.items()]
    head = json_text(value).removesuffix("\n}\n")
    return f'{head},\n "cases": {{\n' + ",\n".join(lines) + "\n }\n}\n"


def as_json(findings: Findings) -> dict[str, Any]:
    """Return the whole matrix with its evidence as JSON values."""
    columns = findings.matrix.columns
    prepared = [findings.prepared_on(column) for column in columns]
    return {
        "schema_version": 1,
        "complete": findings.matrix.complete,
        "states": {state.key: state.word for state in STATES},
        "targets": [_target_json(column) for column in columns],
        "cases": {
            case_id: [
                _short(cell_json(result, expected, column) | _second(result, after))
                for result, expected, column, after in zip(results, findings.expected, columns, prepared, strict=True)
            ]
            for case_id, results in findings.matrix.rows.items()
        },
    }


def _second(result: CaseResult | None, prepared: Mapping[str, LiftedCase]) -> dict[str, Any]:
    """Return the status after `prepare` of a case that was tried."""
    case = prepared.get(result.case_id) if result is not None else None
    return {"after_prepare": {"status": case.status.value, "rewritings": list(case.rewritings)}} if case else {}


def counts_json(numbers: Counts) -> dict[str, int]:
    """Return the counts by name."""
    return {name: getattr(numbers, name) for name in Counts.__slots__}


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _target_json(column: Column) -> dict[str, Any]:
    return {
        **target_to_json(column.target),
        "summary": sentence(column),
        "numbers": counts_json(counts_of(column)),
        "tiers": tiers_json(tier_counts(column.record.results)),
        "lacking": list(column.lacking),
        "environment": column.record.environment,
    }


def _short(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out empty values."""
    return {name: value for name, value in cell.items() if value not in (None, "", [], {})}


def _totals(findings: Findings) -> str:
    rows = [
        [escape(column.target.label), *(show(counts_of(column)) for _, show in _NUMBERS)]
        for column in findings.matrix.columns
    ]
    names = [name for name, _ in _NUMBERS]
    return "\n".join(table(["target", *names], rows, right=names))


def _lacking(columns: tuple[Column, ...]) -> list[str]:
    lines = [f"- ∅ {escape(line)}" for column in columns for line in column.lacking]
    return ["**Missing, and not counted as anything else**\n\n" + "\n".join(lines)] if lines else []


def _tasks(columns: tuple[Column, ...]) -> list[str]:
    """Render what came of labelled data sets."""
    several = len(columns) > 1
    parts = (
        tasks.as_markdown(column.record.results, column.target.label if several else "").rstrip("\n")
        for column in columns
    )
    return [part for part in parts if part]


def _between(findings: Findings) -> list[str]:
    """Render how neighbour targets differ: changed cases, then differences between answers."""
    parts = [changes_text.as_markdown(comparison).rstrip("\n") for comparison in findings.between]
    called = names(column.target for column in findings.matrix.columns)
    lines = [
        f"- {escape(difference.case_id)}: {escape(difference_text(difference, called))}"
        for column in findings.matrix.columns
        for difference in column.record.differences
    ]
    return [*parts, *(["## Different answers\n\n" + "\n".join(lines)] if lines else [])]


def _part(part: int, whole: int) -> str:
    return f"{part} of {whole}{percent_after(part, whole)}"


def _told(result: CaseResult | None, column: Column, prepared: Mapping[str, LiftedCase]) -> tuple[str, str, str]:
    second = second_status(result, prepared) if prepared else ""
    return _word(state_of(result, started=not column.failure)), _sizes(result), second


def _sizes(result: CaseResult | None) -> str:
    found = "" if result is None else sizes_of(result)
    return f"sizes {found}" if found else ""


def _word(state: State) -> str:
    return f"{state.symbol} {state.word}"
