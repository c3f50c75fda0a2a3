"""A result with the forecast of its model."""

import dataclasses

import onnx
import pytest
from onnx import helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Checkout, Target
from burn_verify.forecast.tried import packaged
from burn_verify.report.views.remedies import NOT_TRIED
from burn_verify.run.forecast import with_forecast
from burn_verify.system.notes import Notes
from evidences import relu, result
from handmade import model, value


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(relu(), path)
    case = Case(id="file/m", corpus="file", source=ModelFile(path=path))
    return PreparedCase(case=case, model=path, digest="", op_types=("Relu",), opset=18, inputs=(), outputs=())


def test_what_was_to_be_expected_stands_beside_what_came(prepared):
    found = with_forecast(prepared, Target(), result("file/m", "refused", details={"kind": "died"}))

    assert found.details["kind"] == "died"
    assert found.details["forecast"]["ending"] == "agrees"
    assert 0.85 <= found.details["forecast"]["probability"] <= 1


def test_without_evidence_there_is_no_forecast(prepared, tmp_path):
    before = result("file/m")
    checkout = Checkout(path=tmp_path)

    assert with_forecast(prepared, Target(backend="cuda"), before) is before
    assert with_forecast(prepared, Target(burn_onnx_checkout=checkout), before) is before
    assert with_forecast(None, Target(), before) is before


def test_a_model_that_is_gone_has_no_forecast(prepared):
    prepared.model.unlink()
    before = result("file/m")

    assert with_forecast(prepared, Target(), before) is before


def test_a_model_with_advice_is_not_said_to_agree(prepared):
    doubted = dataclasses.replace(prepared, advice=("input `type` is a Rust keyword",))

    assert with_forecast(doubted, Target(), result("file/m")).details["forecast"]["ending"] is None


@pytest.fixture
def refused(tmp_path):
    node = helper.make_node("Frobnicate", ["x"], ["y"], name="n", domain="com.example")
    path = tmp_path / "refused.onnx"
    onnx.save(model([node], [value("x", shape=(2,))], [value("y", shape=(2,))]), path)
    case = Case(id="file/refused", corpus="file", source=ModelFile(path=path))
    return PreparedCase(case=case, model=path, digest="", op_types=(), opset=18, inputs=(), outputs=())


def test_a_refusal_as_forecast_says_what_to_change(refused):
    came = result("file/refused", "refused", details={"advice": ["before"]})

    found = with_forecast(refused, Target(), came).details["advice"]

    assert found[0] == "before"
    assert found[1].startswith("first thing to change: com.example.Frobnicate n: burn-onnx 0.22.0 has no ")
    assert found[2] == NOT_TRIED


def test_a_model_that_was_rewritten_is_not_said_to_be_untried(refused):
    found = with_forecast(refused, Target(prepared=True), result("file/refused", "refused"))

    assert NOT_TRIED not in found.details["advice"]


def test_a_failure_otherwise_than_forecast_is_not_explained_by_it(refused):
    found = with_forecast(refused, Target(), result("file/refused", "wrong numbers"))

    assert (found.details["forecast"]["ending"], found.details["advice"]) == ("refused", [NOT_TRIED])


def test_a_case_of_one_operator_gets_no_advice(refused):
    came = result("op/x", "refused")

    assert "advice" not in with_forecast(dataclasses.replace(refused, subject=came.subject), Target(), came).details


@pytest.mark.parametrize("ending", ["refused", "wrong numbers"])
def test_what_rewriting_makes_of_this_very_case_is_said(refused, ending):
    agrees = next(name for name, one in packaged(Target()).items() if one.agrees)
    stays = next(name for name, one in packaged(Target()).items() if not one.agrees)

    said = [with_forecast(refused, Target(), result(name, ending)).details["advice"][-1] for name in (agrees, stays)]

    assert said[0].startswith("`burn-verify prepare` makes this agree: ")
    assert said[1].startswith("`burn-verify prepare` was tried on this case, and it does not agree after it either")


def test_what_rewriting_makes_of_the_nearest_case_is_said(tmp_path):
    node = helper.make_node("RMSNormalization", ["x", "s"], ["y"])
    path = tmp_path / "norm.onnx"
    made = model([node], [value("x", shape=(2, 3)), value("s", shape=(3,))], [value("y", shape=(2, 3))], opset=23)
    onnx.save(made, path)
    case = Case(id="file/norm", corpus="file", source=ModelFile(path=path))
    norm = PreparedCase(case=case, model=path, digest="", op_types=(), opset=23, inputs=(), outputs=())

    found = with_forecast(norm, Target(), result("file/norm", "refused")).details["advice"][-1]

    assert found.startswith(NOT_TRIED)
    assert "1 of 1 failing kind of node, by RMSNormalization by its definition" in found


def test_a_noted_forecast_is_that_of_the_same_ending(cache, refused):
    digested = dataclasses.replace(refused, digest="1")
    notes = Notes(cache, "forecast", "state")

    def details(came):
        return with_forecast(digested, Target(), came, notes).details

    first = details(result("file/refused", "refused", details={"advice": ["before"]}))
    digested.model.unlink()  # what is noted needs no model
    again = details(result("file/refused", "refused"))

    assert first["advice"] == ["before", *again["advice"]]
    assert first["forecast"] == again["forecast"]
    assert "forecast" not in details(result("file/refused", "wrong numbers"))
