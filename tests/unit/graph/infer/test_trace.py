"""Where the values of an input arrive."""

import numpy as np
import pytest

from burn_verify.graph.infer.trace import paths
from burn_verify.graph.infer.view import view
from parsed import parsed


def arrives(text, **weights):
    return [(path.use.node.op_type, path.use.place, path) for path in paths(view(parsed(text, **weights)), "x")]


def test_values_are_followed_through_what_moves_them():
    found = arrives(
        "(int64[2,3] x) => (float[3,2] y) { a = Transpose(x) b = Cast<to: int = 6>(a) y = Gather(w, b) }",
        w=np.ones(4, np.float32),
    )
    assert [(kind, place) for kind, place, _ in found] == [("Transpose", 0), ("Cast", 0), ("Gather", 1)]


@pytest.mark.parametrize(
    ("nodes", "scale", "shift"),
    [
        ("a = Add(x, c)", 1, 3),
        ("a = Sub(x, c)", 1, -3),
        ("a = Sub(c, x)", -1, 3),
        ("b = Mul(x, c) a = Add(b, c)", 3, 3),
        ("b = Add(c, x) a = Mul(b, c)", 3, 9),
    ],
)
def test_arithmetic_with_constants_is_kept(nodes, scale, shift):
    found = arrives(
        f"(int64[2] x) => (float[2] y) {{ {nodes} y = Gather(w, a) }}", c=np.array(3), w=np.ones(40, np.float32)
    )
    (path,) = [path for kind, _, path in found if kind == "Gather"]
    assert (path.scale, path.shift) == (scale, shift)


@pytest.mark.parametrize("nodes", ["a = Clip(x, c, d)", "a = Min(x, d)", "a = Mod(x, d)"])
def test_limited_values_are_marked(nodes):
    weights = {"c": np.array(0), "d": np.array(3), "w": np.ones(4, np.float32)}
    found = arrives(f"(int64[2] x) => (float[2] y) {{ {nodes} y = Gather(w, a) }}", **weights)
    assert [path.bounded for kind, _, path in found if kind == "Gather"] == [True]


def test_what_is_computed_is_not_followed():
    found = arrives("(float[2] x) => (float[2] y) { a = Exp(x) y = Sqrt(a) }")
    assert [kind for kind, _, _ in found] == ["Exp"]
