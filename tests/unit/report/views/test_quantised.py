"""What a user reads of a quantised model."""

from dataclasses import replace

from burn_verify.core.prepared import Prepared, Status
from burn_verify.core.quantised import Loss, Quantisation, Quantised, Written
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.views.quantised import burn_computes, quantised_json, quantised_markdown, quantised_text

LOSSES = tuple(Loss(tensor=f"t{place}", weight=place == 0, own=300.0, whole=20.0 + place) for place in range(12))
MADE = Quantised(
    model=b"", how=Quantisation(), samples=9, before=1000, after=300, nodes={"Conv": (1, 2)}, losses=LOSSES
)
ENDED = CaseResult(case_id="file/a", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED)
AGREES = Prepared(case_id="file/a", status=Status.AGREED, before=ENDED)


def test_the_terminal_names_the_worst_tensors_and_counts_the_rest():
    text = quantised_text(MADE, AGREES, Written(size=310))
    assert "1,000 bytes, now 310 (31 %)" in text
    assert "Conv 1 of 2" in text
    assert "computes in float32:" in text
    assert "exact" in text
    assert "t9" in text
    assert "t10" not in text
    assert "and 2 tensors more" in text


def test_the_page_names_all():
    text = quantised_markdown(MADE, AGREES, None)
    assert "t11" in text
    assert "## For Burn: file/a" in text


def test_burn_is_not_spoken_of_where_it_was_not_asked():
    assert "Burn" not in quantised_text(MADE, None, None)
    assert quantised_json(MADE, None, None)["burn_computes_in"] is None


def test_products_of_integers_are_told():
    written = Written(size=1, integer=("MatMulInteger",))
    assert "float32, MatMulInteger in int32" in burn_computes(written)
    assert quantised_json(MADE, AGREES, written)["burn_computes_in"] == ["float32", "int32"]


def test_an_unmeasured_loss_says_why():
    made = replace(MADE, losses=(), unmeasured="no memory")
    assert "not measured: no memory" in quantised_text(made, None, None)
    assert "Not measured: no memory" in quantised_markdown(made, None, None)
    nobody = replace(made, unmeasured="")
    assert "oss by tensor" not in quantised_text(nobody, None, None) + quantised_markdown(nobody, None, None)
