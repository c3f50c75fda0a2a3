"""SUPPORTED-OPS: every operator of ONNX and its status in a record, as Markdown and for JSON.

Makes text and tables only; `operator_rows` decides the status.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from burn_verify.core.text import counted, sentences
from burn_verify.graph.operators import DOMAINS
from burn_verify.record.codec import Record
from burn_verify.report.summary.declared import Declaration, Declarations
from burn_verify.report.summary.lifted import LiftedCase
from burn_verify.report.summary.operator_rows import Problem, Row, Support, counts_of_rows, support_of, versions_of
from burn_verify.report.summary.status import Status
from burn_verify.report.summary.tiers import Tally, Tier, tiers_json, tiers_sentence
from burn_verify.report.views.lifted import after_json, removing_text
from burn_verify.report.views.markdown import escape, json_header, made_with, table

COLUMNS: Final = (
    "operator",
    "status",
    "ordinary use",
    "versions",
    "dtypes",
    "cases",
    "in other graphs",
    "what is wrong",
    "declared",
)
AFTER: Final = "after prepare"
"""The last column, where it is known."""

_LEGEND: Final = """\
**Status** follows from an operator's own cases, those that are about it alone; the first line that fits decides

- **refuted**: a case gives a wrong answer; or none agrees, and a program was made that failed at run time
- **verified**: every case agrees, and there is at least one
- **partly**: some agree and none is wrong; the rest was refused, does not compile, failed at run time or was not judged
- **does not compile**: none agrees, and the Rust made of at least one does not compile
- **refused**: none agrees; burn-onnx declines to convert them, or Burn has no tensor for their values
- **untested**: nothing was judged: no case, random answers only, answers that could not have been wrong, or no
  reference

**Columns**

- **ordinary use**: the status, and agree / all, of the cases of ordinary use alone: generated graphs of one of the
  three newest versions; float32, float16 or int64, and another dtype only where the operator takes none of these;
  attributes omitted or at their defaults, or without one; data given at run time, of at least one dimension and one
  element; settings, such as axes, may be constant, but are computed from no shape
- **versions**, **dtypes**: those in which a case agrees, of all that ONNX has; dtypes of the type parameter that
  allows the most
- **cases**: agree / attempted / all; attempted were compiled and started
- **in other graphs**: agree / all of the other cases that contain the operator; they support it, and verify nothing
- **what is wrong**: what decided the status, then the most frequent reasons; how many cases; the first one's smallest
- **declared**: the opsets that onnx-ir accepts"""

_LEGEND_PREPARED: Final = """\
- **after prepare**: of the cases that fail, how many agree once `burn-verify prepare` has rewritten them without
  any option, and by which rewritings"""

_SHOWN_PROBLEMS = 2
_SHOWN_DTYPES = 3
_REASON = 72


def render(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> str:
    """Render a record: a sentence, a legend, a row an operator, and where declaration and evidence differ.

    Args:
        record: one run.
        expected: case id → why its failure is expected.
        prepared: what `prepare` makes of failing cases, by id; without any, the column is left out.
    """
    support = support_of(record, expected, prepared)
    parts = [f"# ONNX operators with {made_with(record)}", escape(_sentence(support)), _statuses(support.rows)]
    if rest := _rest(support):
        parts.append(escape(rest))
    parts.append(f"## How to read this\n\n{_LEGEND}" + (f"\n{_LEGEND_PREPARED}" if prepared else ""))
    columns = (*COLUMNS, AFTER) if prepared else COLUMNS
    for domain in DOMAINS:
        shown = [row for row in support.rows if row.operator.domain == domain]
        rows = [_cells(row, support.declarations)[: len(columns)] for row in shown]
        parts.append(f"## {domain or 'ai.onnx'}\n\n{_markdown(columns, rows)}")
    parts += [_declared_but_refuted(support), _works_but_not_declared(support)]
    return "\n\n".join(parts) + "\n"


def as_json(
    record: Record,
    expected: Mapping[str, str] | None = None,
    prepared: Mapping[str, LiftedCase] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the same as values that JSON knows, nothing shortened."""
    support = support_of(record, expected, prepared)
    verified, versions = versions_of(support.rows)
    counts = counts_of_rows(support.rows)
    declarations = support.declarations
    return {
        **json_header(record),
        "summary": _sentence(support),
        "statuses": {status.value: count for status, count in _count(support.rows).items()},
        "versions": {"verified": verified, "all": versions},
        "tiers": tiers_json(counts),
        "cases": {
            "of_one_operator": sum(row.total for row in support.rows),
            "of_several_operators": support.several,
            "of_unlisted_operators": dict(support.unlisted),
            "all": len(record.results),
        },
        "readme_opsets": list(declarations.readme_opsets) if declarations and declarations.readme_opsets else None,
        "operators": {row.name: _row_json(row) | (_after_json(row) if prepared else {}) for row in support.rows},
        "declared_but_refuted": [row.name for row in support.rows if row.refuted_at],
        "works_but_not_declared": [row.name for row in support.rows if row.undeclared_at],
    }


