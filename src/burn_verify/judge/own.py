"""The tolerance that a user allows for an output, with a reason: it takes the place of the bound by evidence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.core.case import OutputTolerance
from burn_verify.core.result import Guilty, VerdictName
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.metrics import is_float, widened
from burn_verify.judge.tolerance import Bound
from burn_verify.judge.weigh import Weighed
from burn_verify.judge.yardstick import NO_ERRORS, Origin, Yardstick

Array = npt.NDArray[Any]


def tolerance_of(output: str, allowed: Sequence[OutputTolerance]) -> OutputTolerance | None:
    """Return what a user allows for an output; None where nothing is said."""
    return next((one for one in allowed if one.output == output), None)


def weighed_by(allowed: OutputTolerance, place: int, actual: Array, evidence: Evidence) -> Weighed:
    """Evaluate one output of the correct dtype and shape against the expected one: every element has to be within."""
    desired = evidence.desired[place]
    reference = widened(desired) if is_float(desired.dtype) else desired
    origin, program = (Origin.STORED, "") if evidence.stored is not None else (Origin.PROGRAM, evidence.program.value)
    bound = _bound(allowed, desired)
    yardstick = Yardstick(reference=reference, bound=bound, origin=origin, program=program, lone=True)
    bad = yardstick.misses(actual)
    return Weighed(
        name=VerdictName.DISAGREES if bad.any() else VerdictName.AGREES,
        bad=bad,
        yardstick=yardstick,
        errors=yardstick.errors(actual),
        oracle_errors=NO_ERRORS,
        guilty=Guilty.BURN if bad.any() else Guilty.NONE,
    )


@np.errstate(all="ignore")
def _bound(allowed: OutputTolerance, desired: Array) -> Bound:
    text = f"rtol {allowed.rtol:g} atol {allowed.atol:g} ({allowed.reason})"
    if desired.dtype.kind in "bO":
        return Bound(limit=None, text=f"exact, as the output is no number ({allowed.reason})")
    limit = np.asarray(allowed.atol + allowed.rtol * np.abs(np.asarray(desired).astype(np.float64)))
    return Bound(limit=np.where(np.isfinite(limit), limit, 0.0), text=text)
