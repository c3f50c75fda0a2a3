"""Latency of one case: its release build and ONNX Runtime, each in its own process, timed in turns.

Decides neither the order of the turns (`race`) nor the statistics (`samples`); judges no outputs.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.burn.codegen import LATENCY
from burn_verify.burn.program import Program, Release, infer
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.latency import Block, BlockPlan, Latency, Side
from burn_verify.core.stage import ConvertedModel
from burn_verify.reference.engine import Engine
from burn_verify.run.latency import crowd, race
from burn_verify.run.latency.race import Contestant
from burn_verify.run.latency.samples import is_crowded, ratio_of
from burn_verify.run.steps import Built
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """A release build that can run blocks of calls."""

    program: Program
    model: ConvertedModel
    inputs: Sequence[Array]
    burn_backend: str

    def restart(self) -> None:
        """Terminate the process; the next block starts another."""
        self.program.close()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises `RunError`."""
        return self.program.block(self.model, self.inputs, self.burn_backend, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An engine as a program that can run blocks of calls."""

    engine: Engine
    model: Path
    inputs: Sequence[Array]
    threads: int

    def restart(self) -> None:
        """Terminate the process; the next block starts another."""
        self.engine.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises `OracleError`."""
        return self.engine.block(self.model, self.inputs, self.threads, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A contestant whose blocks include the processor time of other programs during the block.

    Attributes:
        ours: the processes that do not count as others: the race itself and both of its sides. The idle side waits or,
            for some milliseconds, its threads still spin.
    """

    contestant: Contestant
    ours: Callable[[], Iterable[int | None]]

    def restart(self) -> None:
        """Terminate the process; the next block starts another."""
        self.contestant.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises the exceptions of the contestant."""
        before = crowd.usage(self.ours())
        block = self.contestant.block(plan)
        return replace(block, others=crowd.others(before, crowd.usage(self.ours())))


class Stopwatch:
    """Times cases.

    Arguments:
        engine: creates the engine that the release build is timed against; called for each case.
        threads: number of threads that each side may use.
    """

    def __init__(self, engine: Callable[[], Engine], threads: int) -> None:
        self._engine = engine
        self._threads = threads

    def measure(
        self,
        built: Built,
        release: Release,
        *,
        data_set: str,
        inputs: Sequence[Array],
        refuse: Callable[[list[Array]], str],
    ) -> Latency:
        """Time a case on one data set; a side that cannot be timed is left out, with the reason.

        Arguments:
            refuse: returns why the release build's outputs are wrong; empty where they are right.
        """
        latency = Latency(
            profile=LATENCY,
            threads=self._threads,
            data_set=data_set,
            cost=release.cost,
            load_average=_load_average(),
        )
        engine, program, backend = self._engine(), release.program, built.target.backend
        try:
            if why := refuse(infer(program, built.model, inputs, backend).outputs):
                return replace(latency, why=f"the release build answers otherwise: {why}")
            burn = Burn(program=program, model=built.model, inputs=inputs, burn_backend=backend)
            reference = Reference(engine=engine, model=built.prepared.model, inputs=inputs, threads=self._threads)

            def ours() -> tuple[int | None, ...]:
                return os.getpid(), program.pid, engine.pid

            return raced(latency, Watched(contestant=burn, ours=ours), Watched(contestant=reference, ours=ours))
        except RunError as error:
            return replace(latency, why=f"the release build fails: {error.message}")
        finally:
            program.close()
            engine.close()


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