def _sentence(support: Support) -> str:
    counts = _count(support.rows)
    verbs = {
        Status.VERIFIED: "are verified",
        Status.PARTLY: "work partly",
        Status.REFUTED: "are refuted",
        Status.REFUSED: "are refused",
        Status.DOES_NOT_COMPILE: "do not compile",
        Status.UNTESTED: "are untested",
    }
    parts = [f"{counts[status]} {verb}" for status, verb in verbs.items()]
    verified, versions = versions_of(support.rows)
    return (
        f"Of {len(support.rows)} operators, {', '.join(parts[:-1])} and {parts[-1]}; "
        f"{verified} of {versions} operator-versions are verified. {tiers_sentence(counts_of_rows(support.rows))}"
    ).rstrip()


def _statuses(rows: Sequence[Row]) -> str:
    columns = ["status", *(domain or "ai.onnx" for domain in DOMAINS)]
    counts = [_count(row for row in rows if row.operator.domain == domain) for domain in DOMAINS]
    body = [[status.value, *(str(count[status]) for count in counts)] for status in Status]
    sums = ["all", *(str(sum(count.values())) for count in counts)]
    versions = ["versions verified"]
    for domain in DOMAINS:
        verified, known = versions_of(row for row in rows if row.operator.domain == domain)
        versions.append(f"{verified} of {known}")
    ordinary = ["verified for ordinary use"]
    for domain in DOMAINS:
        found = counts_of_rows(row for row in rows if row.operator.domain == domain)
        ordinary.append(f"{found.ordinary} of {found.with_ordinary}")
    return _markdown(columns, [*body, sums, versions, ordinary])


def _count(rows: Iterable[Row]) -> dict[Status, int]:
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in Status}


def _rest(support: Support) -> str:
    """Return how many cases are no operator's own, and how many failures are expected."""
    own = sum(row.total for row in support.rows)
    parts = [f"{counted(own, 'case')} about one of these operators, {support.several} about several"]
    if support.unlisted:
        names = ", ".join(f"{name} {count}" for name, count in support.unlisted.items())
        parts.append(f"{sum(support.unlisted.values())} about an operator that is not listed ({names})")
    expected = sum(row.expected for row in support.rows)
    known = (
        f" Of the failures of operators' own cases, {expected} {'is' if expected == 1 else 'are'} expected."
        if expected
        else ""
    )
    return f"The record holds {', '.join(parts)}.{known}"


def _cells(row: Row, declarations: Declarations | None) -> list[str]:
    name = escape(row.operator.op_type) + (" (deprecated)" if row.operator.deprecated else "")
    return [
        name,
        row.status.value,
        _tally(row.ordinary),
        escape(_of(row.versions, row.operator.versions, len(row.versions))),
        escape(_of(row.dtypes, row.operator.dtypes, _SHOWN_DTYPES)),
        f"{row.agree} / {row.attempted} / {row.total}" if row.total else "",
        f"{row.others_agree} / {row.others}" if row.others else "",
        escape(_wrong(row)),
        _opsets(row.declaration) if declarations else "?",
        escape(removing_text(row.after)),
    ]


def _tally(tally: Tally) -> str:
    return f"{tally.status.value} {tally.agree} / {tally.total}" if tally.total else ""


