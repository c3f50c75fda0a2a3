"""The resident runner: inputs in, outputs out, or a panic, an abort, a hang blamed on the one request in flight.

Compiles nothing and judges nothing.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from burn_verify.burn.reasons import location, panic
from burn_verify.core.errors import ProcessDied, RunError
from burn_verify.core.latency import Block, BlockPlan, bench_request, block_of
from burn_verify.core.stage import ConvertedModel, FailureKind, RunnerBinary
from burn_verify.system.cache import Cache
from burn_verify.system.resident import MOST_AT_ONCE, Resident
from burn_verify.system.wire import Array, decode, encode, unsupported_dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """One answer of a compiled model.

    Attributes:
        outputs: in the order of the graph.
        load_seconds: reading the weights, about 0 when the model was loaded already.
        forward_seconds: the call itself, measured inside the runner.
    """

    outputs: list[Array]
    load_seconds: float
    forward_seconds: float


class Runner:
    """Asks the resident runner; after a death the next request starts another.

    Arguments:
        timeout: seconds one request may take.
        memory_limit: MiB, 0 for none.
        threads: that work at one operator, 0 for as many as there are processors.
    """

    def __init__(
        self, cache: Cache, binary: RunnerBinary, *, timeout: float, memory_limit: int, threads: int = 0
    ) -> None:
        log = cache.folder("logs") / f"runner-{os.getpid()}.log"
        self._timeout = timeout
        env = rust_environment() | ({"RAYON_NUM_THREADS": str(threads)} if threads else {})
        self._process = Resident([str(binary.path)], role="runner", log=log, memory_limit_mib=memory_limit, env=env)

    def start(self, backend: str) -> str:
        """Start a backend and return the name of its device, e.g. ``llvmpipe (LLVM 19.1.7, 256 bits)``.

        Raises:
            RunError: the backend cannot be used here; the message says why. Nothing else will work on it.
        """
        try:
            answer, _ = self._process.request({"backend": backend}, timeout=self._timeout)
        except ProcessDied as death:
            message = f"{backend} does not start: {death.message}"
            raise _died(death, message) from death
        if not answer["ok"]:
            message = f"{backend} does not start: {answer['message']}"
            kind = _kind_of(answer)
            raise RunError(message, f"{backend} does not start", {"how": kind.how}, kind)
        return str(answer["device"])

    def infer(self, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> Inference:
        """Call a compiled model once.

        Raises:
            RunError: it panicked, aborted, hung, ran out of memory, or the inputs have no Burn value.
        """
        return self._inference(*self._ask(model, inputs, backend, self._timeout))

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Time a block of calls.

        Raises:
            RunError: as `infer`.
        """
        # The limit is one for a call: a block has at most one beyond its own limit, and one while it settles.
        limit = 3 * self._timeout + plan.settle + plan.seconds
        answer, _ = self._ask(model, inputs, backend, limit, {"bench": bench_request(plan)})
        _check(answer)
        with self._readable():
            return block_of(answer)

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Call a compiled model on several small sets of inputs, sent at once.

        Raises:
            RunError: as `infer`; of the first set that failed, or of one that cannot be told.
        """
        requests = [_request(model, inputs, backend) for inputs in sets]
        if sum(len(payload) for _, payload in requests) > MOST_AT_ONCE:
            return [self.infer(model, inputs, backend) for inputs in sets]
        try:
            answers = self._process.request_all(requests, timeout=self._timeout)
        except ProcessDied:
            # One by one, to find which of them it was.
            return [self.infer(model, inputs, backend) for inputs in sets]
        return [self._inference(answer, data) for answer, data in answers]

    @property
    def pid(self) -> int | None:
        """The process that answered last, None where there is none."""
        return self._process.pid

    def restart(self) -> None:
        """End the process: the next request meets one that has done nothing yet."""
        self._process.end()

    def close(self) -> None:
        """End the runner."""
        self._process.close()

    def _ask(
        self,
        model: ConvertedModel,
        inputs: Sequence[Array],
        backend: str,
        limit: float,
        more: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        header, payload = _request(model, inputs, backend)
        try:
            return self._process.request({**header, **(more or {})}, payload, timeout=limit)
        except ProcessDied as death:
            raise _died(death, death.message) from death

    def _inference(self, answer: Mapping[str, Any], payload: bytes) -> Inference:
        if answer.get("broken"):
            # The device has not survived this request; the next one gets another process.
            self._process.end()
        _check(answer)
        with self._readable():
            return Inference(
                outputs=decode(payload),
                load_seconds=answer["load_seconds"],
                forward_seconds=answer["forward_seconds"],
            )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError) as error:
            self._process.end()
            message = f"the runner's answer cannot be read: {error}"
            kind = FailureKind.PROTOCOL
            raise RunError(message, "protocol: unreadable answer", {"how": kind.how}, kind) from error


def _request(model: ConvertedModel, inputs: Sequence[Array], backend: str) -> tuple[dict[str, Any], bytes]:
    if dtype := unsupported_dtype(inputs):
        message = f"no Burn value for {dtype}"
        raise RunError(message, kind=FailureKind.NO_VALUE)
    return {"module": model.module, "weights": str(model.weights), "backend": backend}, encode(inputs)


def _check(answer: Mapping[str, Any]) -> None:
    if not answer["ok"]:
        kind = _kind_of(answer)
        details = {"how": kind.how, "location": location(answer.get("location") or "") or None}
        raise RunError(answer["message"], f"{kind.how}: {panic(answer['message'])}", details, kind)


def _kind_of(answer: Mapping[str, Any]) -> FailureKind:
    """Return how the runner says that a request failed, see docs/runner-protocol.md."""
    return FailureKind.PANIC if answer.get("kind") == "panic" else FailureKind.ERROR


def _died(death: ProcessDied, message: str) -> RunError:
    how = death.kind.how
    return RunError(message, f"{how}: {death.message}", {"how": how, "log": death.log}, death.kind)


def rust_environment() -> dict[str, str]:
    """Return the environment for our Rust processes: without backtraces, each of which costs a tenth of a second."""
    return {**os.environ, "RUST_BACKTRACE": "0"}
