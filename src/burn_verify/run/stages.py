"""Where a stage is applied to a case: the one place at which what goes wrong becomes the end of that case alone."""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from burn_verify.core.errors import InternalError, StageError, ToolchainError, UsageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import Stage
from burn_verify.run.steps import Ended, Step
from burn_verify.system.storage import storage_fault

S = TypeVar("S", bound=Step)
T = TypeVar("T", bound=Step)
V = TypeVar("V")

_FRAMES: Final = 6


def apply(stage: Stage, step: S, function: Callable[[S], T | Ended], part: str = "") -> T | Ended:
    """Take one case one stage further, or end it; no exception of a case gets out of here.

    Arguments:
        stage: where the case ends if the function raises what is no `StageError`.
        part: the name under which the seconds are kept, if it is not that of the stage.

    Raises:
        ToolchainError, UsageError: no case is to blame.
    """
    started = time.monotonic()
    made: T | Ended
    try:
        made = function(step)
    except (ToolchainError, UsageError):
        raise
    except Exception as error:  # whatever it is, the other cases have nothing to do with it
        if (fault := storage_fault(error)) is not None:
            raise fault from error
        made = step.ended(error if isinstance(error, StageError) else unexpected(stage, error))
    spent = {part or stage.value: time.monotonic() - started}
    return made.taking({**step.durations, **made.durations, **spent})


def unexpected(stage: Stage, error: Exception) -> InternalError:
    """Return the end of a case at which this program failed, not the model."""
    reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    # The record is read elsewhere: a file's name says enough, its folder says too much.
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    message = f"{reason} (a defect of burn-verify: please report it)"
    return InternalError(message, reason, {"traceback": where}, stage)


def each(listen: Listener, phase: str, items: Iterable[S], function: Callable[[S], V]) -> list[V]:
    """Return what a function makes of cases, one after the other, and tell of it."""
    found: Sequence[S] = list(items)
    done = []
    for place, item in enumerate(found):
        listen(Progress(phase=phase, done=place, total=len(found), text=item.case.id))
        done.append(function(item))
    if found:
        listen(Progress(phase=phase, done=len(found), total=len(found)))
    return done


def clocked(name: str, function: Callable[[], V]) -> tuple[V, Mapping[str, float]]:
    """Return what a function returns, and the seconds that took under a name."""
    started = time.monotonic()
    made = function()
    return made, {name: time.monotonic() - started}


def summed(*phases: Mapping[str, float]) -> dict[str, float]:
    """Add seconds up by name."""
    total: dict[str, float] = {}
    for one in phases:
        for name, spent in one.items():
            total[name] = total.get(name, 0.0) + spent
    return total
