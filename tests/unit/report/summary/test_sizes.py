"""At how many sizes of its dimensions a model is right."""

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.sizes import alone, sizes_of, told


def a_result(**details):
    return CaseResult(case_id="file/a", corpus="file", stage=Stage.COMPARE, outcome=Outcome.FAILED, details=details)


def test_sizes_that_are_right_are_counted():
    assert sizes_of(a_result(sizes={"batch=1": "agrees", "batch=3": "panic", "batch=5": "insensitive"})) == "2/3"
    assert sizes_of(a_result(sizes={"batch=1": "agrees"})) == ""
    assert sizes_of(a_result()) == ""


def test_what_is_told_beside_the_reason():
    found = told(a_result(sizes={"n=1": "agrees", "n=3": "panic"}, unseen=["a branch"], advice=["a name"]))
    assert found == ["sizes 1/2: n=1: agrees; n=3: panic", "a branch", "a name"]


def test_sizes_that_the_reference_refuses_are_told():
    refused = {"sizes 2": "MatMul dimension mismatch", "positive": "another"}
    (said,) = alone(a_result(sizes={"batch=1": "agrees"}, unanswered=refused))
    assert said == "at batch=1 only, the reference refuses other sizes: MatMul dimension mismatch"
    assert told(a_result(sizes={"batch=1": "agrees"}, unanswered=refused)) == [said]
    assert alone(a_result(sizes={"batch=1": "agrees", "batch=5": "agrees"}, unanswered=refused)) == []
    assert alone(a_result(sizes={"batch=1": "agrees"}, unanswered={"positive": "another"})) == []
    assert alone(a_result()) == []
