"""Whose fault a failure is: that of the importer or of a kernel, from what two instruments say. Pure: runs nothing.

Other kernels: the same generated code on another backend. The round trip: what the generated code asks for is recorded,
written as ONNX and computed by ONNX Runtime, without any kernel of Burn.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from burn_verify.core.located import Fault, Side
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.judge.metrics import is_float
from burn_verify.run.signature import same_cause
from burn_verify.system.wire import Array

STAGE: Final = "stage"
OTHER_KERNELS: Final = "other kernels"
ROUND_TRIP: Final = "round trip"
"""Names of what decides."""

_KERNELS: Final = re.compile(r"\bburn-(flex|ndarray|cubecl|cpu|wgpu|cuda|rocm|tch|candle|fusion)\b|\b(cubecl|ndarray)-")
_ALIKE: Final = 0.01
"""Share of an error within which two wrong answers are the same: kernels round differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """How the same code ends on another backend.

    Attributes:
        alike: whether its answers are those of the first backend; None where one of them has none.
    """

    backend: str
    result: CaseResult
    alike: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A model that was written as ONNX again, and what ONNX Runtime answers to that.

    Attributes:
        data_set: whose inputs it was written for and fed; empty where there are none.
        obstacle: why it was not written, or could not be run; empty where it was run.
        written: whether it was written.
        same_panic: where recording it panicked, whether the compiled model panics for the same reason.
        difference: what the judge says of the answers; empty where they are right.
        alike: whether they are those of the compiled model; None where that has none.
    """

    data_set: str = ""
    obstacle: str = ""
    written: bool = False
    same_panic: bool = False
    difference: str = ""
    alike: bool | None = None

    @property
    def ran(self) -> bool:
        """Whether ONNX Runtime answered."""
        return self.written and not self.obstacle

    @property
    def right(self) -> bool:
        """Whether the answers are right."""
        return self.ran and not self.difference


def decided(failure: CaseResult, other: Other | None = None, trip: Trip | None = None) -> Fault:
    """Return whose fault a failure is.

    Arguments:
        other: None where no other backend was asked.
        trip: None where the round trip was not made.
    """
    if failure.outcome is not Outcome.FAILED:
        return Fault(side=Side.UNDECIDED, facts=("it does not fail",))
    if failure.stage is Stage.CONVERT:
        return Fault(side=Side.IMPORTER, by=(STAGE,), facts=("burn-onnx refuses it: no kernel is reached",))
    if failure.stage is Stage.COMPILE:
        return Fault(side=Side.IMPORTER, by=(STAGE,), facts=("the generated code does not compile",))
    if failure.stage not in (Stage.RUN, Stage.COMPARE) or failure.failure is FailureKind.NO_VALUE:
        return Fault(side=Side.UNDECIDED, facts=(f"it ends at {failure.stage}, before Burn computes",))
    said = [
        *([] if other is None else [(OTHER_KERNELS, *_of_other(failure, other))]),
        *([] if trip is None else [(ROUND_TRIP, *_of_trip(failure, trip))]),
    ]
    facts = tuple(fact for _, _, fact in said)
    sides = {name: side for name, side, _ in said if side is not Side.UNDECIDED}
    if not sides:
        return Fault(side=Side.UNDECIDED, facts=facts)
    if len(set(sides.values())) == 1:
        return Fault(side=next(iter(sides.values())), by=tuple(sides), facts=facts)
    if sides[ROUND_TRIP] is Side.KERNEL:
        # Two backends may have a fault in common: what the operators do by default is written once for all.
        return Fault(side=Side.KERNEL, by=(ROUND_TRIP,), facts=(*facts, "the kernels have this fault in common"))
    return Fault(side=Side.UNDECIDED, facts=(*facts, "the two contradict each other"))


def same_answers(one: Sequence[Array], other: Sequence[Array], desired: Sequence[Array]) -> bool:
    """Return whether two answers are wrong alike: the same but for a small share of their error."""
    if not len(one) == len(other) == len(desired):
        return False
    return all(_alike(*arrays) for arrays in zip(one, other, desired, strict=True))


def _alike(one: Array, other: Array, desired: Array) -> bool:
    if one.shape != other.shape:
        return False
    if not (is_float(one.dtype) and is_float(other.dtype)):
        return bool(np.array_equal(one, other))
    first, second = one.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(first)
    if not np.array_equal(first[~finite], second[~finite], equal_nan=True) or not np.isfinite(second[finite]).all():
        return False
    apart = float(np.max(np.abs(first[finite] - second[finite]), initial=0.0))
    if desired.shape != one.shape or not is_float(desired.dtype):
        return apart <= 1e-3 * float(np.max(np.abs(first[finite]), initial=0.0))
    error = np.abs(first - desired.astype(np.float64))
    return apart <= _ALIKE * float(np.max(error[np.isfinite(error)], initial=0.0)) or not apart


def _of_other(failure: CaseResult, other: Other) -> tuple[Side, str]:
    """Return what another backend says, and in a sentence."""
    name, result = other.backend, other.result
    if result.outcome is Outcome.PASSED:
        return Side.KERNEL, f"on {name} the same code answers right"
    if failure.stage is Stage.COMPARE and result.stage is Stage.COMPARE:
        if other.alike:
            return Side.IMPORTER, f"on {name} the same code gives the same wrong answer"
        return Side.UNDECIDED, f"on {name} the same code gives another wrong answer"
    if result.stage is not failure.stage:
        return Side.UNDECIDED, f"on {name} the same code fails otherwise: {result.stage}: {result.reason}"
    place = _place(failure)
    if same_cause(failure, result) and place and not _KERNELS.search(place):
        return Side.IMPORTER, f"on {name} the same panic, above all kernels ({place})"
    return Side.UNDECIDED, f"on {name} the same code fails too: {result.reason}"


def _of_trip(failure: CaseResult, trip: Trip) -> tuple[Side, str]:
    """Return what the round trip says, and in a sentence."""
    if not trip.ran:
        if trip.same_panic and failure.stage is Stage.RUN:
            return Side.IMPORTER, f"the same panic when the code is recorded, without any kernel: {trip.obstacle}"
        return Side.UNDECIDED, f"no round trip: {trip.obstacle}"
    if trip.right:
        return Side.KERNEL, "written as ONNX again, ONNX Runtime answers right"
    if trip.alike:
        return Side.IMPORTER, "written as ONNX again, ONNX Runtime gives the same wrong answer"
    return Side.UNDECIDED, "written as ONNX again, ONNX Runtime gives another wrong answer"


def _place(failure: CaseResult) -> str:
    return str(failure.details.get("location") or "")
