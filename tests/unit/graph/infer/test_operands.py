"""Rules for small operands that say how an operator works."""

import numpy as np
import pytest

from burn_verify.graph.infer.rules import infer
from parsed import parsed


def known(text, opset=18, **weights):
    return infer(parsed(text, opset, **weights)).values.get("k")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("(float[3,4,5] x, int64[1] k) => (float[?,?,?] y) { y = ReduceSum(x, k) }", 0, 3),
        ("(float[3,4,5] x, int64[2] k) => (float[?,?,?] y) { y = ReduceMax(x, k) }", 0, 3),
        ("(float[3,6] x, int64[1] k) => (float[3,?] y, int64[3,?] i) { y, i = TopK(x, k) }", 1, 7),
        ("(float[3,6] x, int64[2] k) => (float[?,?] y) { y = Tile(x, k) }", 1, 4),
        ("(float[3,6] x, int64 k) => (float[3,6] y) { y = CumSum(x, k) }", 0, 2),
        ("(int64[2] k) => (float[?,?] y) { y = ConstantOfShape(k) }", 2, 6),
        ("(float[3,6] x, int64 k) => (float[3,6] y) { y = Trilu(x, k) }", -1, 2),
        ("(int64 a, int64 k, int64 d) => (int64[?] y) { y = Range(a, k, d) }", 5, 10),
        ("(float[3,6] x, int64[4] k) => (float[?,?] y) { y = Pad(x, k) }", 0, 3),
    ],
)
def test_ranges(text, low, high):
    found = known(text)
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("(float[3,6] x, int64[1] k) => (float[?] y) { y = Reshape(x, k) }", (-1,)),
        ("(float[3,6] x, int64[3] k) => (float[?,?,?] y) { y = Reshape(x, k) }", (-1, 1, 1)),
        ("(float[3,6] x, int64[2] k) => (float[?,?] y) { y = Expand(x, k) }", (1, 1)),
        ("(float[3,6] x, int64[2] k) => (float[?,?,3,6] y) { y = Unsqueeze(x, k) }", (0, 1)),
        ("(float[3,1,1] x, int64[1] k) => (float[?,?] y) { y = Squeeze(x, k) }", (1,)),
        ("(float[7,2] x, int64[2] k) => (float[?,2] y, float[?,2] z) { y, z = Split(x, k) }", (3, 4)),
        ("(float[1,2,4,4] x, float[4] k) => (float[?,?,?,?] y) { y = Resize(x, , k) }", (1, 1, 2, 2)),
        ("(float[1,2,4,6] x, int64[4] k) => (float[?,?,?,?] y) { y = Resize(x, , , k) }", (1, 2, 8, 12)),
        ("(float[3,4] x, int64[2] k) => (float[?,?] y) { y = ReduceSum(x, k) }", (0, 1)),
    ],
)
def test_values(text, exact):
    assert known(text).exact == exact


def test_a_loop_runs_a_few_times():
    found = known(
        """(int64 k, bool go, float[3] x) => (float[3] y) {
            y = Loop (k, go, x) <body = b (int64 i, bool c, float[3] t) => (bool d, float[3] u) {
                d = Identity(c) u = Add(t, t)
            }>
        }"""
    )
    # Also not at all, which is where programs differ.
    assert found.choices == (3, 0, 1)


@pytest.mark.parametrize(("length", "high"), [("7", 8), ("T", None)])
def test_a_length_is_at_most_what_it_counts(length, high):
    text = f"(float[{length},2,3] x, int64[2] k) => (float[{length},2,3] y) {{ y = ReverseSequence(x, k) }}"
    found = known(text)
    assert (found.low, found.high) == (1, high)
    assert found.high_of == (() if high else (("T", 1),))


def test_reduced_axes_are_not_repeated():
    found = known("(float[3,4,5] x, int64[2] k) => (float[?,?,?] y) { y = ReduceSum(x, k) }", shape=np.array([3]))
    assert found.distinct


def test_sizes_that_an_input_says_leave_batch_and_channels():
    model = parsed("(float[N,3,H,8] x, int64[4] k) => (float[?,?,?,?] y) { y = Resize(x, , , k) }")
    found = infer(model)
    assert found.values["k"].exact == (1, 3, 10, 16)
    assert found.dims["N"].size == 1
