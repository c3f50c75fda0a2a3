"""Latency of one case: its release build and ONNX Runtime, each in a process of its own, timed in turns.

Decides neither how the turns go (`race`) nor what the samples mean (`samples`); judges no answer.
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
        """End the process; the next block begins another."""
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
        """End the process; the next block begins another."""
        self.engine.restart()

    def block(self, plan: BlockPlan) -> Block:
        """Run a block; raises `OracleError`."""
        return self.engine.block(self.model, self.inputs, self.threads, plan)


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
        engine: what the release build is timed beside; anew for each case.
        threads: that each side may use.
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
