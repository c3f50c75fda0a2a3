"""A graph as the rules see it."""

import numpy as np
import pytest

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.view import attribute, place_of, symbol, view
from parsed import parsed


@pytest.mark.parametrize(
    ("dim", "expected"),
    [(4, None), (0, None), ("batch", "batch"), (None, "x_1_dim0"), ("?", "x_1_dim0"), (-1, "x_1_dim0")],
)
def test_every_unknown_dimension_has_a_symbol(dim, expected):
    spec = TensorSpec(name="x.1", dtype="float32", shape=(dim,))
    assert symbol(spec, 0) == expected


def test_symbols_reach_what_is_computed():
    model = parsed("(float[N,?,4] x) => (float[N,?,4] y) { r = Relu(x) y = Neg(r) }")
    seen = view(model)
    assert seen.shape("r") == ("N", place_of("x", 1), 4)
    assert seen.dim("r", -1) == 4
    assert seen.dim("r", 7) is None
    assert seen.makers["r"].op_type == "Relu"
    assert [use.node.op_type for use in seen.uses["x"]] == ["Relu"]


def test_constants_of_nodes_and_initializers_are_read():
    text = "(float[2] x) => (float[2] y) { c = Constant <value_float: float = 2.0> () m = Mul(x, c) y = Add(m, w) }"
    seen = view(parsed(text, w=np.ones(2, np.float32)))
    assert seen.constants["c"] == np.float32(2)
    assert seen.shape("w") == (2,)
    assert attribute(seen.makers["m"], "axis", 3) == 3


def test_large_constants_have_a_shape_only():
    seen = view(parsed("(float[2,70] x) => (float[2,70] y) { y = MatMul(x, w) }", w=np.ones((70, 70), np.float32)))
    assert "w" not in seen.constants
    assert seen.shape("w") == (70, 70)
    assert seen.shape("y") == (2, 70)


def test_a_graph_that_cannot_be_inferred_has_no_shapes_of_values():
    model = parsed("(float[2,3] x) => (float[2,3] y) { m = MatMul(x, x) y = Relu(m) }")
    assert view(model).shape("m") in (None, ())


def test_the_body_of_a_loop_is_a_use_of_what_the_loop_is_given():
    model = parsed(
        """(int64 n, bool go, int64[2] at, float[5] x) => (float[2] y) {
            y = Loop (n, go, at) <body = b (int64 i, bool c, int64[2] t) => (bool d, float[2] u) {
                d = Identity(c) u = Gather(x, t)
            }>
        }"""
    )
    assert "Gather" in [use.node.op_type for use in view(model).uses["at"]]
