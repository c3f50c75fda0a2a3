"""Several rewritings in a row, until nothing changes."""

import pytest
from onnx import helper

from burn_verify.prepare.known import copied
from burn_verify.prepare.recipe import Memory, rewritten
from burn_verify.prepare.rewriting import Promise, Rewriting, unchanged
from handmade import model, value
from rewriting import TOOLS, operators

MODEL = model([helper.make_node("Neg", ["x"], ["y"])], [value("x")], [value("y")])


def turned(old, new):
    """Return a rewriting of an operator to another."""

    def function(given, tools):
        if old not in operators(given):
            return None
        made = copied(given)
        made.graph.node[0].op_type = new
        return made

    return Rewriting(name=f"{old} to {new}", reason="", promise=Promise.SAME, function=function)


def test_rewritings_are_applied_until_nothing_changes():
    made = rewritten(MODEL.SerializeToString(), [turned("Abs", "Exp"), turned("Neg", "Abs")], TOOLS)
    assert made.names == ("Neg to Abs", "Abs to Exp")
    assert [step.before == MODEL.SerializeToString() for step in made.steps] == [True, False]


def test_a_rewriting_without_end_is_stopped():
    made = rewritten(MODEL.SerializeToString(), [turned("Abs", "Neg"), turned("Neg", "Abs")], TOOLS)
    assert len(made.steps) < 20


@pytest.mark.parametrize("error", [ValueError("no"), RecursionError(), KeyError("x")])
def test_a_rewriting_that_fails_changes_nothing_and_is_told(error):
    def function(given, tools):
        raise error

    broken = Rewriting(name="broken", reason="", promise=Promise.SAME, function=function)
    made = rewritten(MODEL.SerializeToString(), [broken, turned("Neg", "Abs")], TOOLS)
    assert made.names == ("Neg to Abs",)
    assert type(error).__name__ in made.broken["broken"]


def test_an_option_is_no_step():
    option = Rewriting(name="o", reason="", promise=Promise.OPTIONS, function=unchanged, options={"simplify": False})
    made = rewritten(MODEL.SerializeToString(), [option], TOOLS)
    assert (made.steps, made.options, made.names) == ((), {"simplify": False}, ("simplify off",))


def test_a_model_that_grows_too_large_stays():
    made = rewritten(MODEL.SerializeToString(), [turned("Neg", "Abs" * 100)], TOOLS, largest=200)
    assert made.steps == ()


def counting(name, function, calls):
    """Return a rewriting that notes its calls."""

    def counted(given, tools):
        calls.append(name)
        return function(given, tools)

    return Rewriting(name=name, reason="", promise=Promise.SAME, function=counted)


def test_what_is_known_of_a_model_is_not_done_again():
    def fail(given, tools):
        raise ValueError

    calls, memory = [], Memory()
    lazy, broken = counting("lazy", unchanged, calls), counting("broken", fail, calls)
    turn = counting("turn", turned("Neg", "Abs").function, calls)
    for _ in range(2):
        made = rewritten(MODEL.SerializeToString(), [lazy, broken, turn], TOOLS, memory=memory)
        assert (made.names, list(made.broken)) == (("turn",), ["broken"])
    # On the model as it is, and on that which another rewriting makes; what failed on one is not tried on the next.
    assert (calls.count("lazy"), calls.count("broken"), calls.count("turn")) == (2, 1, 2)


def test_large_models_are_forgotten():
    calls, memory = [], Memory(largest=10)
    turn = counting("turn", turned("Neg", "Abs").function, calls)
    for _ in range(2):
        assert rewritten(MODEL.SerializeToString(), [turn], TOOLS, memory=memory).names == ("turn",)
    assert len(calls) > 2


def test_the_models_between_the_steps_can_be_dropped():
    one = rewritten(MODEL.SerializeToString(), [turned("Neg", "Abs")], TOOLS)
    light = one.light()
    assert (light.model, light.names) == (one.model, one.names)
    assert [(step.before, step.after) for step in light.steps] == [(b"", b"")]
