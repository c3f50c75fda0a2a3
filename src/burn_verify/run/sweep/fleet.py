"""All shards of a sweep at once through submitit: as a job array of Slurm, or the same jobs on this machine.

submitit starts, watches and logs the jobs; this decides only that a shard that died is started again by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify.core.errors import UsageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.system.signals import held

LOGS: Final = "logs"
_MINUTES: Final = 7 * 24 * 60
"""Time limit of a job where the user names none; submitit's own is five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Where and how shards run.

    Attributes:
        cluster: ``local`` or ``slurm``.
        folder: of submitit's pickles and logs; every job has to see it.
        numbers: of the shards that are to run.
        parallel: how many of them run at once.
        parameters: of submitit's executor, such as ``slurm_partition``.
        again: how often a shard that died is started again, alone.
    """

    cluster: str
    folder: Path
    numbers: Sequence[int]
    parallel: int
    parameters: Mapping[str, Any]
    again: int = 3


def run(task: Callable[[int], int], fleet: Fleet, listen: Listener) -> dict[int, str]:
    """Run every shard by calling `task` with its number; return why those failed that did, by number.

    Raises:
        UsageError: submitit is not installed, a parameter is none of its own, or there is no such cluster here.
    """
    executor = _executor(fleet)
    total = len(fleet.numbers)
    failed: dict[int, str] = {}
    for place in range(0, total, fleet.parallel):
        some = fleet.numbers[place : place + fleet.parallel]
        listen(Progress(phase="shards", done=place, total=total, text=_said(some)))
        failed |= wave(executor, task, some)
    for number in list(failed):
        for _ in range(fleet.again):
            listen(Progress(phase="shards", done=total, total=total, text=f"shard {number} again, alone"))
            if not (why := wave(executor, task, [number])):
                del failed[number]
                break
            failed |= why
    return failed


def wave(executor: Any, task: Callable[[int], int], numbers: Sequence[int]) -> dict[int, str]:
    """Run some shards at once, wait for all, and return why those failed that did; cancel all where this is ended."""
    jobs: dict[int, Any] = {}
    try:
        # A job that was started and that nobody knows of could not be cancelled.
        with held():
            jobs.update(zip(numbers, executor.map_array(task, numbers), strict=True))
        return {number: why for number, job in jobs.items() if (why := _ended(job, local=executor.cluster == "local"))}
    except BaseException:
        for job in jobs.values():
            job.cancel(check=False)
        raise


def _ended(job: Any, *, local: bool) -> str:
    """Wait for a job; return why it failed, empty where it did not."""
    job.wait()
    # submitit waits long for a result that another machine may have written; here it is there or will never be.
    if local and not job.paths.result_pickle.exists():
        return f"its process died ({job.state})"
    try:
        job.result()
    except Exception as error:  # whatever ended it: submitit hands over errors of the shard, and has own ones
        return str(error).strip().rpartition("\n")[2] or type(error).__name__
    return ""


def _executor(fleet: Fleet) -> Any:
    try:
        import submitit
    except ImportError:
        message = "submitit is needed to run shards: pip install 'burn-verify[sweep]'"
        raise UsageError(message) from None
    try:
        executor = submitit.AutoExecutor(folder=fleet.folder, cluster=fleet.cluster)
        executor.update_parameters(**{"timeout_min": _MINUTES, "name": "burn-verify", **fleet.parameters})
    except (RuntimeError, NameError, ValueError, TypeError, AssertionError) as error:
        message = f"submitit cannot start jobs on {fleet.cluster}: {str(error).strip().partition(chr(10))[0]}"
        raise UsageError(message) from None
    return executor


def _said(numbers: Sequence[int]) -> str:
    gaps = f", {len(numbers)} of them" if numbers[-1] - numbers[0] >= len(numbers) else ""
    return f"shard {numbers[0]}" if len(numbers) == 1 else f"shards {numbers[0]} to {numbers[-1]}{gaps}"
