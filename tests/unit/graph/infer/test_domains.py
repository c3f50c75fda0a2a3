"""Rules for values outside of which an operator has no answer, and for masks."""

import numpy as np
import pytest

from burn_verify.graph.infer.rules import infer
from parsed import parsed


def known(text, name="x", **weights):
    return infer(parsed(text, **weights)).values.get(name)


@pytest.mark.parametrize("kind", ["Log", "Sqrt"])
def test_logarithms_and_roots_take_positive_numbers(kind):
    found = known(f"(float[3] x) => (float[3] y) {{ a = Reshape(x, to) y = {kind}(a) }}", to=np.array([3]))
    assert found.low >= 0


def test_what_is_added_on_the_way_moves_the_range():
    found = known("(float[3] x) => (float[3] y) { a = Add(x, c) y = Log(a) }", c=np.array(1, np.float32))
    assert found.low == pytest.approx(-0.95)


def test_fractional_powers_take_positive_numbers():
    text = "(float[3] x) => (float[3] y) { y = Pow(x, c) }"
    assert known(text, c=np.array(0.5, np.float32)).low > 0
    assert known(text, c=np.array(2, np.float32)) is None


def test_powers_of_what_is_fed_take_positive_numbers():
    assert known("(float[3] x, float[3] e) => (float[3] y) { y = Pow(x, e) }").low > 0
    assert known("(float[3] x, int64[3] e) => (float[3] y) { y = Pow(x, e) }") is None
    assert known("(float[3] x) => (float[3] y) { y = Pow(x, c) }", c=np.array([2, 0.5, 3], np.float32)).low > 0


def test_inverse_functions_take_numbers_up_to_one():
    found = known("(float[3] x) => (float[3] y) { y = Asin(x) }")
    assert -1 < found.low < found.high < 1


def test_an_integer_that_is_divided_by_is_not_zero():
    assert known("(int64[3] a, int64[3] x) => (int64[3] y) { y = Div(a, x) }").low == 1


def test_what_is_added_before_a_division_moves_the_range():
    text = "(int64[3] a, int64[3] x) => (int64[3] y) { b = Sub(x, c) y = Mod(a, b) }"
    found = known(text, c=np.array(2))
    assert (found.low, found.high) == (3, 12)


def test_a_boolean_mask_hides_not_everything():
    text = "(bool[2,3] x, float[2,3] v) => (float[2,3] y) {{ a = Where(x, v, {}) y = Softmax(a) }}"
    weights = {"hidden": np.array(-np.inf, np.float32), "one": np.array(1, np.float32)}
    assert known(text.format("hidden"), **weights).first == 1
    assert known(text.format("one"), **weights) is None


MASKS = [
    "(int64[2,3] x, float[2,3] v) => (float[2,3] y) "
    "{ a = Cast<to: int = 1>(x) b = Sub(one, a) c = Mul(b, huge) d = Add(v, c) y = Softmax(d) }",
    "(int64[2,3] x, float[2,3] v) => (float[2,3] y) { a = Cast<to: int = 9>(x) y = Where(a, v, one) }",
    "(int32[2,3] x, float[2,3] v) => (float[2,3] y) "
    "{ a = Unsqueeze(x, axis) b = Squeeze(a, axis) c = Cast<to: int = 9>(b) y = Where(c, v, one) }",
]


@pytest.mark.parametrize("text", MASKS)
def test_masks_are_found_by_what_is_done_with_them(text):
    weights = {"one": np.array(1, np.float32), "huge": np.array(-1e4, np.float32), "axis": np.array([0])}
    found = known(text, **weights)
    assert (found.low, found.high, found.first) == (0, 2, 1)


def test_masks_are_found_by_their_name():
    found = known("(int64[2,3] attention_mask) => (int64[2,3] y) { y = Neg(attention_mask) }", "attention_mask")
    assert (found.low, found.high) == (0, 2)


def test_a_float_that_is_scaled_is_no_mask():
    assert known("(float[3] x) => (float[3] y) { y = Mul(x, c) }", c=np.array(1e4, np.float32)) is None
