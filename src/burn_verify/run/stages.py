"""Application of a stage to a case: the only place that converts an exception to the end of its case."""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from burn_verify.core.errors import InternalError, StageError, ToolchainError, UsageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import Stage
from burn_verify.run.steps import Ended, Step
from burn_verify.system.signals import check
from burn_verify.system.storage import storage_fault

S = TypeVar("S", bound=Step)
T = TypeVar("T", bound=Step)
V = TypeVar("V")

_FRAMES: Final = 6


def apply(stage: Stage, step: S, function: Callable[[S], T | Ended], part: str = "") -> T | Ended:
    """Apply one stage to a case, or end the case; exceptions of a case are not propagated.

    Arguments:
        stage: the stage of the end if the function raises an exception other than `StageError`.
        part: the name of the duration, if it is not that of the stage.

    Raises:
        ToolchainError, UsageError: the cause is outside the case.
    """
    started = time.monotonic()
    made: T | Ended
    try:
        made = function(step)
    except Exception as error:  # any error of one case must not end the other cases
        check()  # an error of the cleaning up after Ctrl-C may have replaced it
        if isinstance(error, ToolchainError | UsageError):
            raise
        if (fault := storage_fault(error)) is not None:
            raise fault from error
        made = step.ended(error if isinstance(error, StageError) else unexpected(stage, error))
    spent = {part or stage.value: time.monotonic() - started}
    return made.taking({**step.durations, **made.durations, **spent})


def unexpected(stage: Stage, error: Exception) -> InternalError:
    """Return the error of a case for a failure of this program, not of the model."""
    reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    # The record is read on other machines: file names identify the frames, and folders would disclose local paths.
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    message = f"{reason} (a defect of burn-verify: please report it)"
    return InternalError(message, reason, {"traceback": where}, stage)


def each(listen: Listener, phase: str, items: Iterable[S], function: Callable[[S], V]) -> list[V]:
    """Apply a function to cases in sequence, with progress events; return its results."""
    found: Sequence[S] = list(items)
    done = []
    for place, item in enumerate(found):
        check()
        listen(Progress(phase=phase, done=place, total=len(found), text=item.case.id))
        done.append(function(item))
    if found:
        listen(Progress(phase=phase, done=len(found), total=len(found)))
    return done


def clocked(name: str, function: Callable[[], V]) -> tuple[V, Mapping[str, float]]:
    """Return the result of a function, and its duration (seconds) by name."""
    started = time.monotonic()
    made = function()
    return made, {name: time.monotonic() - started}


def summed(*phases: Mapping[str, float]) -> dict[str, float]:
    """Sum seconds by name."""
    total: dict[str, float] = {}
    for one in phases:
        for name, spent in one.items():
            total[name] = total.get(name, 0.0) + spent
    return total
