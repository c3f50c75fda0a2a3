"""The matrix as JUnit XML: a suite for each target and corpus, a test case for each case.

Knows no file; junitparser writes the XML.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.record.costs import costs_of
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import reason_of
from burn_verify.report.summary.findings import Findings
from burn_verify.report.summary.states import state_of

if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite


_NO_CHARACTER: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(findings: Findings) -> str:
    """Render a matrix.

    An expected failure is skipped, as pytest writes an xfail; a pass that was not expected is a failure; what is
    missing, or has nothing to be compared with, is an error. A case's time is what it took at its stages, and its share
    of what was compiled at once.
    """
    from junitparser import JUnitXml

    document = JUnitXml("burn-verify")
    for place, (column, expected) in enumerate(zip(findings.matrix.columns, findings.expected, strict=True)):
        cases: dict[str, list[TestCase]] = {}
        costs = costs_of([column.record])
        for case_id, results in findings.matrix.rows.items():
            corpus = case_id.partition("/")[0]
            cases.setdefault(corpus, []).append(_case(case_id, column, results[place], expected, costs))
        for corpus, members in cases.items():
            document.append(_suite(f"{column.target.label}: {corpus}", members))
    document.update_statistics()
    return str(document.tostring(), "utf-8") + "\n"


def _suite(name: str, cases: list["TestCase"]) -> "TestSuite":
    from junitparser import TestSuite

    suite = TestSuite(_valid(name))
    suite.add_testcases(cases)
    return suite


def _case(
    case_id: str,
    column: Column,
    result: CaseResult | None,
    expected: Mapping[str, str],
    costs: Mapping[str, float],
) -> "TestCase":
    from junitparser import Error, Failure, Skipped, TestCase

    corpus, _, name = case_id.partition("/")
    case = TestCase(_valid(name or case_id), f"{column.target.slug}.{corpus}", round(costs.get(case_id, 0.0), 6))
    state = state_of(result, started=not column.failure)
    if result is None:
        case.result = [Error(_valid(column.failure or state.word), state.key)]
    elif result.outcome is Outcome.SKIPPED:
        case.result = [Skipped(_valid(reason_of(result)), "skipped")]
    elif result.outcome is Outcome.PASSED:
        if case_id in expected:
            case.result = [Failure(_valid(f"passes, but was expected to fail: {expected[case_id]}"), "unexpected pass")]
    elif case_id in expected:
        case.result = [Skipped(_valid(f"expected: {expected[case_id]}"), "xfail")]
    else:
        kind = Failure if state.speaks else Error
        problem = kind(_valid(reason_of(result)), f"{result.stage.value}: {state.word}")
        problem.text = _valid(result.message)
        case.result = [problem]
    return case


def _valid(text: str) -> str:
    """Drop characters that XML 1.0 does not allow."""
    return _NO_CHARACTER.sub("", text)
