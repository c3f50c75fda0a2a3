"""Whose fault a failure is, from what the instruments say."""

import numpy as np
import pytest

from burn_verify.core.located import Side
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.run.fault import OTHER_KERNELS, ROUND_TRIP, STAGE, Other, Trip, decided, same_answers


def result(stage=Stage.COMPARE, outcome=Outcome.FAILED, reason="wrong values", location=None, failure=None):
    details = {} if location is None else {"location": location}
    return CaseResult(
        case_id="c", corpus="node", stage=stage, outcome=outcome, reason=reason, details=details, failure=failure
    )


WRONG = result()
PANIC = result(Stage.RUN, reason="panic: no", location="burn-tensor-0.22.1/src/check.rs:1:1", failure=FailureKind.PANIC)
IN_KERNEL = result(Stage.RUN, reason="panic: no", location="burn-flex-0.22.1/src/ops.rs:1:1", failure=FailureKind.PANIC)
RIGHT_THERE = Other(backend="ndarray", result=result(outcome=Outcome.PASSED))
ALIKE_THERE = Other(backend="ndarray", result=WRONG, alike=True)
OTHERWISE_THERE = Other(backend="ndarray", result=WRONG, alike=False)
RIGHT = Trip(data_set="s", written=True)
ALIKE = Trip(data_set="s", written=True, difference="y: wrong", alike=True)
OTHERWISE = Trip(data_set="s", written=True, difference="y: wrong", alike=False)
UNWRITTEN = Trip(data_set="s", obstacle="unsupported operation: Permute")


@pytest.mark.parametrize(
    ("failure", "other", "trip", "side", "by"),
    [
        (WRONG, RIGHT_THERE, None, Side.KERNEL, (OTHER_KERNELS,)),
        (WRONG, ALIKE_THERE, None, Side.IMPORTER, (OTHER_KERNELS,)),
        (WRONG, OTHERWISE_THERE, None, Side.UNDECIDED, ()),
        (WRONG, None, RIGHT, Side.KERNEL, (ROUND_TRIP,)),
        (WRONG, None, ALIKE, Side.IMPORTER, (ROUND_TRIP,)),
        (WRONG, None, OTHERWISE, Side.UNDECIDED, ()),
        (WRONG, None, UNWRITTEN, Side.UNDECIDED, ()),
        (WRONG, RIGHT_THERE, UNWRITTEN, Side.KERNEL, (OTHER_KERNELS,)),
        (WRONG, RIGHT_THERE, RIGHT, Side.KERNEL, (OTHER_KERNELS, ROUND_TRIP)),
        (WRONG, ALIKE_THERE, ALIKE, Side.IMPORTER, (OTHER_KERNELS, ROUND_TRIP)),
        # Two backends share what operators do by default; that the round trip sees.
        (WRONG, ALIKE_THERE, RIGHT, Side.KERNEL, (ROUND_TRIP,)),
        # A kernel that is right where the code asks for the wrong thing: one of the two is mistaken.
        (WRONG, RIGHT_THERE, ALIKE, Side.UNDECIDED, ()),
        (PANIC, Other(backend="ndarray", result=PANIC), None, Side.IMPORTER, (OTHER_KERNELS,)),
        (IN_KERNEL, Other(backend="ndarray", result=IN_KERNEL), None, Side.UNDECIDED, ()),
        (PANIC, Other(backend="ndarray", result=WRONG), None, Side.UNDECIDED, ()),
        (PANIC, RIGHT_THERE, None, Side.KERNEL, (OTHER_KERNELS,)),
        (PANIC, None, Trip(obstacle="no", same_panic=True), Side.IMPORTER, (ROUND_TRIP,)),
        (result(Stage.CONVERT), None, None, Side.IMPORTER, (STAGE,)),
        (result(Stage.COMPILE), None, None, Side.IMPORTER, (STAGE,)),
        (result(Stage.REFERENCE), RIGHT_THERE, None, Side.UNDECIDED, ()),
        (result(Stage.RUN, failure=FailureKind.NO_VALUE), RIGHT_THERE, None, Side.UNDECIDED, ()),
        (result(outcome=Outcome.PASSED), RIGHT_THERE, None, Side.UNDECIDED, ()),
    ],
)
def test_the_side_follows_from_both(failure, other, trip, side, by):
    found = decided(failure, other, trip)
    assert (found.side, found.by) == (side, by)
    assert found.facts or (other, trip) == (None, None)


def test_a_contradiction_is_said():
    assert "contradict" in decided(WRONG, RIGHT_THERE, ALIKE).facts[-1]
    assert decided(WRONG, ALIKE_THERE, RIGHT).line.startswith("whose fault: kernel (on ndarray")


def floats(*values):
    return [np.array(values, np.float32)]


@pytest.mark.parametrize(
    ("one", "other", "desired", "alike"),
    [
        (floats(1, 2), floats(1, 2), floats(1, 3), True),
        (floats(1, 2), floats(1, 2.005), floats(1, 3), True),
        (floats(1, 2), floats(1, 2.5), floats(1, 3), False),
        (floats(1, 2), floats(1, 3), floats(1, 3), False),
        (floats(1, np.nan), floats(1, np.nan), floats(1, 3), True),
        (floats(1, np.nan), floats(1, 3), floats(1, 3), False),
        (floats(1, np.inf), floats(1, -np.inf), floats(1, 3), False),
        (floats(1, 2), floats(1, np.inf), floats(1, 3), False),
        # An answer of a wrong shape has no error, element by element.
        (floats(1, 2), floats(1, 2), floats(1), True),
        (floats(1, 2), floats(1), floats(1), False),
        ([np.array([1, 2])], [np.array([1, 2])], [np.array([1, 3])], True),
        ([np.array([1, 2])], [np.array([1, 4])], [np.array([1, 3])], False),
        (floats(1), [], floats(1), False),
    ],
)
def test_answers_are_wrong_alike(one, other, desired, alike):
    assert same_answers(one, other, desired) is alike