def _of(verified: Sequence[object], known: Sequence[object], shown: int) -> str:
    """Return how many are verified, and which."""
    if not known:
        return ""
    names = [str(item) for item in verified[:shown]] + (["…"] if len(verified) > shown else [])
    which = f": {', '.join(names)}" if names and len(verified) < len(known) else ""
    return f"{len(verified)} of {len(known)}{which}"


def _wrong(row: Row) -> str:
    parts = []
    if row.draws:
        parts.append("random")
    elif row.random:
        parts.append(f"{counted(row.random, 'case')} random")
    parts += [_problem(problem) for problem in row.problems[:_SHOWN_PROBLEMS]]
    if more := row.problems[_SHOWN_PROBLEMS:]:
        parts.append(f"{sum(problem.count for problem in more)} otherwise")
    if row.problems:
        parts.append(f"e.g. {row.problems[0].example}")
    if row.status is Status.UNTESTED and row.others_agree:
        parts.append("agrees in other graphs only")
    return "; ".join(parts)


def _problem(problem: Problem) -> str:
    return f"{sentences(problem.reason, _REASON)} ({problem.count})"


def _opsets(declaration: Declaration | None) -> str:
    if declaration is None:
        return "no"
    return f"{declaration.min_opset}..{'' if declaration.max_opset is None else declaration.max_opset}"


def _declared_but_refuted(support: Support) -> str:
    title = "## Declared but refuted"
    if support.declarations is None:
        return f"{title}\n\nIt is not known what this version of burn-onnx declares."
    span = support.declarations.readme_opsets
    rows = [
        [escape(row.name), row.status.value, _opsets(row.declaration), _failing_at(row, span), escape(_wrong(row))]
        for row in support.rows
        if row.refuted_at
    ]
    if not rows:
        return f"{title}\n\nNone."
    readme = f" Its README names opsets {span[0]} to {span[1]} for all of them." if span else ""
    text = (
        f"onnx-ir {escape(support.declarations.onnx_ir)} has a processor for these {len(rows)}, yet at the opsets that "
        f"it accepts a case is wrong, or none agrees.{readme}"
    )
    return f"{title}\n\n{text}\n\n" + _markdown(
        ("operator", "status", "declared", "fails at opset", "what is wrong"), rows
    )


def _failing_at(row: Row, span: tuple[int, int] | None) -> str:
    beyond = span is not None and all(opset > span[1] for opset in row.refuted_at)
    return _numbers(row.refuted_at) + (" (beyond its README)" if beyond else "")


def _works_but_not_declared(support: Support) -> str:
    title = "## Works but not declared"
    if support.declarations is None:
        return f"{title}\n\nIt is not known what this version of burn-onnx declares."
    rows = [
        [escape(row.name), row.status.value, _opsets(row.declaration), _numbers(row.undeclared_at)]
        for row in support.rows
        if row.undeclared_at
    ]
    if not rows:
        return f"{title}\n\nNone."
    return f"{title}\n\n" + _markdown(("operator", "status", "declared", "agrees at opset"), rows)


def _row_json(row: Row) -> dict[str, Any]:
    declaration = row.declaration
    return {
        "status": row.status.value,
        "tiers": {
            Tier.ORDINARY.value: _tally_json(row.ordinary),
            Tier.FULL.value: _tally_json(Tally(status=row.status, agree=row.agree, total=row.total)),
        },
        "deprecated": row.operator.deprecated,
        "versions": {"verified": list(row.versions), "all": list(row.operator.versions)},
        "dtypes": {"verified": list(row.dtypes), "all": list(row.operator.dtypes)},
        "cases": {
            "agree": row.agree,
            "attempted": row.attempted,
            "random": row.random,
            "expected_failures": row.expected,
            "all": row.total,
        },
        "in_other_graphs": {"agree": row.others_agree, "all": row.others},
        "problems": [
            {"reason": problem.reason, "count": problem.count, "example": problem.example} for problem in row.problems
        ],
        "declared": declaration and {"min_opset": declaration.min_opset, "max_opset": declaration.max_opset},
        "refuted_at": list(row.refuted_at),
        "undeclared_at": list(row.undeclared_at),
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {"status": tally.status.value, "agree": tally.agree, "all": tally.total}


def _after_json(row: Row) -> dict[str, Any]:
    return {"after_prepare": after_json(row.after)}


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(table(columns, rows))
