"""Every file of a report, by name: for several targets, with changes and earlier runs.

Writes nothing. `artefacts` makes the files of one record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.core.result import CaseResult
from burn_verify.core.text import json_text
from burn_verify.record.codec import Record
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import is_model
from burn_verify.report.summary.findings import Findings
from burn_verify.report.summary.lifted import LiftedCase
from burn_verify.report.views import failures, junit, latency, markdown, matrix, page, supported_ops, tasks
from burn_verify.report.views.markdown import escape


def files(findings: Findings) -> dict[str, str]:
    """Return text by path below the folder of the report.

    A file about one target, such as SUPPORTED-OPS.md, is at the top for the newest target, and in a folder of its own
    for each of the others.
    """
    columns = findings.matrix.columns
    made = {"index.html": page.render(findings), "matrix.json": matrix.json_lines(findings)}
    made["junit.xml"] = junit.render(findings)
    for place, (column, expected) in enumerate(zip(columns, findings.expected, strict=True)):
        folder = f"{column.target.slug}/" if place else ""
        for name, text in artefacts(column.record, expected, findings.prepared_on(column)).items():
            made[f"{folder}{name}"] = _with_gaps(text, column) if name.endswith(".md") else text
    if len(columns) > 1 or not findings.matrix.complete:
        made["compatibility-matrix.md"] = matrix.render(findings)
    return made


def _with_gaps(text: str, column: Column) -> str:
    """Insert below the title what is missing, since an operator without cases may be among it."""
    if not column.lacking:
        return text
    title, _, rest = text.partition("\n\n")
    return "\n\n".join([title, "\n".join(f"- ∅ missing: {escape(line)}" for line in column.lacking), rest])


def artefacts(
    record: Record, expected: Mapping[str, str], prepared: Mapping[str, LiftedCase] = MappingProxyType({})
) -> dict[str, str]:
    """Return text by file name: the matrix where the record has models, the tables of operators where it has cases.

    What fails is listed for both.
    """
    models = tuple(filter(is_model, record.results))
    made: dict[str, str] = {}
    if models or not record.results:
        of_models = replace(record, results=models)
        made["compatibility-matrix.md"] = markdown.render(of_models, expected, prepared) + _timed(models)
        if told := tasks.as_markdown(models):
            made["compatibility-matrix.md"] += f"\n{told}"
    if others := [result for result in record.results if not is_model(result)]:
        made["SUPPORTED-OPS.md"] = supported_ops.render(record, expected, prepared) + _timed(others)
        made["supported-ops.json"] = json_text(supported_ops.as_json(record, expected, prepared))
    if record.results:
        made["errors.md"] = failures.render(record, expected, prepared)
        made["errors.json"] = json_text(failures.as_json(record, expected, prepared))
    if any(result.corpus == CORPUS for result in record.results):
        from burn_verify.report.views import generated

        made |= generated.pages(record)
    return made


def _timed(results: Sequence[CaseResult]) -> str:
    text = latency.as_markdown(results)
    return f"\n## Latency\n\n{text}\n" if text else ""
