"""Drawn values: right for their operand, small when they fail, the same for the same seed; twins; programs to paste."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases.generated.build import Space
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.search import Failed, search
from burn_verify.cases.generated.strategies import table, values_strategy


def choice_of(name, version, **row):
    space = Space(operator_specs()[name], version)
    return space.choice({**space.default, **row})


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


def looking(tmp_path, check, **more):
    given = {"examples": 200, "seed": 1, "memory": tmp_path, "shrink": True} | more
    return search(choice_of("Neg", 13), check, **given)


def failing_on_negative(tried=None):
    def check(several):
        if tried is not None:
            tried.append(len(several))
        for feeds in several:
            if (feeds["X"] < 0).any():
                raise Failed(ValueError("negative"), feeds)
        return len(several)

    return check


def test_a_failure_that_is_expected_is_not_made_small(tmp_path):
    small, quick = [], []
    looking(tmp_path / "a", failing_on_negative(small))
    found = looking(tmp_path / "b", failing_on_negative(quick), shrink=False)
    assert found.error is not None
    assert len(quick) < len(small)
