"""Drawn values: right for their operand, small when they fail, the same for the same seed; twins; programs to paste."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases.generated.strategies import table, values_strategy
from choices import choice_of


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (choice_of("Log", 13), "input"),
        (choice_of("Gather", 13), "indices"),
        (choice_of("Add", 14, dtype="uint8"), "A"),
        (choice_of("Conv", 22, dtype="bfloat16"), "X"),
        (choice_of("And", 7), "A"),
    ],
)
def test_a_table_holds_256_values_of_the_operand_simplest_first(choice, name):
    operand = choice.call.inputs[name]
    values = table(choice, name)
    assert values.shape == (256,)
    assert values.dtype.name == operand.dtype
    if "int" in operand.dtype:
        assert values.min() >= operand.low
        assert values.max() <= operand.high
    assert values[0] in (0, 1)


def test_special_values_are_drawn_where_their_answer_is_the_same_in_any_order():
    exact, summed = table(choice_of("Neg", 13), "X"), table(choice_of("ReduceSum", 13), "data")
    assert np.isnan(exact).any()
    assert np.isposinf(exact).any()
    assert np.isneginf(exact).any()
    assert (np.signbit(exact) & (exact == 0)).any()
    assert ((np.abs(exact) > 0) & (np.abs(exact) < np.finfo(np.float32).smallest_normal)).any()
    assert np.isfinite(summed).all()
    assert len(np.unique(summed)) < 256


@given(st.data())
def test_what_is_drawn_fits_the_graph(data):
    choice = choice_of("Add", 14, shape=((2, 3), (3,)), dims="symbolic")
    feeds = data.draw(values_strategy(choice))
    left, right = feeds.values()
    assert list(feeds) == ["A", "B"]
    assert left.ndim == 2
    assert right.shape == left.shape[1:]
    assert {left.dtype, right.dtype} == {np.dtype(np.float32)}
