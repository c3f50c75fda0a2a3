"""The mask of a small attention is written as older exports do, and answers the same."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import handmade
from plain_mask import difference, with_plain_mask


def attention() -> onnx.ModelProto:
    constants = {
        "axes": np.array([1, 2], np.int64),
        "zero": np.array(0, np.float32),
        "low": np.array(np.finfo(np.float32).min),
        "table": np.linspace(-1, 1, 1000, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["truth"], to=TensorProto.BOOL),
        helper.make_node("Unsqueeze", ["truth", "axes"], ["wide"]),
        helper.make_node("Where", ["wide", "zero", "low"], ["bias"]),
        helper.make_node("Gather", ["table", "input_ids"], ["scores"]),
        helper.make_node("Unsqueeze", ["scores", "axes"], ["rows"]),
        helper.make_node("Add", ["rows", "bias"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["y"], axis=-1),
    ]
    inputs = [handmade.value(name, TensorProto.INT64, ["b", "s"]) for name in ("input_ids", "attention_mask")]
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return handmade.model(nodes, inputs, [handmade.value("y", shape=["b", 1, 1, "s"])], stored)


def test_answers_stay_and_the_lookup_goes(tmp_path):
    one, two = tmp_path / "one.onnx", tmp_path / "two.onnx"
    model = attention()
    onnx.save(model, one)
    made = with_plain_mask(model)
    onnx.save(made, two)

    assert "Where" not in {node.op_type for node in made.graph.node}
    assert {one.name for one in made.graph.initializer} >= {"table", "plain_lowest"}
    assert "zero" not in {one.name for one in made.graph.initializer}
    assert difference(one, two) == 0


def test_a_model_without_a_mask_is_refused():
    model = attention()
    del model.graph.node[2]
    with pytest.raises(ValueError, match="0 nodes Where"):
        with_plain_mask(model)
