"""Rules for integers that index a table."""

import numpy as np
import pytest

from burn_verify.graph.infer.rules import infer
from parsed import parsed

W = np.ones((12, 4), np.float32)


def known(text, name="ids", **weights):
    return infer(parsed(text, **weights)).values.get(name)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("(int64[2,3] ids) => (float[2,3,4] y) { y = Gather(w, ids) }", 0, 12),
        ("(int32[2,3] ids) => (float[12,2,3] y) { y = Gather<axis = 1>(w, ids) }", 0, 4),
        ("(int64[2] ids) => (float[2,4] y) { a = Unsqueeze(ids, zero) b = Squeeze(a, zero) y = Gather(w, b) }", 0, 12),
        # Positions that begin after two rows for padding, as in RoBERTa.
        ("(int64[2] ids) => (float[2,4] y) { a = Add(ids, two) y = Gather(w, a) }", 0, 10),
        ("(int64[5,4] ids) => (float[5,4] y) { y = GatherElements(w, ids) }", 0, 12),
        ("(int64[5,1] ids) => (float[5,1] y) { y = GatherElements<axis = 1>(w, ids) }", 0, 4),
        ("(int64[5,2] ids) => (float[5] y) { y = GatherND(w, ids) }", 0, 4),
        ("(int64[5,1] ids) => (float[5,4] y) { y = GatherND(w, ids) }", 0, 12),
        ("(int64[5,1] ids, float[5,4] u) => (float[12,4] y) { y = ScatterND(w, ids, u) }", 0, 12),
        ("(int64[5,4] ids, float[5,4] u) => (float[12,4] y) { y = ScatterElements(w, ids, u) }", 0, 12),
    ],
)
def test_an_index_is_smaller_than_the_rows(text, low, high):
    found = known(text, w=W, zero=np.array([0]), two=np.array(2))
    assert (found.low, found.high) == (low, high)


def test_the_smallest_of_several_tables_counts():
    text = "(int64[3] ids) => (float[3,4] y) { a = Gather(w, ids) b = Gather(v, ids) y = Add(a, b) }"
    assert known(text, w=W, v=np.ones((5, 4), np.float32)).high == 5


def test_rows_of_another_input_bind_its_dimension():
    found = known("(float[rows,4] t, int64[3] ids) => (float[3,4] y) { y = Gather(t, ids) }")
    assert found.high_of == (("rows", 0),)


@pytest.mark.parametrize(
    "text",
    [
        "(float[2,4] ids) => (float[2,4] y) { y = Add(ids, ids) }",
        "(int64[3] ids) => (float[3,4] y) { a = Clip(ids, zero, two) y = Gather(w, a) }",
    ],
)
def test_what_is_no_index_or_is_limited_has_no_range(text):
    assert known(text, w=W, zero=np.array(0), two=np.array(2)) is None


def test_classes_of_one_hot():
    text = "(int64[3] ids) => (float[3,7] y) { y = OneHot(ids, depth, values) }"
    found = known(text, depth=np.array(7), values=np.array([0, 1], np.float32))
    assert (found.low, found.high) == (0, 7)
    text = "(int64[3] at, int64 ids) => (float[3,7] y) { y = OneHot(at, ids, values) }"
    weights = {"values": np.array([0, 1], np.float32)}
    assert known(text, **weights).low == 4
    assert known(text, "at", **weights).high == 4


def test_a_float_that_is_cast_to_an_index_is_a_whole_row():
    found = known("(float[2,3] ids) => (float[2,3,4] y) { c = Cast<to: int = 7>(ids) y = Gather(w, c) }", w=W)
    assert (found.low, found.high, found.whole) == (0, 12, True)
    assert known("(float[2,3] ids) => (float[2,3] y) { y = Relu(ids) }") is None
