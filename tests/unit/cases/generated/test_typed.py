"""Types of outputs, and what onnx says of a graph."""

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.cases.generated.typed import InvalidGraph, finish, one_line, refusals, same, typed


def model(op_type: str = "Relu") -> onnx.ModelProto:
    given = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, "n"])
    made = helper.make_empty_tensor_value_info("y")
    graph = helper.make_graph([helper.make_node(op_type, ["x"], ["y"])], "g", [given], [made])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_outputs_get_what_is_inferred() -> None:
    (output,) = typed(model()).graph.output
    assert [dim.dim_value or dim.dim_param for dim in output.type.tensor_type.shape.dim] == [2, "n"]


def test_where_nothing_is_inferred_the_answer_says_dtype_and_rank() -> None:
    made = model("Relu")
    finish(made, [np.zeros((2, 3), dtype=np.float32)])
    (output,) = made.graph.output
    assert output.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert len(output.type.tensor_type.shape.dim) == 2


def test_without_an_answer_there_is_no_type() -> None:
    with pytest.raises(ValueError, match="no reference answers"):
        finish(model(), [])


def test_what_onnx_raises_is_an_invalid_graph() -> None:
    with pytest.raises(InvalidGraph, match="type"), refusals():
        typed(model("Not"))


def test_bits_are_compared_and_words() -> None:
    assert same(np.array([np.nan]), np.array([np.nan]))
    assert not same(np.array([0.0]), np.array([-0.0]))
    assert same(np.array(["a"], dtype=object), np.array(["a"], dtype=object))


def test_messages_are_one_line() -> None:
    assert one_line("a\n  b") == "a b"
    assert len(one_line("x" * 999)) == 400
