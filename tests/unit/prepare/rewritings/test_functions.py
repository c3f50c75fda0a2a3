"""Bodies of functions in the place of their calls answer the same."""

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.prepare.known import known
from burn_verify.prepare.rewritings.functions import (
    all_functions,
    body_in_the_standard,
    functions_in_the_standard,
    operators_inside,
    with_bodies_of,
    with_local_bodies,
)
from handmade import model, value
from rewriting import answers, node_model, operators

X = np.array([[1, -2, 3], [4, 5, -6]], np.float32)


def local(name, nodes, inputs, outputs, **given):
    return helper.make_function("mine", name, inputs, outputs, nodes, [helper.make_opsetid("", 18)], **given)


def calling(nodes, functions, outputs=("y",)):
    values = [value(name, shape=[2, 3]) for name in outputs]
    return model(nodes, [value("x", shape=[2, 3])], values, functions=functions)


def test_functions_of_the_model_inside_each_other():
    inner = local("inner", [helper.make_node("Neg", ["a"], ["b"])], ["a"], ["b"])
    nodes = [helper.make_node("inner", ["a"], ["t"], domain="mine"), helper.make_node("Add", ["t", "a"], ["b"])]
    outer = local("outer", nodes, ["a"], ["b"])
    outer.opset_import.append(helper.make_opsetid("mine", 1))
    call = [
        helper.make_node("outer", ["x"], ["t"], domain="mine"),
        helper.make_node("outer", ["t"], ["y"], domain="mine"),
    ]
    given = calling(call, [inner, outer])
    made = with_local_bodies(given)
    assert not made.functions
    assert operators(made) == ["Neg", "Add", "Neg", "Add"]
    np.testing.assert_array_equal(answers(made, [X])[0], answers(given, [X])[0])


def test_a_function_that_calls_itself_stays_a_call():
    again = local("again", [helper.make_node("again", ["a"], ["b"], domain="mine")], ["a"], ["b"])
    one, other = (
        local(name, [helper.make_node(callee, ["a"], ["b"], domain="mine")] * 3, ["a"], ["b"])
        for name, callee in (("one", "other"), ("other", "one"))
    )
    calls = [[helper.make_node(name, ["x"], ["y"], domain="mine")] for name in ("again", "one")]
    assert with_local_bodies(calling(calls[0], [again])) is None
    assert with_local_bodies(calling(calls[1], [one, other])) is None


def test_attributes_and_inputs_that_are_left_out():
    node = helper.make_node("Elu", ["a"], ["b"])
    node.attribute.add(name="alpha", ref_attr_name="slope", type=1)
    nodes = [node, helper.make_node("Clip", ["b", "low"], ["c"])]
    call = helper.make_node("f", ["x"], ["y"], domain="mine", slope=0.5)
    made = with_local_bodies(calling([call], [local("f", nodes, ["a", "low"], ["c"], attributes=["slope"])]))
    assert list(made.graph.node[1].input)[1:] == [""]
    np.testing.assert_allclose(answers(made, [X])[0], np.where(X > 0, X, 0.5 * np.expm1(X)), rtol=1e-5)


def test_a_function_may_hand_on_its_input():
    made = with_local_bodies(
        calling([helper.make_node("f", ["x"], ["y"], domain="mine")], [local("f", [], ["a"], ["a"])])
    )
    np.testing.assert_array_equal(answers(made, [X])[0], X)


@pytest.mark.parametrize("op_type", ["Celu", "Softsign", "ReduceLogSumExp", "HardSwish", "Mish", "LogSoftmax"])
def test_bodies_of_the_standard(op_type):
    given, arrays = node_model(op_type, [X])
    made = with_bodies_of(given, frozenset({op_type}))
    assert op_type not in operators(made)
    np.testing.assert_allclose(answers(made, arrays)[0], answers(given, arrays)[0], rtol=1e-5, atol=1e-6)


def test_a_body_for_the_types_of_a_node():
    target = np.array([0, 2], np.int64)
    given, arrays = node_model("SoftmaxCrossEntropyLoss", [X, target], opset=13, reduction="mean", ignore_index=-1)
    made = with_bodies_of(given, frozenset({"SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"}))
    assert not {"SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"} & set(operators(made))
    np.testing.assert_allclose(answers(made, arrays)[0], answers(given, arrays)[0], rtol=1e-5)


def test_operators_without_a_body_stay():
    given, _ = node_model("Abs", [X])
    assert with_bodies_of(given, frozenset({"Abs"})) is None
    assert with_bodies_of(given, frozenset({"Celu"})) is None
    assert with_local_bodies(given) is None


def test_the_functions_of_the_standard_are_known():
    assert functions_in_the_standard(["Celu", "Abs", "mine.f"]) == {"Celu"}
    assert {"Celu", "SwiGLU", "Attention"} <= all_functions()


def test_a_body_with_an_inner_graph():
    given, arrays = node_model("Range", [np.array(one, np.float32) for one in (1, 7, 2)])
    made = with_bodies_of(given, frozenset({"Range"}))
    assert "Loop" in operators(made)
    np.testing.assert_array_equal(answers(made, arrays)[0], [1, 3, 5])


def test_what_bodies_would_bring_is_known_before():
    x, t = value("x", shape=[3, 5]), value("t", onnx.TensorProto.INT64, [3])
    made = model(
        [helper.make_node("SoftmaxCrossEntropyLoss", ["x", "t"], ["y"])], [x, t], [value("y", shape=[])], opset=13
    )
    found = operators_inside(made)
    assert {"NegativeLogLikelihoodLoss", "LogSoftmax", "GatherElements"} <= found
    assert "SoftmaxCrossEntropyLoss" not in found
    assert operators_inside(node_model("Add", [X, X])[0]) == frozenset()


def test_a_node_whose_types_are_not_known_has_no_body_in_context():
    inner = helper.make_graph([helper.make_node("Neg", ["e"], ["n"])], "b", [value("e")], [value("n")])
    node = helper.make_node("SequenceMap", ["s"], ["y"], body=inner)
    assert body_in_the_standard(node, 18, known(model([node], [], []))) is None
