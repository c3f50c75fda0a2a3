"""The status of an operator from its cases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.graph.operators import qualified
from burn_verify.report.summary.operator_rows import support_of
from burn_verify.report.summary.status import Status
from drawn_results import results
from operated import AGREES, WRONG, a_case, a_line, a_record, a_row

PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED

PANICS = a_case("node/p", stage=Stage.RUN, outcome=FAILED, reason="panic: index out of bounds")
DEVICE = a_case("node/d", stage=Stage.RUN, outcome=FAILED, failure=FailureKind.DEVICE)
NO_VALUE = a_case(
    "node/v", stage=Stage.RUN, outcome=FAILED, reason="no Burn value for int4", failure=FailureKind.NO_VALUE
)
NO_RUST = a_case("node/r", stage=Stage.COMPILE, outcome=FAILED, reason="E0308: mismatched types")
REFUSED = a_case("node/c", stage=Stage.CONVERT, outcome=FAILED, reason="Conv: no such thing")
RANDOM = a_case("node/d", verdict="nondeterministic")
ORACLE = a_case("node/o", stage=Stage.REFERENCE, outcome=FAILED, reason="ONNX Runtime: died")
LOST = a_case("node/l", stage=Stage.LOAD, outcome=SKIPPED, reason="offline")


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([AGREES], "verified"),
        ([AGREES, AGREES], "verified"),
        ([AGREES, REFUSED], "partly"),
        ([AGREES, NO_RUST], "partly"),
        ([AGREES, PANICS], "partly"),
        ([AGREES, NO_VALUE], "partly"),
        ([AGREES, RANDOM], "partly"),
        ([AGREES, ORACLE], "partly"),
        ([AGREES, LOST], "partly"),
        ([AGREES, AGREES, WRONG], "refuted"),
        ([WRONG, REFUSED], "refuted"),
        ([PANICS], "refuted"),
        ([PANICS, NO_RUST, REFUSED], "refuted"),
        ([RANDOM, PANICS], "refuted"),
        ([NO_RUST], "does not compile"),
        ([NO_RUST, REFUSED, NO_VALUE, RANDOM], "does not compile"),
        ([REFUSED], "refused"),
        ([NO_VALUE], "refused"),
        ([REFUSED, LOST, ORACLE], "refused"),
        ([], "untested"),
        ([RANDOM], "untested"),
        ([ORACLE], "untested"),
        ([DEVICE], "untested"),
        ([REFUSED, DEVICE], "refused"),
        ([LOST, RANDOM], "untested"),
    ],
)
def test_a_status(results, status):
    row = a_row(*results)
    assert row.status == status
    assert row.total == len(results)
    assert f"| {status} |" in a_line(*results)


def test_passing_without_a_comparison_is_no_agreement():
    assert a_row(a_case(stage=Stage.RUN)).status == "untested"
    assert a_row(a_case(verdict=None)).status == "untested"


def test_cases_are_counted_of_agree_attempted_and_all():
    row = a_row(AGREES, WRONG, PANICS, NO_RUST, REFUSED, LOST)
    assert (row.agree, row.attempted, row.total) == (1, 3, 6)
    assert "| 1 / 3 / 6 |" in a_line(AGREES, WRONG, PANICS, NO_RUST, REFUSED, LOST)


def test_only_agreeing_cases_verify_versions_and_dtypes():
    row = a_row(
        a_case("node/1", version=1, dtype="float16"),
        a_case("node/2", version=22),
        a_case("node/3", version=11, dtype="float64", outcome=FAILED),
    )
    assert (row.versions, row.dtypes) == ((1, 22), ("float16", "float32"))


def test_what_onnx_does_not_have_is_not_verified():
    row = a_row(a_case(version=2, dtype="complex64"))
    assert (row.status, row.versions, row.dtypes) == ("verified", (), ())


def test_larger_graphs_support_and_verify_nothing():
    graph = a_case("zoo/x", subject=None, op_types=("Conv", "Relu", "ai.onnx.ml.Scaler"))
    failing = a_case("zoo/y", outcome=FAILED, subject=None, op_types=("Conv",))
    body = a_case("node/if", "If", op_types=("If", "Conv"))
    row = a_row(graph, failing, body)

    assert (row.status, row.total, row.versions) == ("untested", 0, ())
    assert (row.others_agree, row.others) == (2, 3)
    assert "agrees in other graphs only" in a_line(graph, failing, body)
    assert a_row(graph, name="ai.onnx.ml.Scaler").others_agree == 1


def test_problems_stand_in_the_order_of_what_they_decide_and_how_often():
    results = [WRONG, *(a_case(f"node/c{number}", stage=Stage.CONVERT, outcome=FAILED, reason="x") for number in "12")]
    assert [(problem.reason, problem.count) for problem in a_row(*results).problems] == [("wrong values", 1), ("x", 2)]
    assert [problem.reason for problem in a_row(AGREES, *results[1:], REFUSED).problems] == ["x", "no such thing"]


def test_the_example_is_the_smallest_case():
    def fed(case_id, shape):
        return a_case(case_id, outcome=FAILED, reason="wrong values", details={"inputs": {"stored_0": [shape]}})

    results = [
        a_case("node/b", outcome=FAILED, reason="wrong values"),
        fed("node/large", "float32[100,3]"),
        fed("node/small_1", "float32[2]"),
        fed("node/small", "int64[2,1]"),
    ]
    assert [problem.example for problem in a_row(*results).problems] == ["node/small"]


@given(st.lists(results(), max_size=12))
@settings(deadline=None, max_examples=40)
def test_no_operator_with_a_failure_is_verified(cases):
    rows = {row.name: row for row in support_of(a_record(*cases)).rows}
    for case in cases:
        row = case.subject and rows.get(qualified(case.subject.op_type, case.subject.domain))
        if row and case.outcome is FAILED:
            assert row.status is not Status.VERIFIED
    for row in rows.values():
        assert row.agree <= row.attempted <= row.total
        assert row.total - row.agree - row.random <= sum(it.count for it in row.problems) <= row.total - row.agree
