"""Rules for values that decide which branch of an If is taken."""

import numpy as np
import pytest

from burn_verify.core.case import Hints
from burn_verify.graph.infer.rules import infer
from burn_verify.reference.feeding import drawn_sets
from parsed import parsed

IF = """y = If (c) <
    then_branch = t () => (float[2] u) { u = Neg(v) },
    else_branch = e () => (float[2] w) { w = Abs(v) }
>"""


def choices(nodes, kind="int64", **weights):
    model = parsed(f"({kind} x, float[2] v) => (float[2] y) {{ {nodes} {IF} }}", **weights)
    known = infer(model).values.get("x")
    return () if known is None else known.choices


@pytest.mark.parametrize(
    ("nodes", "holds"),
    [
        ("c = Equal(x, k)", lambda x: x == 16),
        ("c = Greater(x, k)", lambda x: x > 16),
        ("c = Less(x, k)", lambda x: x < 16),
        ("a = Equal(x, k) c = Not(a)", lambda x: x != 16),
        ("a = Add(x, k) c = Equal(a, k)", lambda x: x + 16 == 16),
        ("c = Equal(k, x)", lambda x: x == 16),
    ],
)
def test_both_branches_are_taken(nodes, holds):
    found = choices(nodes, k=np.array(16))
    assert {bool(holds(value)) for value in found} == {True, False}


def test_a_comparison_that_decides_nothing_is_no_choice():
    model = parsed("(int64 x) => (bool y) { y = Equal(x, k) }", k=np.array(16))
    assert "x" not in infer(model).values


@pytest.mark.parametrize("nodes", ["c = Identity(x)", "c = Not(x)", "o = Not(x) c = And(o, x)"])
def test_a_condition_that_is_an_input_is_fed_either_way(nodes):
    assert choices(nodes, "bool") == (1, 0)


def test_an_integer_that_becomes_a_condition_is_fed_either_way():
    assert choices("c = Cast<to: int = 9>(x)") == (1, 0)


def test_a_bool_that_decides_nothing_has_no_choices():
    found = infer(parsed("(bool x, float[2] v) => (float[2] y) { y = Where(x, v, v) }")).values.get("x")
    assert found is None or not found.choices


SUM = "(float[2] v) => (float[2] y) {{ s = ReduceSum<keepdims = 0>(v) c = Greater(s, k) {} }}"


def test_a_number_with_which_a_computed_one_is_compared_is_passed_on_either_side():
    found = infer(parsed(SUM.format(IF), k=np.array(40, np.float32)))
    assert found.threshold == 40
    sides = {one.name: one.hints.inputs[0] for one in drawn_sets(found, Hints())[3:]}
    assert [(name, one.low, one.high) for name, one in sides.items()] == [("above", 60, 160), ("below", -160, -60)]
    # Not where somebody says how many draws there are, and not beyond what a program is fed.
    assert len(drawn_sets(found, Hints(), draws=2)) == 3
    for number in (np.inf, 1e9, 0):
        assert len(drawn_sets(infer(parsed(SUM.format(IF), k=np.array(number, np.float32))), Hints())) == 3


def test_an_input_that_is_compared_has_choices_instead():
    found = infer(parsed(f"(float x, float[2] v) => (float[2] y) {{ c = Greater(x, k) {IF} }}", k=np.float32(40)))
    assert found.threshold == 0
