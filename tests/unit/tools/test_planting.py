"""Faults planted in single nodes."""

import numpy as np
import pytest
from onnx import helper

from handmade import model, value
from planting.builder import MARK, marked
from planting.faults import Kind, faults_of, planted
from wrong import answers, initializer

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def one(op_type, *weights, inputs=("x",), **attributes):
    """Return a model of one node."""
    node = helper.make_node(op_type, [*inputs, *(weight.name for weight in weights)], ["y"], "n", **attributes)
    return model([node], [value("x", shape=[2, 3])], [value("y")], weights)


@pytest.mark.parametrize(
    ("kind", "proto"),
    [
        (Kind.AXIS, one("Softmax", axis=1)),
        (Kind.AXIS, one("Concat", inputs=("x", "x"), axis=0)),
        (Kind.OPERANDS, one("Sub", initializer("w", 1, 2, 3))),
        (Kind.OPERANDS, one("Div", initializer("w", 1, 2, 3))),
        (Kind.EPSILON, one("LayerNormalization", initializer("w", 1, 1, 1), axis=1)),
        (Kind.BIAS, one("Gemm", initializer("a", [1, 0], [0, 1], [1, 1]), initializer("b", 5, 6))),
        (Kind.OFF_BY_ONE, one("Gather", initializer("i", 1, 2, dtype=np.int64), axis=1)),
        (Kind.CONSTANT, one("Mul", initializer("w", 1, 2, 3))),
        (Kind.CONSTANT, one("LeakyRelu", alpha=0.5)),
    ],
)
def test_a_fault_changes_what_a_node_answers(kind, proto):
    changed = dict(faults_of(proto, 0))[kind]
    right, wrong = (answers(some, [X - 2.5])[0] for some in (proto, changed))
    assert right.shape != wrong.shape or not np.array_equal(right, wrong)


def test_a_node_has_only_the_faults_that_fit():
    assert list(faults_of(one("Relu"), 0)) == []


def test_other_nodes_keep_their_weights():
    nodes = [helper.make_node("Mul", ["x", "w"], ["a"]), helper.make_node("Mul", ["a", "w"], ["y"])]
    proto = model(nodes, [value("x", shape=[2, 3])], [value("y")], [initializer("w", 1, 2, 3)])
    assert planted(proto, 0, Kind.CONSTANT)
    np.testing.assert_allclose(answers(proto, [X])[0], X * np.array([1, 4, 9]) * 1.01, rtol=1e-6)


def test_the_nodes_of_a_copy_are_marked_with_their_places():
    proto = one("Relu")
    assert [node.doc_string for node in marked(proto).graph.node] == [f"{MARK} 0."]
    assert proto.graph.node[0].doc_string == ""
