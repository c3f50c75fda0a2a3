"""Sizes for the unknown dimensions of a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.finding import Dim
from burn_verify.graph.infer.sizing import evaluated, parts_of, sizing


def spec(*shape):
    return TensorSpec(name="x", dtype="float32", shape=shape)


def dim(symbol, **fields):
    return Dim(symbol=symbol, rule="r", why="w", **fields)


def test_the_batch_and_the_others_vary_apart():
    made = sizing([spec("N", "S")], {"N": dim("N", batch=True)})
    assert [dict(one) for one in made.assignments()] == [
        {"N": 1, "S": 7},
        {"N": 3, "S": 7},
        {"N": 1, "S": 19},
        {"N": 3, "S": 19},
    ]


@given(st.integers(1, 5))
def test_sizes_are_unequal_not_one_and_no_powers_of_two(count):
    names = [f"d{place}" for place in range(count)]
    for sizes in sizing([spec(*names)], {}).assignments():
        assert len(set(sizes.values())) == count
        assert all(size & (size - 1) for size in sizes.values())


def test_a_fixed_size_does_not_vary():
    made = sizing([spec("C")], {"C": dim("C", size=3)})
    assert made.free == ()
    assert [dict(one) for one in made.assignments()] == [{"C": 3}]


def test_an_expression_moves_with_its_names():
    made = sizing([spec("2*N", "past + S")], {name: dim(name, equals=name) for name in ("2*N", "past + S")})
    for sizes in made.assignments():
        assert sizes["2*N"] == 2 * sizes["N"]
        assert sizes["past + S"] == sizes["past"] + sizes["S"]


def test_a_tied_dimension_moves_with_the_other():
    made = sizing([spec("N", "M")], {"N": dim("N", batch=True), "M": dim("M", equals="N")})
    assert [(sizes["N"], sizes["M"]) for sizes in made.assignments()] == [(1, 1), (3, 3)]


def test_what_is_given_wins():
    made = sizing([spec("N", "S")], {"S": dim("S", size=4)}, {"S": (2, 9)}, {"N": "S"})
    assert [dict(one) for one in made.assignments()] == [{"S": 2, "N": 2}, {"S": 9, "N": 9}]


def test_sides_of_images_are_multiples():
    found = {name: dim(name, candidates=(224, 320), multiple=32, least=14) for name in ("H", "W")}
    first, second = sizing([spec("H", "W")], found).assignments()
    assert dict(first) == {"H": 224, "W": 224}
    assert all(size % 32 == 0 for size in second.values())
    assert second["H"] != second["W"]


@pytest.mark.parametrize(
    ("text", "expected"), [("a", 2), ("a + b", 5), ("2*a", 4), ("c", None), ("a - b", None), ("not a size", None)]
)
def test_expressions(text, expected):
    assert evaluated(text, {"a": 2, "b": 3}) == expected
    assert parts_of("a + b") == ("a", "b")
    assert parts_of("batch") == ()


def test_a_given_expression_holds_at_every_size():
    def made(text):
        return [(one["S"], one["T"]) for one in sizing([spec("S", "T")], {}, {}, {"T": text}).assignments()]

    assert made("S - 7") == [(7, 0), (19, 12)]
    assert made("S - 9") == [(19, 10)]
    assert made("S * 0") == [(7, 0), (19, 0)]


def test_what_a_rule_finds_is_never_nothing():
    found = sizing([spec("S", "T")], {"T": dim("T", equals="S - 7")})
    assert [one["T"] for one in found.assignments()] == [7, 12]
