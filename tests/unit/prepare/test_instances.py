"""Inner graphs as parts of other graphs, under other names."""

from onnx import helper

from burn_verify.prepare.body import Names
from burn_verify.prepare.instances import instance, renamed_node
from handmade import model, value


def test_an_inner_graph_gets_new_names_but_for_its_inputs():
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "outside"], ["b"]), helper.make_node("Neg", ["b"], ["c"])],
        "body",
        [value("a")],
        [value("c"), value("a")],
        [helper.make_tensor("k", 1, [1], [1.0])],
    )
    names = Names(model([], [], []))
    one, other = (instance(graph, ["given"], names) for _ in range(2))
    assert list(one.nodes[0].input) == ["given", "outside"]
    assert one.nodes[1].input[0] == one.nodes[0].output[0]
    assert one.outputs == (one.nodes[1].output[0], "given")
    assert not {name for node in one.nodes for name in node.output} & {
        name for node in other.nodes for name in node.output
    }
    assert one.tensors[0].name != other.tensors[0].name


def test_attributes_of_a_function_are_those_of_the_caller():
    node = helper.make_node("Elu", ["x"], ["y"])
    node.attribute.add(name="alpha", ref_attr_name="slope", type=1)
    names = Names(model([], [], []))
    given = {"slope": helper.make_attribute("slope", 0.5)}
    assert renamed_node(node, {}, given, names).attribute[0].f == 0.5
    assert not renamed_node(node, {}, {}, names).attribute
    assert node.attribute[0].ref_attr_name == "slope"
