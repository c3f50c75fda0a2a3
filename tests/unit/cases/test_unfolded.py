"""Functions that call functions are counted as what they unfold to."""

import itertools

from onnx import helper

from burn_verify.cases.unfolded import unfolded
from handmade import model, value

OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]


def function(name, *callees):
    """Return a function that negates, and then calls others one after the other."""
    nodes = [helper.make_node("Neg", ["a"], ["v0"])]
    nodes += [
        helper.make_node(callee, [f"v{place}"], [f"v{place + 1}"], domain="mine")
        for place, callee in enumerate(callees)
    ]
    return helper.make_function("mine", name, ["a"], [f"v{len(callees)}"], nodes, OPSETS)


def of(*functions, calls="f"):
    node = helper.make_node(calls, ["x"], ["y"], domain="mine")
    return model([node], [value("x")], [value("y")], functions=functions)


def test_a_call_counts_as_what_it_calls():
    assert unfolded(of(function("f"))) == 1
    assert unfolded(of(function("f", "g", "g"), function("g", "h", "h"), function("h"))) == 7


def test_a_call_inside_a_branch_counts():
    branch = helper.make_graph([helper.make_node("f", ["x"], ["b"], domain="mine")], "b", [], [value("b")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    made = model([node], [value("x")], [value("y")], functions=[function("f", "g"), function("g")])
    assert unfolded(made) == 1 + 2 * 2


def test_functions_that_double_are_counted_at_once():
    names = [f"f{place}" for place in range(2000)]
    some = [function(name, after, after) for name, after in itertools.pairwise(names)]
    assert unfolded(of(*some, function(names[-1]), calls="f0")) == 2**2000 - 1


def test_functions_that_call_themselves_count_as_written():
    assert unfolded(of(function("f", "g"), function("g", "f"))) == 5


def test_what_is_not_there_is_a_node():
    assert unfolded(of(calls="gone")) == 1
