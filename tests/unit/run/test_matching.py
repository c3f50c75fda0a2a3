"""Which values of two sides belong together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.case import TensorSpec
from burn_verify.run.matching import fed, matched, other_inputs

X = np.array([1.0, np.nan], np.float32)


def spec(name, dtype="float32"):
    return TensorSpec(name=name, dtype=dtype, shape=(2,))


@pytest.mark.parametrize(
    ("one", "other", "pairs", "left"),
    [
        ("ab", "ab", ["aa+", "bb+"], ("", "")),
        ("ab", "ba", ["aa+", "bb+"], ("", "")),
        ("ab", "xy", ["ax-", "by-"], ("", "")),
        ("ab", "xa", ["aa+", "bx-"], ("", "")),
        ("ab", "a", ["aa+"], ("b", "")),
        ("a", "xy", [], ("a", "xy")),
        ("", "", [], ("", "")),
    ],
)
def test_names_first_then_places(one, other, pairs, left):
    found = matched(one, other)

    assert [f"{pair.one}{pair.other}{'-+'[pair.by_name]}" for pair in found.pairs] == pairs
    assert ("".join(found.only_one), "".join(found.only_other)) == left


@given(st.lists(st.sampled_from("abcde"), unique=True), st.lists(st.sampled_from("cdefg"), unique=True))
@settings(deadline=None, derandomize=True)
def test_every_name_is_paired_once_or_left(one, other):
    found = matched(one, other)

    assert sorted([*(pair.one for pair in found.pairs), *found.only_one]) == sorted(one)
    assert sorted([*(pair.other for pair in found.pairs), *found.only_other]) == sorted(other)
    assert all((pair.one == pair.other) == pair.by_name for pair in found.pairs)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"x": X}, {"x": X.copy()}, ""),
        ({"x": X}, {"y": X.copy()}, ""),
        ({"x": X}, {}, "other inputs: x on A, none on B"),
        ({}, {}, "other inputs: none on A, none on B"),
        ({"x": X}, {"x": X[:1]}, "other inputs: 'x' is float32[2] on A, float32[1] on B"),
        ({"x": X}, {"x": X.astype(np.float64)}, "other inputs: 'x' is float32[2] on A, float64[2] on B"),
        ({"x": X}, {"x": -X}, "other inputs: the values of 'x' are not the same"),
        ({"x": X}, {"x": X, "z": X}, "other inputs: x on A, x, z on B"),
    ],
)
def test_other_inputs_are_told(one, other, said):
    assert other_inputs(one, other) == said


def test_minus_zero_is_another_input():
    assert other_inputs({"x": np.array([0.0])}, {"x": np.array([-0.0])})


@pytest.mark.parametrize(
    ("specs", "given", "notes"),
    [
        ([spec("x")], {"x": X}, []),
        ([spec("x"), spec("y")], {"y": X, "x": X}, []),
        ([spec("a")], {"x": X}, ["input 'a' is fed with 'x', by its place"]),
        ([spec("x", "float16")], {"x": X}, ["input 'x' takes float16, and gets 'x' cast to it"]),
        ([spec("x", "int32")], {"x": np.array([1, 2])}, ["input 'x' takes int32, and gets 'x' cast to it"]),
    ],
)
def test_values_are_put_in_the_order_of_the_graph(specs, given, notes):
    values, told = fed(specs, given)

    assert [value.dtype.name for value in values] == [one.dtype for one in specs]
    assert told == notes


@pytest.mark.parametrize(
    ("specs", "given", "said"),
    [
        ([spec("x")], {}, "takes x; the inputs are none"),
        ([], {"x": X}, "takes nothing; the inputs are x"),
        ([spec("x", "int64")], {"x": X}, "takes int64 for 'x'; the input is float32[2]"),
        ([spec("x")], {"x": np.array([True])}, "takes float32 for 'x'; the input is bool[1]"),
        ([spec("x", "sequence")], {"x": X}, "takes sequence for 'x'; the input is float32[2]"),
    ],
)
def test_other_inputs_are_not_fed(specs, given, said):
    with pytest.raises(ValueError, match="^" + said.replace("[", r"\[").replace("]", r"\]")):
        fed(specs, given)
