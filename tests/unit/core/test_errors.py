"""Every error: its exit code, its stage, and that it survives the trip to another process."""

import copy
import inspect
import pickle

import pytest

from burn_verify.core import errors
from burn_verify.core.errors import STAGE_ERRORS, BurnVerifyError, CommandFailed, ProcessDied, StageError
from burn_verify.core.stage import FailureKind, Stage

CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, BurnVerifyError) and value.__module__ == errors.__name__
]
COPIES = {
    **{
        f"pickle {protocol}": lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def an_error(kind):
    if kind is errors.InternalError:
        return kind("it said\nmany things", "it said", {"traceback": ["a.py:3 in f"]}, Stage.RUN)
    if issubclass(kind, StageError):
        return kind("it said\nmany things", "it said", {"line": 3, "codes": ["E0308"]})
    if issubclass(kind, ProcessDied):
        return kind("it died", "memory", "the log\nof the end")
    if issubclass(kind, CommandFailed):
        return kind("git status", "fatal: why\nand more", "fatal: why", 128)
    return kind("what is wrong, and what to do")


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_a_copy(kind, copied):
    error = an_error(kind)
    other = copied(error)

    assert type(other) is kind
    assert str(other) == str(error)
    assert other.args == error.args
    assert vars(other) == vars(error)
    assert other.exit_code == error.exit_code


def test_notes_and_attributes_set_later_survive_too():
    error = an_error(errors.RunError)
    error.add_note("a note")
    error.details["log"] = "added"
    other = pickle.loads(pickle.dumps(error))

    assert other.__notes__ == ["a note"]
    assert other.details == {"line": 3, "codes": ["E0308"], "log": "added"}


def test_every_stage_has_one_error():
    assert list(STAGE_ERRORS) == list(Stage)
    # A failure of this program may be at any stage.
    of_one_stage = [kind for kind in StageError.__subclasses__() if kind is not errors.InternalError]
    assert {kind.stage for kind in of_one_stage} == set(Stage)
    assert len(of_one_stage) == len(Stage)
    assert all(STAGE_ERRORS[stage].stage is stage for stage in Stage)


@pytest.mark.parametrize("kind", STAGE_ERRORS.values(), ids=STAGE_ERRORS)
def test_no_stage_error_catches_another(kind):
    assert kind.__bases__ == (StageError,)


def test_exit_codes():
    codes = {kind.__name__: kind.exit_code for kind in CLASSES}

    assert codes == dict.fromkeys(codes, 2) | {"UsageError": 4, "ToolchainError": 3}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_it_is_for(kind):
    assert inspect.getdoc(kind)


def test_the_reason_defaults_to_the_first_line():
    assert errors.RunError("first\nsecond").reason == "first"
    assert errors.RunError("first\nsecond", "short").reason == "short"
    assert errors.RunError("").reason == ""


def test_details_are_the_errors_own():
    details = {"line": 3}
    error = errors.CompileError("x", "y", details)
    details["line"] = 4

    assert error.details == {"line": 3}
    assert errors.CompileError("x").details == {}


def test_a_message_is_what_an_error_says():
    assert str(errors.ConvertError("whole\nmessage", "short")) == "whole\nmessage"
    assert str(ProcessDied("it died", FailureKind.KILLED, "log")) == "it died"
    assert ProcessDied("it died").kind is FailureKind.EXITED
