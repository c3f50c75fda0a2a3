"""Names that burn-onnx takes for one another are told apart."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.prepare.rewritings.names import distinct
from handmade import model, value
from rewriting import TOOLS, answers

X, Y = np.float32([1, 2]), np.float32([5, 7])


def of(one, other, result, inner="t"):
    nodes = [helper.make_node("Sub", [one, other], [inner]), helper.make_node("Neg", [inner], [result])]
    return model(nodes, [value(one, shape=[2]), value(other, shape=[2])], [value(result, shape=[2])])


@pytest.mark.parametrize(
    "names",
    [
        ("X", "x", "y"),
        ("ref", "b", "y"),
        ("a", "b", "type"),
        ("a", "b", "y", "A"),
        ("a.b", "a_b", "y"),
        ("a", "b", "y", "..."),
        ("out", "out.", "y"),
        ("fooBar", "foo_bar", "y"),
    ],
)
def test_alike_names_and_keywords_are_renamed(names):
    given = of(*names)
    made = distinct(given, TOOLS)
    plain = [value.name.lower() for value in (*made.graph.input, *made.graph.output)] + [made.graph.node[0].output[0]]
    assert len({"".join(char if char.isalnum() else "_" for char in name) for name in plain}) == 4
    assert not {"ref", "type"} & set(plain)
    np.testing.assert_array_equal(answers(made, [X, Y])[0], answers(given, [X, Y])[0])
    assert distinct(made, TOOLS) is None


def test_names_that_are_distinct_stay():
    assert distinct(of("a", "b", "y"), TOOLS) is None


def test_an_input_keeps_its_name_where_an_inner_value_has_one_alike():
    made = distinct(of("a", "b", "y", "A"), TOOLS)
    assert [value.name for value in made.graph.input] == ["a", "b"]


def test_inner_graphs_follow():
    def branch():
        return helper.make_graph([helper.make_node("Neg", ["X"], ["b"])], "b", [], [value("b")])

    node = helper.make_node("If", ["x"], ["y"], then_branch=branch(), else_branch=branch())
    given = model([node], [value("x", 9, []), value("X", shape=[2])], [value("y", shape=[2])])
    made = distinct(given, TOOLS)
    np.testing.assert_array_equal(answers(made, [np.array(True), X])[0], -X)
