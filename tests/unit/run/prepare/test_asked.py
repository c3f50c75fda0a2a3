"""Changes of the interface that the user asks for."""

import pytest
from onnx import helper

from burn_verify.core.case import Hints, InputHint
from burn_verify.core.errors import UsageError
from burn_verify.core.prepared import Grade
from burn_verify.run.prepare.asked import Asked, changed, fitting, pairs
from handmade import model, value

MODEL = model(
    [helper.make_node("Add", ["x", "s"], ["y"])], [value("x", shape=["n", 3]), value("s", shape=[])], [value("y")]
)


def test_pairs_are_told_apart_at_the_last_equals_sign():
    assert pairs("--pin", ["batch=1", "a=b=2"]) == {"batch": "1", "a=b": "2"}


@pytest.mark.parametrize("texts", [["batch"], ["=1"], ["batch="], ["a=1", "a=2"]])
def test_a_pair_that_is_none_is_a_usage_error(texts):
    with pytest.raises(UsageError, match="--pin"):
        pairs("--pin", texts)


def test_each_step_is_noted():
    made, steps = changed(MODEL, Asked(pin={"n": "2"}, freeze={"s": "4"}))
    assert [one.name for one in made.graph.input] == ["x"]
    assert [(one.name, one.grade) for one in steps] == [("--pin", Grade.ASKED), ("--freeze", Grade.ASKED)]


@pytest.mark.parametrize(
    "asked",
    [
        Asked(pin={"m": "2"}),
        Asked(freeze={"q": "1"}),
        Asked(drop_zipmap=True),
        Asked(cut=True),
        Asked(unsigned_weights=True),
        Asked(pin={"n": "many"}),
    ],
)
def test_what_is_not_there_is_a_usage_error(asked):
    with pytest.raises(UsageError, match="--"):
        changed(MODEL, asked)


def test_a_size_that_is_pinned_wins_over_the_one_of_the_catalogue():
    said = Hints(inputs=(InputHint(name="x", shape=(5, 3), low=0.0), InputHint(name="s", value=4)))
    made, _ = changed(MODEL, Asked(pin={"n": "2"}, freeze={"s": "4"}))
    assert fitting(said, made).inputs == (InputHint(name="x", shape=(2, 3), low=0.0),)
    assert fitting(said, MODEL) == said


def test_a_size_that_nobody_pins_is_drawn_at_as_the_catalogue_says():
    for shape in (("m", 3), None, (4,)):
        said = Hints(inputs=(InputHint(name="x", shape=shape),))
        assert fitting(said, MODEL) == said
