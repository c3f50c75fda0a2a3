"""If, Loop and Scan as flat graphs."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from burn_verify.graph.control import body_of, conditions, inlined, named, spec_of, with_shapes
from burn_verify.graph.cut import graph_of, whole_inputs
from handmade import model, value
from wrong import answers, initializer

X = np.array([1, -2, 3], np.float32)


def choosing():
    """Return c, x → If, whose branches have a weight and inner values of the same names, → Neg."""
    branches = {
        word: helper.make_graph(
            [helper.make_node(op_type, ["x", "w"], ["t"], "n"), helper.make_node("Abs", ["t"], ["o"])],
            word,
            [],
            [value("o")],
            [initializer("w", 2)],
        )
        for word, op_type in (("then_branch", "Mul"), ("else_branch", "Add"))
    }
    nodes = [helper.make_node("If", ["c"], ["z"], "choose", **branches), helper.make_node("Neg", ["z"], ["y"])]
    return model(nodes, [value("c", TensorProto.BOOL, []), value("x", shape=[3])], [value("y", shape=[3])])


def test_the_chosen_branch_takes_the_place_of_an_if():
    for chosen in (True, False):
        flat = inlined(named(choosing()), {"c": chosen})
        assert conditions(flat) == ()
        onnx.checker.check_model(flat)
        wanted = answers(choosing(), [np.array(chosen), X])
        np.testing.assert_array_equal(answers(flat, [np.array(chosen), X]), wanted)


def test_inner_nodes_are_named_after_the_outer_one():
    names = [node.name for node in inlined(named(choosing()), {"c": True}).graph.node]
    assert names == ["choose/then_branch/n", "choose/then_branch/Abs#2", "Neg#2"]


def test_an_if_whose_condition_is_not_known_stays():
    assert conditions(inlined(choosing(), {})) == ("c",)


def test_a_branch_that_hands_something_through():
    branch = helper.make_graph([], "g", [], [value("x")])
    node = helper.make_node("If", ["c"], ["y"], "choose", then_branch=branch, else_branch=branch)
    proto = model([node], [value("c", TensorProto.BOOL, []), value("x", shape=[3])], [value("y", shape=[3])])
    flat = inlined(proto, {"c": True})
    np.testing.assert_array_equal(answers(flat, [np.array(True), X])[0], X)


def looping():
    """Return a Loop that adds x and a weight three times, and counts."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Add", ["carried", "x"], ["sum"], "plus"),
            helper.make_node("Mul", ["sum", "w"], ["next"]),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("carried")],
        [value("on", TensorProto.BOOL, []), value("next")],
    )
    node = helper.make_node("Loop", ["n", "", "x"], ["y"], "again", body=body)
    weights = [initializer("w", 2), helper.make_tensor("n", TensorProto.INT64, [], [3])]
    return model([node], [value("x", shape=[3])], [value("y", shape=[3])], weights)


def test_the_body_of_a_loop_is_a_model():
    body = body_of(graph_of(looping()), 0)
    assert whole_inputs(body.model) == ("i", "go", "carried", "x")
    assert [body.takes[name] for name in ("carried", "x")] == ["x", "x"]
    assert body.takes["i"] == 0
    came = answers(body.model, [np.array(0), np.array(True), X, X])
    np.testing.assert_array_equal(came[1], 4 * X)
    assert [node.name for node in body.model.graph.node][1] == "again/body/plus"


def test_a_scan_starts_at_either_end():
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "e"], ["t"])], "body", [value("s"), value("e")], [value("t")]
    )
    node = helper.make_node("Scan", ["a", "x"], ["y"], body=body, num_scan_inputs=1, scan_input_directions=[1])
    proto = model([node], [value("a", shape=[]), value("x", shape=[3])], [value("y")])
    found = body_of(graph_of(proto), 0)
    assert found.first("e", X) == 3
    np.testing.assert_array_equal(found.first("s", X), X)


def test_other_nodes_have_no_body():
    assert body_of(graph_of(choosing()), 0) is None


def test_local_functions_are_inlined_and_every_node_has_a_name():
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    nodes = [helper.make_node("Twice", ["x"], ["y"], domain="mine")]
    found = named(model(nodes, [value("x", shape=[3])], [value("y", shape=[3])], functions=[function]))
    assert [node.op_type for node in found.graph.node] == ["Add"]
    assert all(node.name for node in found.graph.node)


def test_inputs_get_the_shapes_of_their_values():
    found = with_shapes(looping(), {"x": spec_of("x", X[:2])})
    assert [dim.dim_value for dim in found.graph.input[0].type.tensor_type.shape.dim] == [2]
