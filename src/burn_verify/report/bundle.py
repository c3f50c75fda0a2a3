"""Every file of a report, by name: of several targets, with what changed and what was before.

Writes nothing. What one record alone tells is made by `artefacts`.
"""

from burn_verify.report import junit, matrix, page
from burn_verify.report.artefacts import artefacts
from burn_verify.report.columns import Column
from burn_verify.report.findings import Findings
from burn_verify.report.markdown import escape


def files(findings: Findings) -> dict[str, str]:
    """Return text by path below the folder of the report.

    What is about one target alone, such as SUPPORTED-OPS.md, lies at the top for the newest target, and in a folder of
    its own for each of the others.
    """
    columns = findings.matrix.columns
    made = {"index.html": page.render(findings), "matrix.json": matrix.json_lines(findings)}
    made["junit.xml"] = junit.render(findings)
    for place, (column, expected) in enumerate(zip(columns, findings.expected, strict=True)):
        folder = f"{column.target.slug}/" if place else ""
        for name, text in artefacts(column.record, expected).items():
            made[f"{folder}{name}"] = _with_gaps(text, column) if name.endswith(".md") else text
    if len(columns) > 1 or not findings.matrix.complete:
        made["compatibility-matrix.md"] = matrix.render(findings)
    return made


def _with_gaps(text: str, column: Column) -> str:
    """Say below the title what is missing; an operator that nothing is known of may have been in it."""
    if not column.lacking:
        return text
    title, _, rest = text.partition("\n\n")
    return "\n\n".join([title, "\n".join(f"- ∅ missing: {escape(line)}" for line in column.lacking), rest])
