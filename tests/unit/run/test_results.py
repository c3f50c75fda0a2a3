"""From the last step of a case to its result, and from a result to the exception that stands for it."""

import pickle
from pathlib import Path

import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import STAGE_ERRORS, CompileError, OracleError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, PreparedCase, Stage
from burn_verify.run.results import error_of, result_of
from burn_verify.run.steps import Ended

CASE = Case(id="op/a", corpus="op", source=Unavailable(reason=""), note="seen")
PREPARED = PreparedCase(
    case=CASE, model=Path("a"), digest="", op_types=("Neg",), opset=17, inputs=(), outputs=(), refused="no kernel"
)


def test_an_end_says_where_and_why_and_what_else_is_known():
    error = OracleError("died", "killed", {"log": "last words"}, FailureKind.KILLED)
    result = result_of(
        Ended(case=CASE, error=error, prepared=PREPARED, evidence={"twins": "x"}, durations={"load": 1.0})
    )
    assert (result.stage, result.outcome, result.failure) == (Stage.REFERENCE, Outcome.FAILED, FailureKind.KILLED)
    assert (result.message, result.reason, result.note) == ("died", "killed", "seen")
    assert result.details == {"log": "last words", "no_reference": "no kernel", "twins": "x"}
    assert (result.op_types, result.opset, result.durations) == (("Neg",), 17, {"load": 1.0})


def test_a_case_that_was_not_loaded_has_no_operators():
    result = result_of(Ended(case=CASE, error=OracleError("died")))
    assert (result.op_types, result.opset, result.subject) == ((), 0, None)


@pytest.mark.parametrize("stage", Stage)
def test_a_failure_is_the_exception_of_its_stage(stage):
    result = CaseResult(
        case_id="a", corpus="file", stage=stage, outcome=Outcome.FAILED, message="m", reason="r", details={"a": 1},
        failure=FailureKind.PANIC,
    )  # fmt: skip
    error = error_of(result)
    assert type(error) is STAGE_ERRORS[stage]
    assert (error.message, error.reason, error.details, error.kind) == ("m", "r", {"a": 1}, FailureKind.PANIC)


def test_a_failure_of_this_program_is_no_expected_one():
    result = CaseResult(
        case_id="a", corpus="file", stage=Stage.COMPILE, outcome=Outcome.FAILED, reason="r",
        failure=FailureKind.INTERNAL,
    )  # fmt: skip
    error = error_of(result)
    assert error.stage is Stage.COMPILE
    assert not isinstance(error, CompileError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.stage, again.kind, again.reason) == (Stage.COMPILE, FailureKind.INTERNAL, "r")


def test_a_pass_is_no_exception():
    assert error_of(CaseResult(case_id="a", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED)) is None
