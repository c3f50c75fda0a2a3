"""Single nodes are replaced by others, in all graphs."""

import numpy as np
from onnx import TensorProto, helper

from burn_verify.graph import facts
from burn_verify.prepare.known import Known
from burn_verify.prepare.replace import Site, replaced
from handmade import model, value
from rewriting import answers, operators

X = np.array([1, -2, 3], np.float32)


def negated(site, body):
    """Replace Neg by a product."""
    return [body("Mul", site.input(0), body.const([-1.0]))]


def of(*nodes, outputs=("y",), opset=18):
    return model(nodes, [value("x", shape=[3])], [value(name, shape=[3]) for name in outputs], opset=opset)


def test_a_node_is_replaced_and_keeps_its_output():
    given = of(helper.make_node("Neg", ["x"], ["y"]))
    made = replaced(given, {"Neg": negated})
    assert operators(made) == ["Mul"]
    assert operators(given) == ["Neg"]
    np.testing.assert_array_equal(answers(made, [X])[0], -X)


def test_there_may_be_nothing_to_replace():
    assert replaced(of(helper.make_node("Abs", ["x"], ["y"])), {"Neg": negated}) is None
    assert replaced(of(helper.make_node("Neg", ["x"], ["y"])), {"Neg": lambda site, body: None}) is None


def test_an_old_model_stays():
    assert replaced(of(helper.make_node("Neg", ["x"], ["y"]), opset=12), {"Neg": negated}) is None


def test_an_operator_is_meant_with_its_domain():
    made = replaced(of(helper.make_node("Neg", ["x"], ["y"], domain="mine")), {"Neg": negated})
    assert made is None


def test_an_input_may_be_handed_on():
    made = replaced(of(helper.make_node("Neg", ["x"], ["y"])), {"Neg": lambda site, body: [site.input(0)]})
    np.testing.assert_array_equal(answers(made, [X])[0], X)


def test_one_value_may_stand_for_two():
    def both(site, body):
        name = body("Neg", site.input(0))
        return [name, name]

    split = helper.make_node("Split", ["x"], ["y", "z"], num_outputs=2)
    made = replaced(of(split, outputs=("y", "z")), {"Split": both})
    assert [one.tolist() for one in answers(made, [X])] == [(-X).tolist()] * 2


def test_nodes_of_inner_graphs_are_replaced():
    def branch(op_type):
        return helper.make_graph([helper.make_node(op_type, ["x"], ["b"])], "b", [], [value("b", shape=[3])])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("Neg"), else_branch=branch("Abs"))
    given = model([node], [value("x", shape=[3]), value("c", TensorProto.BOOL, [])], [value("y", shape=[3])])
    made = replaced(given, {"Neg": negated})
    np.testing.assert_array_equal(answers(made, [X, np.array(True)])[0], -X)
    assert "Neg" not in {one.op_type for one in facts.nodes(made)}


def test_a_node_with_an_inner_graph_may_be_replaced_as_what_is_inside():
    inner = helper.make_graph([helper.make_node("Neg", ["x"], ["b"])], "b", [], [value("b", shape=[3])])
    for _ in range(3):
        node = helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "b", [], [value("b", shape=[3])])
    given = model(inner.node, [value("x", shape=[3]), value("c", TensorProto.BOOL, [])], [value("b", shape=[3])])
    made = replaced(given, {"Neg": negated})
    assert {one.op_type for one in facts.nodes(made)} == {"If", "Mul"}
    assert {one.op_type for one in facts.nodes(given)} == {"If", "Neg"}


def test_a_site_says_what_is_known():
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest", axes=[1])
    site = Site(node=node, opset=18, known=Known({}, {}))
    assert (site.input(1), site.input(7), site.wants(0), site.wants(1)) == ("", "", True, False)
    assert (site.attribute("mode"), site.attribute("axes"), site.attribute("none", 3)) == ("nearest", [1], 3)
    assert (site.shape(0), site.rank(0), site.elem_type(0), site.constant(2)) == (None, None, 0, None)
    assert (site.ints(2, "axes"), site.ints(1, "axes")) == (None, [1])
