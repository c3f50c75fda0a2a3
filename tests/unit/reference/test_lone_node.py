"""The one operator of a model, as JSON and back."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from burn_verify.reference import lone_node
from handmade import model, value

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE
X = np.array([[0.1, -0.2, 0.3], [1.0, 2.0, -3.0]], np.float32)


def test_the_lone_node_survives_json():
    weights = numpy_helper.from_array(np.ones((3, 1), np.float32), "w")
    bias = helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(np.array([np.inf], np.float32)))
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, transA=0)
    given = model([bias, node], [value("x", FLOAT, [2, 3])], [value("y", FLOAT, [2, 1])], [weights])
    found = lone_node.lone_node(given, [X], [(2, 1)])
    assert found is not None
    lone, inputs = found
    assert (lone.facts.op_type, lone.facts.since_version, lone.facts.attributes) == (
        "Gemm",
        13,
        {"alpha": 0.5, "transA": 0},
    )
    assert (lone.feeds, lone.gives) == ((0, None, None), (0,))
    assert lone.facts.input_shapes == ((2, 3), (3, 1), (1,))
    assert [array.shape for array in inputs] == [(2, 3), (3, 1), (1,)]
    again = lone_node.from_json(lone_node.to_json(lone))
    assert (again.feeds, again.gives, again.facts.attributes) == (lone.feeds, lone.gives, lone.facts.attributes)
    for place, array in lone.facts.input_values.items():
        np.testing.assert_array_equal(again.facts.input_values[place], array)
        assert again.facts.input_values[place].dtype == array.dtype
    given_inputs = again.inputs([X])
    np.testing.assert_array_equal(given_inputs[0], X)
    np.testing.assert_array_equal(given_inputs[2], [np.inf])


def test_a_graph_of_several_has_no_lone_node():
    nodes = [helper.make_node("Add", ["x", "x"], ["a"]), helper.make_node("Mul", ["a", "x"], ["y"])]
    assert lone_node.lone_node(model(nodes, [value("x")], [value("y")]), [X], [(2, 3)]) is None
