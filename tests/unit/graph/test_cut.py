"""Any set of nodes of a model as a model of its own."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from burn_verify.core.case import TensorSpec
from burn_verify.graph.control import spec_of
from burn_verify.graph.cut import Known, computing, cut, graph_of, needed, neutral, values_read, whole_inputs
from handmade import model, value
from wrong import answers, initializer

X = np.array([[1, 4, 9]], np.float32)


def chain():
    """Return x → Neg → Abs → (Mul by w) → Sqrt, with names that no variable in Rust may have."""
    nodes = [
        helper.make_node("Neg", ["x"], ["where"], "a"),
        helper.make_node("Abs", ["where"], ["a/b:0"], "b"),
        helper.make_node("Mul", ["a/b:0", "w"], ["c"], "c"),
        helper.make_node("Sqrt", ["c"], ["y"], "d"),
    ]
    return model(nodes, [value("x", shape=["N", 3])], [value("y", shape=["N", 3])], [initializer("w", 1, 2, 3)])


def known_of(proto, **inputs):
    """Return the specs of all values of a model for these inputs."""
    graph = graph_of(proto)
    found = dict(zip(graph.maker, answers(computing(graph, list(graph.maker)), list(inputs.values())), strict=True))
    return Known(specs={name: spec_of(name, array) for name, array in (inputs | found).items()})


def test_a_cut_takes_and_gives_what_others_make_and_read():
    graph = graph_of(chain())
    assert graph.feeds({1, 2}) == ("where",)
    assert graph.gives({1, 2}) == ("c",)
    assert graph.gives({0, 3}) == ("where", "y")


@settings(deadline=None)
@given(st.sets(st.integers(0, 3), min_size=1))
def test_every_set_of_nodes_computes_what_it_computes_in_the_whole(nodes):
    proto = chain()
    graph, known = graph_of(proto), known_of(proto, x=X)
    piece = neutral(cut(graph, nodes, known))
    every = dict(zip(graph.maker, answers(computing(graph, list(graph.maker)), [X]), strict=True)) | {"x": X}
    onnx.checker.check_model(piece.model, full_check=True)
    for name, came in zip(piece.gives, answers(piece.model, [every[name] for name in piece.feeds]), strict=True):
        np.testing.assert_array_equal(came, every[name])


def test_neutral_names_are_names_in_rust():
    piece = neutral(cut(graph_of(chain()), {0, 1, 2, 3}, known_of(chain(), x=X)))
    names = [name for node in piece.model.graph.node for name in (*node.input, *node.output)]
    assert all(name.isidentifier() and name != "where" for name in names)
    assert [one.name for one in piece.model.graph.input] == ["input0"]
    assert {node.name for node in piece.model.graph.node} == {""}


def test_sizes_are_those_of_the_values_unless_the_declared_ones_are_wanted():
    graph, known = graph_of(chain()), known_of(chain(), x=X)
    shapes = [
        [dim.dim_value or dim.dim_param for dim in piece.model.graph.input[0].type.tensor_type.shape.dim]
        for piece in (cut(graph, {0}, known), cut(graph, {0}, known, declared=True))
    ]
    assert shapes == [[1, 3], ["N", 3]]


def test_a_value_that_is_no_known_tensor_cannot_be_cut_off():
    proto = model([helper.make_node("SequenceConstruct", ["x"], ["s"])], [value("x", shape=[3])], [])
    proto.graph.output.add().name = "s"
    assert cut(graph_of(proto), {0}, Known(specs={"x": TensorSpec(name="x", dtype="float32", shape=(3,))})) is None


def test_known_constants_are_baked_where_wanted():
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Reshape", ["w", "s"], ["y"])]
    proto = model(nodes, [value("x", shape=[1, 3])], [value("y")], [initializer("w", 1, 2, 3)])
    graph, known = graph_of(proto), known_of(proto, x=X)
    assert graph.fixed == {0, 1}
    piece = cut(graph, {1}, Known(specs=known.specs, fixed={"s": np.array([1, 3])}), bake=True)
    assert piece.feeds == ()
    assert {one.name for one in piece.model.graph.initializer} == {"w", "s"}


def test_what_inner_graphs_read_counts():
    inner = helper.make_graph([helper.make_node("Neg", ["outer"], ["i"])], "g", [], [value("i")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    assert set(values_read(node)) == {"c", "outer"}


def test_what_computes_a_value_has_all_inputs_of_the_model():
    proto = chain()
    graph = graph_of(proto)
    assert needed(graph, ["c"], ()) == {0, 1, 2}
    assert needed(graph, ["c"], {1}) == {2}
    assert whole_inputs(computing(graph, ["where"])) == ("x",)


def test_an_old_model_whose_initializers_are_inputs_is_cut():
    proto = chain()
    proto.ir_version = 3
    proto.graph.input.append(value("w", shape=[3]))
    piece = cut(graph_of(proto), {2}, known_of(proto, x=X))
    onnx.checker.check_model(piece.model)
    assert piece.feeds == ("a/b:0",)


@pytest.mark.parametrize("op_type", ["RandomNormal", "Neg"])
def test_random_nodes_are_not_fixed(op_type):
    given = [] if op_type == "RandomNormal" else ["w"]
    attributes = {"shape": [3]} if op_type == "RandomNormal" else {}
    proto = model([helper.make_node(op_type, given, ["y"], **attributes)], [], [value("y")], [initializer("w", 1)])
    assert bool(graph_of(proto).fixed) is (op_type == "Neg")
