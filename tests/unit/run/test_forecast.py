"""A result with the forecast of its model."""

import dataclasses

import onnx
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Checkout, Target
from burn_verify.run.forecast import with_forecast
from evidences import relu, result


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
