"""The report of a rewritten model: text, Markdown and JSON."""

import json
from dataclasses import replace

from burn_verify.core.prepared import Grade, Prepared, Proof, Status
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.views.prepared import prepared_json, prepared_markdown, prepared_text

REFUSED = CaseResult(case_id="file/a", corpus="file", stage=Stage.CONVERT, outcome=Outcome.FAILED, reason="no Celu")
AGREES = CaseResult(
    case_id="file/a", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED, verdict=VerdictName.AGREES
)
STEP = Proof(
    name="Celu by its definition", reason="why", grade=Grade.CLOSE, nodes_before=1, nodes_after=9, distance=1e-6
)
WRONG = Proof(name="bad", reason="why", grade=Grade.DECLINED, nodes_before=1, nodes_after=9, why="it differs")
LIFTED = Prepared(
    case_id="file/a",
    status=Status.LIFTED,
    before=REFUSED,
    after=AGREES,
    proofs=(STEP,),
    declined=(WRONG,),
    options={"simplify": False},
    tried=7,
)


def test_the_text_says_what_was_done_and_how_it_is_proved():
    text = prepared_text(LIFTED)
    for part in ("agrees after prepare", "no Celu", "close, 1e-06 apart", "1 → 9", "--burn-simplify off", "it differs"):
        assert part in text


def test_the_page_has_a_table():
    page = prepared_markdown(LIFTED)
    assert page.startswith("# file/a\n")
    assert "| Celu by its definition |" in page


def test_json_has_the_same():
    found = json.loads(json.dumps(prepared_json(LIFTED)))
    assert found["steps"][0]["nodes"] == [1, 9]
    assert (found["agrees"], found["before"]["reason"], found["tried"]) == (True, "no Celu", 7)


def test_what_stays_says_what_is_in_the_way():
    stays = Prepared(case_id="file/a", status=Status.STAYS, before=REFUSED, tried=3)
    assert "in the way, after 3 rewritten models: convert: no Celu" in prepared_text(stays)
    assert "|" not in prepared_markdown(stays)


def test_what_agrees_needs_nothing():
    assert prepared_text(Prepared(case_id="file/a", status=Status.AGREED, before=AGREES)) == "file/a: agrees as it is"


def test_why_nobody_can_judge_is_told_whole():
    ended = replace(REFUSED, stage=Stage.REFERENCE, reason="ONNX Runtime: Fail", message="ONNX Runtime: no\nsuch thing")
    text = prepared_text(Prepared(case_id="file/a", status=Status.UNKNOWN, before=ended))
    assert text.splitlines()[1:] == ["as it is: reference: ONNX Runtime: Fail", "ONNX Runtime: no such thing"]
