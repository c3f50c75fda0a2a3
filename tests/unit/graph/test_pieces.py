"""Which pieces of a model are tried."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.located import PieceKind
from burn_verify.graph.control import spec_of
from burn_verify.graph.cut import Known, computing, graph_of
from burn_verify.graph.pieces import node_of, pieces, segments, traced, upto, without
from handmade import model, value
from wrong import answers, initializer

X = np.array([[1, 4, 9]], np.float32)


def shaped():
    """Return a model in which a shape is computed: x → Neg → n; Shape(n) → Cast → Cast → Expand(w) → Add n."""
    nodes = [
        helper.make_node("Neg", ["x"], ["n"], "neg"),
        helper.make_node("Shape", ["n"], ["s"], "shape"),
        helper.make_node("Cast", ["s"], ["i"], "there", to=6),
        helper.make_node("Cast", ["i"], ["t"], "back", to=7),
        helper.make_node("Expand", ["x", "t"], ["e"], "expand"),
        helper.make_node("Add", ["e", "n"], ["y"], "add"),
    ]
    return model(nodes, [value("x", shape=["N", 3])], [value("y", shape=["N", 3])], [initializer("w", 1)])


@pytest.fixture
def graph():
    return graph_of(shaped())


@pytest.fixture
def known(graph):
    found = dict(zip(graph.maker, answers(computing(graph, list(graph.maker)), [X]), strict=True)) | {"x": X}
    fixed = {name: found[name] for place in graph.fixed for name in graph.nodes[place].output}
    return Known(specs={name: spec_of(name, array) for name, array in found.items()}, fixed=fixed)


def named(graph, some):
    return [(one.kind, tuple(graph.nodes[place].name for place in one.nodes)) for one in some]


def test_nodes_groups_and_pairs(graph, known):
    node, group, pair = PieceKind.NODE, PieceKind.GROUP, PieceKind.PAIR
    assert named(graph, pieces(graph, known)) == [
        (node, ("neg",)),
        (node, ("shape",)),
        (pair, ("neg", "shape")),
        (group, ("shape", "there")),
        (group, ("shape", "there", "back")),
        (node, ("expand",)),
        (group, ("shape", "there", "back", "expand")),
        (node, ("add",)),
        (pair, ("expand", "add")),
        (pair, ("neg", "add")),
    ]


def test_only_pieces_that_end_in_shapes_say_so(graph, known):
    ends = {piece.nodes[-1] for piece in pieces(graph, known) if piece.tells_shapes}
    assert ends == {1, 2, 3}


def test_every_piece_computes_what_the_whole_does(graph, known):
    every = dict(zip(graph.maker, answers(computing(graph, list(graph.maker)), [X]), strict=True)) | {"x": X}
    for piece in pieces(graph, known):
        came = answers(piece.cut.model, [every[name] for name in piece.cut.feeds])
        for name, array in zip(piece.cut.gives, came, strict=True):
            np.testing.assert_array_equal(array, every[name])


def test_a_node_alone_has_its_shapes_as_constants(graph, known):
    expand = next(one for one in pieces(graph, known, {4}) if one.kind is PieceKind.NODE)
    assert expand.cut.feeds == ("x",)


def test_only_pieces_that_end_in_chosen_nodes(graph, known):
    assert {piece.nodes[-1] for piece in pieces(graph, known, {0, 4})} == {0, 4}


def test_segments_are_the_whole_graph(graph, known):
    assert [piece.nodes for piece in segments(graph, known, 2)] == [(0, 1, 2), (3, 4, 5)]


def test_the_rest_takes_the_values_of_the_nodes_that_are_left_out(graph, known):
    rest = without(graph, known, {0})
    assert set(rest.feeds) == {"x", "n"}
    np.testing.assert_array_equal(answers(rest.model, [{"x": X, "n": -X}[name] for name in rest.feeds])[0], 0 * X)
    assert without(graph, known, {5}) is None


def test_first_nodes_and_traced_values(graph, known):
    assert upto(graph, known, 1).gives == ("n", "s")
    assert traced(graph, known, ["n", "y"]).gives == ("n", "y")


def test_a_node_is_described(graph, known):
    node = node_of(graph, known, 4)
    assert (node.name, node.op_type, node.cell) == ("expand", "Expand", "Expand-13/float32")
    assert node.inputs == ("x: float32[1,3]", "t: int64[2]")


def test_sequences_stay_inside():
    nodes = [
        helper.make_node("SplitToSequence", ["x"], ["q"], "split", axis=1),
        helper.make_node("SequenceAt", ["q", "i"], ["y"], "at"),
    ]
    proto = model(nodes, [value("x", shape=[1, 3])], [value("y")], [initializer("i", 1, dtype=np.int64)])
    specs = {name: spec_of(name, array) for name, array in (("x", X), ("y", X[:, :1]))}
    graph = graph_of(proto)
    assert {one[1] for one in named(graph, pieces(graph, Known(specs=specs)))} == {("split", "at")}
