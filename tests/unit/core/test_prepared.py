"""What became of a rewritten model."""

from burn_verify.core.prepared import Grade, Prepared, Proof, Status
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage

REFUSED = CaseResult(
    case_id="a", corpus="file", stage=Stage.CONVERT, outcome=Outcome.FAILED, reason="no", message="no\nx"
)
STEP = Proof(name="n", reason="r", grade=Grade.SAME, nodes_before=1, nodes_after=2)


def test_each_rewriting_is_named_once_and_options_are_among_them():
    found = Prepared(
        case_id="a", status=Status.LIFTED, before=REFUSED, proofs=(STEP, STEP), options={"simplify": False}
    )
    assert found.rewritings == ("n", "simplify off")


def test_what_is_in_the_way_is_the_last_end():
    run = CaseResult(case_id="a", corpus="file", stage=Stage.RUN, outcome=Outcome.FAILED, message="panic\nmore")
    stays = Prepared(case_id="a", status=Status.STAYS, before=REFUSED)
    assert stays.in_the_way == "convert: no"
    assert Prepared(case_id="a", status=Status.STAYS, before=REFUSED, after=run).in_the_way == "run: panic"


def test_what_agrees_has_nothing_in_the_way():
    for status in Status:
        found = Prepared(case_id="a", status=status, before=REFUSED)
        assert bool(found.in_the_way) is not found.agrees
