"""One stage applied to one case: what goes on, what ends it, and what is nobody's fault."""

import contextlib
import errno
import os
import signal

import pytest

from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import LoadError, RunError, ToolchainError, UsageError
from burn_verify.core.stage import FailureKind, Stage
from burn_verify.run.stages import apply, clocked, each, summed, unexpected
from burn_verify.run.steps import Chosen, Ended
from burn_verify.system.signals import ending_as_ctrl_c

CHOSEN = Chosen(case=Case(id="file/a", corpus="file", source=Unavailable(reason="")), durations={"before": 1.0})


def raising(error):
    def function(step):
        raise error

    return function


def test_a_step_keeps_the_time_it_took_and_the_time_before():
    made = apply(Stage.LOAD, CHOSEN, lambda step: step)
    assert made.durations.keys() == {"before", "load"}
    assert apply(Stage.LOAD, CHOSEN, lambda step: step, "part").durations.keys() == {"before", "part"}


def test_an_error_of_a_stage_ends_the_case_at_the_stage_of_the_error():
    end = apply(Stage.REFERENCE, CHOSEN, raising(RunError("no Burn value")))
    assert isinstance(end, Ended)
    assert (end.stage, end.error.message) == (Stage.RUN, "no Burn value")
    assert end.durations.keys() == {"before", "reference"}


@pytest.mark.parametrize("stage", Stage)
def test_any_other_exception_ends_the_case_at_the_stage_that_was_applied(stage):
    end = apply(stage, CHOSEN, raising(ZeroDivisionError("a\nb")))
    assert (end.stage, end.error.kind) == (stage, FailureKind.INTERNAL)
    assert end.error.reason == "internal error: ZeroDivisionError: a b"
    assert end.error.details["traceback"][-1].startswith("test_stages.py:")
    assert "/" not in "".join(end.error.details["traceback"])


@pytest.mark.parametrize("error", [ToolchainError("no cargo"), UsageError("no such"), KeyboardInterrupt()])
def test_what_no_case_is_to_blame_for_goes_on(error):
    with pytest.raises(type(error)):
        apply(Stage.COMPILE, CHOSEN, raising(error))


def losing(function):
    """Call a function in a run whose interrupt was lost."""
    with ending_as_ctrl_c():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        function()


@pytest.mark.parametrize("error", [ToolchainError("no cargo"), RunError("no Burn value"), RuntimeError("no thread")])
def test_an_error_that_replaced_an_interrupt_ends_no_case(error):
    with pytest.raises(KeyboardInterrupt):
        losing(lambda: apply(Stage.COMPILE, CHOSEN, raising(error)))


def test_no_case_begins_after_an_interrupt_that_was_lost():
    with pytest.raises(KeyboardInterrupt):
        losing(lambda: each([].append, "load", [CHOSEN], pytest.fail))


def test_an_exception_without_words_is_named():
    assert unexpected(Stage.RUN, MemoryError()).reason == "internal error: MemoryError"


def test_every_item_is_told_of():
    events = []
    assert each(events.append, "load", [CHOSEN, CHOSEN], lambda step: step.case.id) == ["file/a", "file/a"]
    assert [(event.done, event.total, event.text) for event in events] == [
        (0, 2, "file/a"),
        (1, 2, "file/a"),
        (2, 2, ""),
    ]
    assert each(events.append, "load", [], lambda step: step) == []
    assert len(events) == 3


def test_seconds_are_added_by_name():
    made, spent = clocked("a", lambda: 7)
    assert made == 7
    assert spent.keys() == {"a"}
    assert summed({"a": 1.0}, {"a": 2.0, "b": 3.0}, {}) == {"a": 3.0, "b": 3.0}


def test_the_end_of_an_end_is_for_the_other_reason():
    end = apply(Stage.LOAD, CHOSEN, raising(LoadError("gone")))
    again = apply(Stage.COMPARE, end, raising(ValueError("odd")))
    assert again.stage is Stage.COMPARE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EFBIG])
def test_a_full_disk_is_no_fault_of_a_case(number):
    with pytest.raises(ToolchainError, match=f"^{os.strerror(number)}: make room"):
        apply(Stage.LOAD, CHOSEN, raising(OSError(number, os.strerror(number))))
