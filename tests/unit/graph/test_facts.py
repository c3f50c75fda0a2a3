"""Facts about a model: operators, inputs, outputs, the one operator, and random numbers."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.core.case import TensorSpec
from burn_verify.graph import facts

X = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", 3])
Y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["batch", 3])
W = numpy_helper.from_array(np.ones(3, np.float32), "W")


def a_model(nodes, inputs=(X,), initializers=(), opset=17, ir_version=8):
    graph = helper.make_graph(list(nodes), "g", list(inputs), [Y], initializer=list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def test_operators_inputs_and_outputs():
    weight = helper.make_tensor_value_info("W", TensorProto.FLOAT, [3])
    model = a_model([helper.make_node("Add", ["X", "W"], ["Y"])], [X, weight], [W], ir_version=3)

    known = facts.facts(model)

    assert (known.op_types, known.opset, known.random) == (("Add",), 17, False)
    assert known.inputs == (TensorSpec(name="X", dtype="float32", shape=("batch", 3)),)
    assert known.outputs == (TensorSpec(name="Y", dtype="float32", shape=("batch", 3)),)


def test_numbers_are_attributes_and_short_constants_that_are_finite():
    short = numpy_helper.from_array(np.array([2.0, np.inf, 1e30], np.float32), "s")
    long = numpy_helper.from_array(np.full(99, 7.0, np.float32), "l")
    whole = numpy_helper.from_array(np.array([5]), "w")
    model = a_model([helper.make_node("Elu", ["X"], ["Y"], alpha=0.5)], initializers=[short, long, whole])
    assert facts.numbers(model) == (0.5, 2.0)


def test_nodes_and_tensors_of_inner_graphs_count():
    constant = helper.make_node("Constant", [], ["c"], value=W)
    inner = helper.make_graph([constant, helper.make_node("Mul", ["X", "c"], ["y"])], "inner", [], [Y])
    loop = helper.make_node("If", ["X"], ["Y"], then_branch=inner, else_branch=inner)
    model = a_model([loop])

    assert facts.facts(model).op_types == ("Constant", "If", "Mul")
    assert [tensor.name for tensor in facts.tensors(model)] == ["W", "W"]


def test_the_one_operator_is_in_the_version_of_the_opset():
    constant = helper.make_node("Constant", [], ["c"], value=W)

    subject = facts.subject(a_model([constant, helper.make_node("Add", ["X", "c"], ["Y"])], opset=13))

    assert (subject.op_type, subject.since_version, subject.dtype) == ("Add", 13, "float32")
    assert (
        facts.subject(a_model([helper.make_node("Relu", ["X"], ["a"]), helper.make_node("Neg", ["a"], ["Y"])])) is None
    )


@pytest.mark.parametrize(
    ("node", "opset", "known", "random"),
    [
        (helper.make_node("RandomNormalLike", ["X"], ["Y"]), 17, {}, True),
        (helper.make_node("Dropout", ["X"], ["Y"]), 17, {}, False),
        (helper.make_node("Dropout", ["X", "", "training"], ["Y"]), 17, {"training": np.array(True)}, True),
        (helper.make_node("Dropout", ["X", "", "training"], ["Y"]), 17, {"training": np.array(False)}, False),
        (helper.make_node("Dropout", ["X"], ["Y"]), 7, {}, False),
        (helper.make_node("Relu", ["X"], ["Y"]), 17, {}, False),
    ],
)
def test_a_model_that_draws_random_numbers(node, opset, known, random):
    assert facts.facts(a_model([node], opset=opset), known).random is random


def outputs_of(nodes, *outputs, functions=()):
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2]) for name in ("X", *outputs)]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return facts.facts(helper.make_model(graph, opset_imports=opsets, functions=functions))


def test_outputs_that_no_random_number_reaches_are_steady():
    nodes = [
        helper.make_node("RandomNormalLike", ["X"], ["R"]),
        helper.make_node("Add", ["X", "R"], ["noisy"]),
        helper.make_node("Exp", ["X"], ["exact"]),
    ]
    found = outputs_of(nodes, "noisy", "exact")
    assert (found.random, found.steady, found.measurable) == (True, ("exact",), True)
    assert outputs_of(nodes, "noisy").measurable is False
    # What is drawn and thrown away makes no answer random.
    assert (outputs_of(nodes, "exact").random, outputs_of(nodes, "exact").steady) == (False, ())


def test_random_numbers_of_branches_and_functions_reach_what_they_give():
    value = helper.make_tensor_value_info("t", onnx.TensorProto.FLOAT, [2])
    draws = helper.make_graph([helper.make_node("RandomNormalLike", ["X"], ["t"])], "then", [], [value])
    other = helper.make_graph([helper.make_node("Neg", ["X"], ["t"])], "else", [], [value])
    inner = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    calls = helper.make_function(
        "own", "Calls", ["a"], ["b"], [helper.make_node("Draws", ["a"], ["b"], domain="own")], inner
    )
    drawing = helper.make_function(
        "own", "Draws", ["a"], ["b"], [helper.make_node("RandomNormalLike", ["a"], ["b"])], inner
    )
    nodes = [
        helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", onnx.TensorProto.BOOL, [], [True])),
        helper.make_node("If", ["c"], ["branch"], then_branch=draws, else_branch=other),
        helper.make_node("Calls", ["X"], ["called"], domain="own"),
        helper.make_node("Neg", ["X"], ["exact"]),
    ]
    found = outputs_of(nodes, "branch", "called", "exact", functions=(calls, drawing))
    assert found.steady == ("exact",)


def test_text_that_is_no_utf_8_is_refused():
    assert facts.text("Relu") == "Relu"
    with pytest.raises(ValueError, match="is not text"):
        facts.text(b"\xff")


def test_an_element_type_that_onnx_does_not_have_is_refused():
    model = a_model([helper.make_node("Relu", ["X"], ["Y"])])
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UNDEFINED

    with pytest.raises(ValueError, match="no dtype for ONNX elem_type 0"):
        facts.facts(model)


@pytest.mark.parametrize("data_type", [-1, 0, 8, 99])
def test_a_constant_of_no_data_type_has_no_elements(data_type):
    tensor = onnx.TensorProto(name="c", data_type=data_type, dims=[1], raw_data=b"\x00")
    assert facts.array_of(tensor) is None
