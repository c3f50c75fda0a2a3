"""What nobody reads any more is removed."""

import numpy as np
from onnx import helper, numpy_helper

from burn_verify.prepare.prune import copy_of, inside_out, pruned, reads, set_nodes
from handmade import model, value
from rewriting import operators


def test_dead_nodes_and_constants_go():
    tensors = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in ("used", "unused")]
    nodes = [helper.make_node("Add", ["x", "used"], ["y"]), helper.make_node("Add", ["x", "unused"], ["z"])]
    made = model(nodes, [value("x", shape=[3])], [value("y", shape=[3])], tensors)
    made.graph.value_info.append(value("z", shape=[3]))
    made.opset_import.append(helper.make_opsetid("unused", 1))
    pruned(made)
    assert (operators(made), [one.name for one in made.graph.initializer]) == (["Add"], ["used"])
    assert (len(made.graph.value_info), len(made.opset_import)) == (0, 1)


def test_a_constant_that_is_an_input_too_stays_both_or_goes_from_both():
    tensors = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in ("used", "unused")]
    inputs = [value(name, shape=[3]) for name in ("x", "used", "unused", "unread")]
    nodes = [helper.make_node("Add", ["x", "used"], ["y"])]
    made = pruned(model(nodes, inputs, [value("y", shape=[3])], tensors))
    assert [one.name for one in made.graph.input] == ["x", "used", "unread"]
    assert [one.name for one in made.graph.initializer] == ["used"]


def test_what_an_inner_graph_reads_is_needed():
    inner = helper.make_graph([helper.make_node("Neg", ["outside"], ["b"])], "b", [], [value("b")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    assert {"c", "outside"} <= reads(node)


def test_inner_graphs_come_before_those_that_hold_them():
    inner = helper.make_graph([helper.make_node("Neg", ["x"], ["b"])], "inner", [], [value("b")])
    middle = helper.make_graph(
        [helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner)], "middle", [], [value("b")]
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=middle, else_branch=middle)
    made = model([node], [value("x")], [value("y")])
    assert [one.name for one in inside_out(made)] == [*["inner", "inner", "middle"] * 2, "g"]


def test_nodes_may_be_put_back_into_their_own_graph():
    made = model([helper.make_node("Neg", ["x"], ["y"])], [value("x")], [value("y")])
    set_nodes(made.graph, [*made.graph.node, copy_of(made.graph.node[0])])
    assert operators(made) == ["Neg", "Neg"]
