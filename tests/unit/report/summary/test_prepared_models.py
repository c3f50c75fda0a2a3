"""The file of models that were prepared with options: written and read."""

import pytest

from burn_verify.core.prepared import Grade, Prepared, Proof, Status
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.prepared_models import from_text, prepared_model, to_text
from burn_verify.report.views.prepared import prepared_json
from reported import output

BEFORE = CaseResult(case_id="zoo/a", corpus="zoo", stage=Stage.CONVERT, outcome=Outcome.FAILED, reason="no Celu")
AFTER = CaseResult(
    case_id="zoo/a", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED, metrics=(output(max_abs=0.5),)
)
STEP = Proof(name="a", reason="r", grade=Grade.SAME, nodes_before=1, nodes_after=2)


def of(status, **given):
    told = prepared_json(Prepared(case_id="zoo/a", status=status, before=BEFORE, **given))
    return prepared_model("a", ("--pin", "n=1"), told, 12.34)


def test_what_the_command_says_is_kept():
    lifted, stays = of(Status.LIFTED, after=AFTER, proofs=(STEP, STEP), tried=7), of(Status.STAYS)
    assert (lifted.agrees, lifted.distance, lifted.proofs, lifted.tried) == (True, 0.5, {"bit-equal": 2}, 7)
    assert (lifted.rewritings, lifted.seconds, lifted.options) == (("a",), 12.3, ("--pin", "n=1"))
    assert (stays.agrees, stays.distance, stays.in_the_way) == (False, None, "convert: no Celu")
    assert from_text(to_text([lifted, stays])) == (lifted, stays)


def test_a_model_that_agrees_as_it_is_is_one_without_options():
    told = prepared_json(Prepared(case_id="zoo/a", status=Status.AGREED, before=AFTER))
    assert prepared_model("a", (), told, 1.0, nodes=7).as_is
    assert prepared_model("a", (), told, 1.0, nodes=7).nodes == 7
    assert not prepared_model("a", ("--drop-zipmap",), told, 1.0).as_is


@pytest.mark.parametrize("text", ["", "{}x", '[{"model": "a"}]', "[1]", "3"])
def test_another_file_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (json and this module raise it, each in its own words)
        from_text(text)
