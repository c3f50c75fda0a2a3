"""onnx's reference evaluator: trusted with few, and held to what the model declares."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.graph.operators import all_operators
from burn_verify.reference.evaluator import UNTRUSTED, Evaluator


def model(op_type, declared=(2,), elem_type=TensorProto.FLOAT, **attributes):
    node = helper.make_node(op_type, ["X"], ["Y"], **attributes)
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, [2])
    y = helper.make_tensor_value_info("Y", elem_type, declared)
    return helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 13)])


X = {"X": np.array([-1.0, 2.0], dtype=np.float32)}


def test_it_answers():
    (answer,) = Evaluator(model("Abs")).answer(X)
    np.testing.assert_array_equal(answer, [1, 2])


@pytest.mark.parametrize("declared", [{"declared": (3,)}, {"declared": (2, 1)}, {"elem_type": TensorProto.DOUBLE}])
def test_an_answer_of_another_type_is_none(declared):
    with pytest.raises(ValueError, match="not what is declared"):
        Evaluator(model("Abs", **declared)).answer(X)


def test_it_is_not_trusted_with_some():
    with pytest.raises(ValueError, match="not trusted with Softmax"):
        Evaluator(model("Softmax"))
    assert {operator.op_type for operator in all_operators()} >= UNTRUSTED


def test_what_it_raises_is_why_it_has_no_answer():
    with pytest.raises(ValueError, match=r"onnx\.reference: "):
        Evaluator(model("GlobalLpPool")).answer(X)
    damaged = model("Abs")
    damaged.graph.node[0].input[0] = "Z"
    with pytest.raises(ValueError, match=r"onnx\.reference: "):
        Evaluator(damaged).answer(X)
    assert isinstance(damaged, onnx.ModelProto)
