"""What is the same failure."""

import pytest

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.run.signature import fails_alike, same_cause, signature_of


def failed(stage=Stage.CONVERT, reason="r", kind=FailureKind.REFUSED, outcome=Outcome.FAILED, **details):
    return CaseResult(
        case_id="c", corpus="file", stage=stage, outcome=outcome, reason=reason, failure=kind, details=details
    )


@pytest.mark.parametrize(
    ("whole", "part", "same"),
    [
        (failed(), failed(), True),
        (failed(reason="got [1, 2] of 3"), failed(reason="got [4] of 5"), True),
        (failed(), failed(reason="other"), False),
        (failed(), failed(Stage.COMPILE), False),
        (failed(), failed(kind=FailureKind.TIMEOUT), False),
        (failed(), failed(outcome=Outcome.PASSED), False),
        (failed(unsupported=["A", "B"]), failed(reason="x", unsupported=["B"]), True),
        (failed(unsupported=["A"]), failed(unsupported=["A", "C"]), False),
        (failed(unsupported=["A"]), failed(), False),
        (failed(Stage.COMPILE, codes=["E1", "E2"]), failed(Stage.COMPILE, reason="x", codes=["E2"]), True),
        (failed(Stage.COMPARE, guilty="burn"), failed(Stage.COMPARE, guilty="unknown"), False),
    ],
)
def test_the_same_stage_reason_and_side(whole, part, same):
    assert fails_alike(whole, part) is same


def test_the_cause_leaves_out_who_is_guilty():
    assert same_cause(failed(Stage.COMPARE, guilty="burn"), failed(Stage.COMPARE, guilty="unknown"))


def test_a_pass_has_no_signature():
    assert signature_of(failed(outcome=Outcome.PASSED)) is None
    assert not fails_alike(failed(outcome=Outcome.PASSED), failed(outcome=Outcome.PASSED))
