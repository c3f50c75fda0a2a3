"""The budget for rustc."""

import pytest

from burn_verify.core.stage import Outcome, Stage
from burn_verify.run.timing import within_budget
from timed import result


def test_a_model_over_its_budget_fails_to_compile():
    failed = within_budget(result(), 1.0)
    assert (failed.stage, failed.outcome, failed.reason) == (Stage.COMPILE, Outcome.FAILED, "over the compile budget")
    assert "1.5 s" in failed.message
    assert failed.latency == result().latency


@pytest.mark.parametrize("budget", [None, 1.5, 100.0])
def test_a_model_within_its_budget_is_left_alone(budget):
    assert within_budget(result(), budget) == result()


def test_a_model_that_disagrees_keeps_its_own_reason():
    assert within_budget(result("disagrees"), 1.0) == result("disagrees")
