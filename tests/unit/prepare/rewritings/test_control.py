"""Loops, scans and branches that are known before are put in their place."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.rewritings.control import unrolled
from handmade import model, value
from rewriting import TOOLS, answers, operators

X = np.arange(6, dtype=np.float32).reshape(3, 2)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def body(condition=True):
    nodes = [
        helper.make_node("Add", ["carried", "x"], ["next"]),
        helper.make_node("Identity", ["c"], ["go"]) if condition else helper.make_node("Not", ["c"], ["go"]),
        helper.make_node("Identity", ["next"], ["seen"]),
    ]
    inputs = [value("i", TensorProto.INT64, []), value("c", TensorProto.BOOL, []), value("carried", shape=[3, 2])]
    outputs = [value("go", TensorProto.BOOL, []), value("next", shape=[3, 2]), value("seen", shape=[3, 2])]
    return helper.make_graph(nodes, "body", inputs, outputs)


def looping(count, graph, tensors=()):
    node = helper.make_node("Loop", [count, "", "x"], ["y", "all"], body=graph)
    outputs = [value("y", shape=[3, 2]), value("all", shape=[None, 3, 2])]
    return model([node], [value("x", shape=[3, 2])], outputs, tensors)


def same(given):
    made = unrolled(given, TOOLS)
    assert not {"Loop", "Scan", "If"} & set(operators(made))
    for came, wanted in zip(answers(made, [X]), answers(given, [X]), strict=True):
        np.testing.assert_array_equal(came, wanted)
    return made


def test_a_loop_of_a_constant_count():
    made = same(looping("n", body(), [constant("n", np.int64(3))]))
    assert operators(made).count("Add") == 3


@pytest.mark.parametrize("count", [0, 100_000])
def test_no_round_and_too_many_stay(count):
    assert unrolled(looping("n", body(), [constant("n", np.int64(count))]), TOOLS) is None


def test_a_body_that_is_large_as_often_as_it_runs_stays():
    graph = body()
    graph.node.extend(helper.make_node("Neg", ["x"], [f"n{place}"]) for place in range(100))
    assert unrolled(looping("n", graph, [constant("n", np.int64(500))]), TOOLS) is None


def test_a_condition_that_changes_stays():
    assert unrolled(looping("n", body(condition=False), [constant("n", np.int64(3))]), TOOLS) is None


def test_a_count_that_comes_at_run_time_stays():
    given = looping("n", body())
    given.graph.input.append(value("n", TensorProto.INT64, []))
    assert unrolled(given, TOOLS) is None


@pytest.mark.parametrize(
    "given", [{}, {"scan_input_axes": [1], "scan_output_axes": [1]}, {"scan_input_directions": [1]}]
)
def test_a_scan_of_a_known_length(given):
    size = 3 if "scan_input_axes" in given else 2
    nodes = [helper.make_node("Add", ["s", "e"], ["n"]), helper.make_node("Neg", ["n"], ["o"])]
    values = [value(name, shape=[size]) for name in "seno"]
    graph = helper.make_graph(nodes, "body", values[:2], values[2:])
    node = helper.make_node("Scan", ["zero", "x"], ["last", "all"], body=graph, num_scan_inputs=1, **given)
    outputs = [value("last", shape=[size]), value("all", shape=[None, None])]
    zero = constant("zero", np.zeros(size, np.float32))
    same(model([node], [value("x", shape=[3, 2])], outputs, [zero]))


@pytest.mark.parametrize("chosen", [True, False])
def test_a_branch_that_is_known(chosen):
    def branch(op_type):
        return helper.make_graph([helper.make_node(op_type, ["x"], ["b"])], "b", [], [value("b", shape=[3, 2])])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("Neg"), else_branch=branch("Exp"))
    made = same(
        model([node], [value("x", shape=[3, 2])], [value("y", shape=[3, 2])], [constant("c", np.array(chosen))])
    )
    assert operators(made)[0] == ("Neg" if chosen else "Exp")
