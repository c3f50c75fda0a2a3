"""ONNX Runtime as an engine, in a worker process that may die: `burn_verify.reference.worker`.

Caches and judges nothing.
"""

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from burn_verify.core.errors import OracleError, ProcessDied
from burn_verify.core.latency import Block, BlockPlan, bench_request, block_of
from burn_verify.core.stage import FailureKind
from burn_verify.reference.engine import Deviations, Measurement
from burn_verify.system.cache import Cache
from burn_verify.system.resident import Resident
from burn_verify.system.wire import Array, dealt, decode, decode_named, encode

NAME: Final = "onnxruntime"
_NUMBERS: Final = itertools.count(1)
"""Of the engines of this process: the last words of one must not be taken for those of another."""


class OnnxRuntime:
    """ONNX Runtime on the CPU; implements `burn_verify.reference.engine.Engine`.

    Arguments:
        timeout: seconds one inference may take, loading included.
        memory_limit: MiB of address space, 0 for no limit.
    """

    name = NAME

    def __init__(self, cache: Cache, timeout: float, *, memory_limit: int = 0) -> None:
        self.version = version(NAME)
        self._timeout = timeout
        self._memory_limit = memory_limit
        self._worker = Resident(
            [sys.executable, "-m", "burn_verify.reference.worker"],
            role="reference",
            log=cache.folder("logs") / f"reference-{os.getpid()}-{next(_NUMBERS)}.log",
            memory_limit_mib=memory_limit,
        )

    @property
    def pid(self) -> int | None:
        """The worker that served the last request, None where there is none."""
        return self._worker.pid

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        """Run a model on several sets of inputs, sent in one request; see `Engine.infer_all`."""
        header = {"model": str(model), "optimise": optimise, "threads": threads, "sets": len(sets)}
        flat = [array for inputs in sets for array in inputs]
        return dealt(decode(self._ask(header, encode(flat), self._timeout)[1]), len(sets))

    def measure(
        self,
        model: Path,
        inputs: Sequence[Array],
        *,
        wide: bool,
        shapes: Sequence[Sequence[int]],
        timeout: float,
    ) -> Measurement:
        """Measure one data set; see `Engine.measure`. The worker also uses onnx's own evaluator."""
        header = {"measure": True, "model": str(model), "wide": wide, "shapes": [list(shape) for shape in shapes]}
        answer, payload = self._ask(header, encode(inputs), timeout)
        return Measurement(
            arrays=decode_named(payload), evaluator=answer["evaluator"], why=answer["why"], node=answer["node"]
        )

    def deviations(self, model: Path, inputs: Sequence[Array], *, timeout: float) -> Deviations:
        """Measure how far rounding may move the outputs; see `Engine.deviations`."""
        header = {"noise": True, "model": str(model), "seconds": timeout}
        # The walk checks the clock after every node. If one node takes longer than the timeout, the process is ended.
        answer, payload = self._ask(header, encode(inputs), 2 * timeout)
        sigma = {int(name.rpartition("/")[2]): array for name, array in decode_named(payload).items()}
        return Deviations(sigma=sigma, why=answer["why"], out_of_time=answer["gave_up"])

    def block(self, model: Path, inputs: Sequence[Array], threads: int, plan: BlockPlan) -> Block:
        """Time a block of calls; see `Engine.block`."""
        header = {"model": str(model), "threads": threads, "bench": bench_request(plan)}
        return block_of(self._ask(header, encode(inputs), 3 * self._timeout + plan.settle + plan.seconds)[0])

    def restart(self) -> None:
        """Terminate the worker; the next request starts a new one."""
        self._worker.end()

    def close(self) -> None:
        """Terminate the worker permanently."""
        self._worker.close()

    def _ask(self, header: Mapping[str, Any], payload: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
        """Send the worker a request about the model of a header.

        Raises:
            OracleError: ONNX Runtime refused the model, died or hung.
        """
        try:
            answer, data = self._worker.request(header, payload, timeout=timeout)
        except ProcessDied as death:
            message = f"ONNX Runtime: {death.message}"
            reason = f"ONNX Runtime: {death.kind.how}"
            raise OracleError(message, reason, {"log": death.log}, death.kind) from death
        if not answer["ok"]:
            # The record is read on other machines: the file name identifies the model, the folder is specific to this
            # machine.
            model = Path(header["model"])
            message = f"ONNX Runtime: {answer['message']}".replace(str(model), model.name)
            if answer.get("memory"):
                kind, limit = FailureKind.MEMORY, f" (limit {self._memory_limit} MiB)" if self._memory_limit else ""
                raise OracleError(message, f"ONNX Runtime: out of memory{limit}", kind=kind)
            kind = FailureKind.MACHINE if answer.get("missing") else FailureKind.REFUSED
            raise OracleError(message, answer["reason"], kind=kind)
        return answer, data
