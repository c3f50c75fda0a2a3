"""A failure that names a generated node says which node of the model that is."""

import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase, Stage
from burn_verify.run.explain import explained

SAID = "burn-onnx's `relu1` is the Relu `act`, that gives `y`"


@pytest.fixture
def prepared(tmp_path):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Relu", ["x"], ["y"], name="act")
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [value], [value])), path)
    case = Case(id="file/model", corpus="file", source=ModelFile(path=path))
    made = PreparedCase(case=case, model=path, digest="", op_types=("Relu",), opset=17, inputs=(), outputs=())
    return made


def failed(**fields):
    fields = {"stage": Stage.COMPILE, "outcome": Outcome.FAILED, "details": {"node": "relu1"}} | fields
    return CaseResult(case_id="file/model", corpus="file", **fields)


@pytest.mark.parametrize(
    "result",
    [
        failed(),
        failed(stage=Stage.CONVERT, details={}, message="Node 'relu1' (Relu): no"),
        failed(details={"node": "relu1", "advice": ["beside"]}),
    ],
)
def test_the_nodes_come_before_other_advice(prepared, result):
    assert explained(prepared, result).details["advice"] == [SAID, *result.details.get("advice", ())]


@pytest.mark.parametrize(
    "result",
    [
        failed(outcome=Outcome.PASSED),
        failed(details={}),
        failed(details={"node": None}),
        failed(details={"node": "conv2d1"}),
        failed(stage=Stage.LOAD, details={}, message="no such file"),
    ],
)
def test_what_names_no_node_stays_as_it_is(prepared, result):
    assert explained(prepared, result) is result


def test_a_model_that_is_gone_is_no_failure(prepared):
    prepared.model.unlink()
    assert explained(prepared, failed()) == failed()
    assert explained(None, failed()) == failed()
