"""The rules together."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.graph.infer.finding import Dim, Values
from burn_verify.graph.infer.rules import DIMS, VALUES, Known, infer, joined_dims, joined_values
from parsed import parsed

LIMITS = st.one_of(st.none(), st.integers(-20, 20))


def values(low, high):
    return Values(input="x", rule="a", why="b", low=low, high=high)


@given(st.lists(st.tuples(LIMITS, LIMITS), min_size=1, max_size=4))
def test_joined_ranges_are_never_empty_where_no_range_is(ranges):
    whole = [values(low, high) for low, high in ranges if low is None or high is None or low < high]
    if whole:
        found = joined_values(whole)
        assert found.low is None or found.high is None or found.low < found.high


def test_the_common_part_of_two_ranges_counts():
    assert joined_values([values(0, 30), values(2, 12)]) == Known(low=2, high=12)


def test_a_range_apart_from_the_first_is_left_out():
    assert joined_values([values(0, 4), values(7, 9)]) == Known(low=0, high=4)


def test_the_size_that_most_rules_name_counts():
    found = joined_dims([Dim(symbol="N", rule="w", why="", size=size) for size in (3, 4, 4)])
    assert found.size == 4


def test_every_rule_has_a_docstring_that_says_what_holds():
    for rule in (*VALUES, *DIMS):
        assert (rule.__doc__ or "").strip().endswith(".")


def test_a_name_that_is_an_expression_is_one():
    model = parsed("(float[total] x, float[past] p, float[seq] s) => (float[?] y) { y = Relu(x) }")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "past + seq"
    assert infer(model).dims["past + seq"].equals == "past + seq"


@pytest.mark.parametrize(
    "damage",
    [
        lambda node: node.ClearField("input"),
        lambda node: node.ClearField("output"),
        lambda node: node.attribute.add(name="axis", type=onnx.AttributeProto.STRING, s=b"no number"),
        lambda node: setattr(node, "op_type", ""),
    ],
)
@pytest.mark.parametrize("kind", ["Gather", "MatMul", "Conv", "Reshape", "Pad", "TopK", "LSTM", "Concat"])
def test_a_malformed_node_trips_no_rule(kind, damage):
    model = parsed(f"(int64[N,3] x) => (float[N,3] y) {{ y = {kind}(w, x) }}", w=np.ones((4, 4), np.float32))
    damage(model.graph.node[0])
    assert [spec.name for spec in infer(model).inputs] == ["x"]
