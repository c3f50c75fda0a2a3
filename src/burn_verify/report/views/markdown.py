"""The compatibility matrix of one run, in Markdown.

A function of the record alone: rendering it again gives the same text.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.text import counted, one_line, plain
from burn_verify.record.codec import Record
from burn_verify.report.summary.forecasts import Forecasts, forecasts_of
from burn_verify.report.summary.lifted import LiftedCase
from burn_verify.report.summary.totals import Totals, summary, totals_lines
from burn_verify.report.views.lifted import second_status
from burn_verify.report.views.terminal import COLUMNS, fold_skipped, row_of

_NAMED = 20
"""So many cases that ended otherwise than forecast are named."""

_SPECIAL = re.compile(r"([\\`*_|\[\]~])")


def render(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> str:
    """Render a record: one sentence, the environment, a row a case, the totals.

    Args:
        record: one run.
        expected: case id → why its failure is expected; without it every failure is just a failure.
        prepared: what `prepare` makes of failing models, by id; without any, the column is left out.
    """
    expected = expected or {}
    totals = summary(record.results, expected)
    shown, folds = fold_skipped(record.results)
    parts = [f"# Compatibility of ONNX models with {made_with(record)}", _sentence(totals)]
    if record.environment:
        parts.append("## Environment\n\n" + "\n".join(bullets(record.environment)))
    if shown:
        parts.append("## Models\n\n" + "\n".join(_table(shown, expected, prepared)))
    parts.extend(escape(fold) for fold in folds)
    parts.append("## Totals\n\n" + "\n".join(f"- {escape(line)}" for line in totals_lines(totals)))
    parts += _forecasts(forecasts_of(record.results))
    return "\n\n".join(parts) + "\n"


def _forecasts(found: Forecasts) -> list[str]:
    given = found.right + len(found.wrong)
    if not given:
        return []
    lines = [
        f"{found.right} of {counted(given, 'forecast')} came true; of {counted(found.unsaid, 'case')} none was made"
    ]
    lines += [f"came otherwise: `{case_id}`" for case_id in found.wrong[:_NAMED]]
    if len(found.wrong) > _NAMED:
        lines.append(f"and {len(found.wrong) - _NAMED} more")
    return ["## Forecasts\n\n" + "\n".join(f"- {line}" for line in lines)]


def escape(text: str) -> str:
    """Make a text safe inside a cell of a table: one line, and nothing in it is markup."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def made_with(record: Record) -> str:
    """Name what a record was made with, safe to show."""
    return escape(record.target.label)


def json_header(record: Record) -> dict[str, Any]:
    """Return what every JSON file made from a record begins with."""
    return {
        "schema_version": 1,
        "burn_version": record.target.burn,
        "burn_backend": record.target.backend,
        "burn_onnx": record.target.burn_onnx or record.environment.get("burn_onnx"),
    }


def _sentence(totals: Totals) -> str:
    if not totals.total:
        return "No model was verified."
    refused = totals.failed_at[Stage.CONVERT] + totals.failed_at[Stage.COMPILE]
    rest = totals.total - totals.agree - refused - totals.skipped
    clauses = [f"{totals.agree} of {counted(totals.total, 'model')} compute what ONNX Runtime computes"]
    if refused:
        clauses.append(f"{refused} did not become a program")
    if rest:
        clauses.append(f"{rest} failed otherwise")
    if totals.skipped:
        clauses.append(f"{totals.skipped} could not be tried")
    return ", ".join(clauses) + "."


def bullets(mapping: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return the lines of a list of everything that a mapping holds."""
    lines = []
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}- {escape(str(key))}:", *bullets(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}- {escape(str(key))}: {escape(plain(value))}".rstrip())
    return lines


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> list[str]:
    """Return the lines of a table whose cells are safe already; `right` names the columns of numbers."""
    rules = ["---:" if column in right else "---" for column in columns]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rules, *rows)]


def _table(results: Sequence[CaseResult], expected: Mapping[str, str], prepared: Mapping[str, LiftedCase]) -> list[str]:
    rows = [row_of(result, expected) for result in results]
    second = [(second_status(result, prepared),) if prepared else () for result in results]
    cells = [
        [escape(text) for text in (*row.cells, *after, row.reason)] for row, after in zip(rows, second, strict=True)
    ]
    columns = [*COLUMNS, *(["after prepare"] if prepared else []), "reason"]
    return table(columns, cells, right=("max abs", "ULP", "outputs", "sizes"))
