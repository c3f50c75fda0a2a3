"""Operators at useful sizes: every graph is a model of that one operator."""

import onnx
import pytest

from burn_verify.cases import sized
from burn_verify.core.errors import UsageError
from burn_verify.graph.facts import facts


@pytest.mark.parametrize("graph", sized.GRAPHS, ids=lambda graph: graph.case_id)
def test_a_graph_is_a_valid_model_of_its_operator(graph):
    model = onnx.load_from_string(sized.model_of(graph))
    onnx.checker.check_model(model, full_check=True)
    said = facts(model)
    assert said.op_types == (graph.op_type,)
    assert tuple(spec.shape for spec in said.inputs) == graph.fed
    assert all(isinstance(dim, int) for spec in said.outputs for dim in spec.shape)


def test_the_same_graph_is_the_same_bytes():
    assert sized.model_of(sized.GRAPHS[0]) == sized.model_of(sized.GRAPHS[0])


def test_no_two_share_an_id():
    ids = [graph.case_id for graph in sized.GRAPHS]
    assert len(ids) == len(set(ids))


def test_operators_are_chosen_by_name():
    assert {graph.op_type for graph in sized.chosen(["conv", "MatMul"])} == {"Conv", "MatMul"}
    assert sized.chosen(["all"]) == tuple(sized.GRAPHS)
    assert sized.chosen([]) == ()


def test_a_graph_is_chosen_by_its_id():
    graph = sized.GRAPHS[1]
    assert sized.chosen([graph.case_id]) == (graph,)


def test_an_operator_without_a_graph_is_a_mistake_with_a_hint():
    with pytest.raises(UsageError, match="did you mean MatMul"):
        sized.chosen(["MatMull"])
    with pytest.raises(UsageError, match="there are Add, "):
        sized.chosen(["LSTM"])
