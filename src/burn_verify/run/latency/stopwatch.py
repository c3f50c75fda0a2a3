"""Latency of one case: its release build and ONNX Runtime, each in a process of its own, timed in turns.

Decides neither how the turns go (`race`) nor what the samples mean (`samples`); judges no answer.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.burn.codegen import LATENCY
from burn_verify.burn.release import Release
from burn_verify.burn.runner import Runner
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.latency import Block, BlockPlan, Latency, Side
from burn_verify.core.options import Settings
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.reference.oracle import Oracle
from burn_verify.run.latency import crowd, race
from burn_verify.run.latency.race import Contestant
from burn_verify.run.latency.samples import is_crowded, ratio_of
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """A release build that can run blocks of calls."""

    runner: Runner
    model: ConvertedModel
    inputs: Sequence[Array]
    burn_backend: str

    def restart(self) -> None:
        """End the process; the next block begins another."""
        self.runner.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises `RunError`."""
        return self.runner.block(self.model, self.inputs, self.burn_backend, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxRuntime:
    """ONNX Runtime as a program that can run blocks of calls."""

    oracle: Oracle
    model: Path
    inputs: Sequence[Array]
    threads: int

    def restart(self) -> None:
        """End the process; the next block begins another."""
        self.oracle.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises `OracleError`."""
        return self.oracle.block(self.model, self.inputs, self.threads, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A contestant whose blocks say what other programs used meanwhile.

    Attributes:
        ours: the processes that are no others: the race itself and both of its sides, of which one waits or, for some
            milliseconds, still looks for work.
    """

    contestant: Contestant
    ours: Callable[[], Iterable[int | None]]

    def restart(self) -> None:
        """End the process; the next block begins another."""
        self.contestant.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises what the contestant does."""
        before = crowd.usage(self.ours())
        block = self.contestant.block(plan)
        return replace(block, others=crowd.others(before, crowd.usage(self.ours())))


class Stopwatch:
    """Times cases.

    Arguments:
        settings: threads that each side may use, limits of time and memory.
        burn_backend: where Burn runs.
    """

    def __init__(self, cache: Cache, settings: Settings, burn_backend: str) -> None:
        self._cache = cache
        self._settings = settings
        self._backend = burn_backend
        self._threads = threads_of(settings)

    def measure(
        self,
        prepared: PreparedCase,
        model: ConvertedModel,
        release: Release,
        *,
        data_set: str,
        inputs: Sequence[Array],
        refuse: Callable[[list[Array]], str],
    ) -> Latency:
        """Time a case on one data set; whatever cannot be timed is missing, and said.

        Arguments:
            refuse: says of the release build's own answers why they are not right, nothing where they are.
        """
        latency = Latency(
            profile=LATENCY,
            threads=self._threads,
            data_set=data_set,
            cost=release.cost,
            load_average=_load_average(),
        )
        oracle = Oracle(self._cache, self._settings.timeout)
        runner = Runner(
            self._cache,
            release.binary,
            timeout=self._settings.timeout,
            memory_limit=self._settings.memory_limit,
            threads=self._threads,
        )
        try:
            if why := refuse(runner.infer(model, inputs, self._backend).outputs):
                return replace(latency, why=f"the release build answers otherwise: {why}")
            burn = Burn(runner=runner, model=model, inputs=inputs, burn_backend=self._backend)
            runtime = OnnxRuntime(oracle=oracle, model=prepared.model, inputs=inputs, threads=self._threads)

            def ours() -> tuple[int | None, ...]:
                return os.getpid(), runner.pid, oracle.pid

            return raced(latency, Watched(contestant=burn, ours=ours), Watched(contestant=runtime, ours=ours))
        except RunError as error:
            return replace(latency, why=f"the release build fails: {error.message}")
        finally:
            runner.close()
            oracle.close()


def threads_of(settings: Settings) -> int:
    """Return how many threads either side may use: all that the machine has, unless something was said."""
    return settings.threads or os.cpu_count() or 1


def raced(latency: Latency, burn: Contestant, runtime: Contestant) -> Latency:
    """Time both, or Burn alone where ONNX Runtime cannot."""
    try:
        ours, theirs = race.run([burn, runtime], enough=_will_do)
    except OracleError as error:
        (ours,) = race.run([burn])
        return replace(latency, burn=ours, why=error.message)
    ratio = ratio_of(ours.starts_ns, theirs.starts_ns)
    used = [side.others for side in (ours, theirs) if side.others is not None]
    others, processors = max(used, default=None), os.cpu_count() or 1
    timed = replace(latency, burn=ours, onnxruntime=theirs, ratio=ratio)
    if not is_crowded(latency.threads, others, processors):
        return timed
    why = f"other programs used {others:.1f} of {processors} processors meanwhile"
    return replace(timed, ratio=replace(ratio, noisy=True), why=why)


def _will_do(sides: Sequence[Side]) -> bool:
    ours, theirs = sides
    return not ratio_of(ours.starts_ns, theirs.starts_ns).noisy


def _load_average() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
