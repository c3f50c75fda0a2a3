"""Client of the resident runner. A panic, an abort or a hang is attributed to the one request in flight.

Compiles nothing and judges nothing.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.drivers import DRIVERS, Device
from burn_verify.burn.lacks import in_words, lacking
from burn_verify.burn.program import Inference
from burn_verify.burn.reasons import location, panic
from burn_verify.core.errors import ProcessDied, RunError
from burn_verify.core.latency import Block, BlockPlan, bench_request, block_of
from burn_verify.core.option_values import Sandbox
from burn_verify.core.stage import ConvertedModel, FailureKind, RunnerBinary
from burn_verify.system.cache import Cache
from burn_verify.system.resident import MOST_AT_ONCE, Resident
from burn_verify.system.sandbox import prefix
from burn_verify.system.wire import Array, decode, encode, unsupported_dtype

_START_OF_HOST: Final = 600.0
"""Seconds in which a host has to compile a module and start it."""


class Runner:
    """Sends requests to the resident runner; after the process died, the next request starts another one.

    Implements `burn_verify.burn.program.Program`. Unpickling returns a runner that is not started.

    Arguments:
        timeout: seconds one request may take.
        memory_limit: MiB, 0 for none.
        threads: number of threads per operator, 0 for as many as there are processors.
        host: the command that runs the binary, where it is no program of this machine.
        sandbox: whether it is confined.
        writable: folders in which it may write then; most programs write nothing.
    """

    def __init__(
        self,
        cache: Cache,
        binary: RunnerBinary,
        *,
        timeout: float,
        memory_limit: int,
        threads: int = 0,
        host: Sequence[str] = (),
        sandbox: Sandbox = Sandbox.OFF,
        writable: Sequence[Path] = (),
    ) -> None:
        self.binary = binary
        self._host = tuple(host)
        limits = partial(Runner, timeout=timeout, memory_limit=memory_limit, threads=threads)
        self._again = partial(limits, cache, binary, host=host, sandbox=sandbox, writable=tuple(writable))
        log = cache.folder("logs") / f"runner-{os.getpid()}.log"
        self._timeout = timeout
        env = rust_environment() | ({"RAYON_NUM_THREADS": str(threads)} if threads else {})
        self._process = Resident(
            [*prefix(sandbox, writable), *host, str(binary.path)],
            role="runner",
            log=log,
            memory_limit_mib=memory_limit,
            env=env,
            **({"start_timeout": _START_OF_HOST} if host else {}),
        )
        self._devices: dict[str, Device] = {}

    def __reduce__(self) -> tuple[Callable[[], "Runner"], tuple[()]]:
        return self._again, ()

    def start(self, backend: str) -> Device:
        """Start a backend and return its device, e.g. the one named ``llvmpipe (LLVM 19.1.7, 256 bits)``.

        Raises:
            RunError: the backend cannot be used here; the message contains the cause. Other requests to it fail too.
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
        self._devices[backend] = Device(name=answer["device"], lacks=tuple(answer.get("lacks", ())))
        return self._devices[backend]

    def infer(self, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> Inference:
        """Call a compiled model once.

        Raises:
            RunError: the program panicked, aborted, hung or ran out of memory, the inputs have no Burn value, or the
                device lacks what the model needs.
        """
        return self._inference(model, *self._ask(model, inputs, backend, self._timeout))

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Time a block of calls.

        Raises:
            RunError: as `infer`.
        """
        # The timeout applies to one call. A block runs at most one call beyond its own limit, and one while it settles.
        limit = 3 * self._timeout + plan.settle + plan.seconds
        answer, _ = self._ask(model, inputs, backend, limit, {"bench": bench_request(plan)})
        _check(model, answer)
        with self._readable():
            return block_of(answer)

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Call a compiled model on several small sets of inputs, sent at once.

        Raises:
            RunError: as `infer`; the error of the first set that failed, or of one that cannot be identified.
        """
        if len(sets) == 1:
            return [self.infer(model, sets[0], backend)]
        requests = [self._request(model, inputs, backend) for inputs in sets]
        if sum(len(payload) for _, payload in requests) > MOST_AT_ONCE:
            return [self.infer(model, inputs, backend) for inputs in sets]
        try:
            answers = self._process.request_all(requests, timeout=self._timeout)
        except ProcessDied:
            # The sets are sent one by one, to find the one that ended the process.
            return [self.infer(model, inputs, backend) for inputs in sets]
        return [self._inference(model, answer, data) for answer, data in answers]

    @property
    def identity(self) -> str:
        """The key of the batch; empty for a program that another one hosts."""
        return "" if self._host else self.binary.path.parent.name

    @property
    def pid(self) -> int | None:
        """The process that served the last request, None where there is none."""
        return self._process.pid

    def close(self) -> None:
        """Terminate the runner, if there is one; the next request starts a new one."""
        self._process.end()

    def _ask(
        self,
        model: ConvertedModel,
        inputs: Sequence[Array],
        backend: str,
        limit: float,
        more: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        header, payload = self._request(model, inputs, backend)
        try:
            return self._process.request({**header, **(more or {})}, payload, timeout=limit)
        except ProcessDied as death:
            raise _died(death, death.message, model) from death

    def _request(self, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> tuple[dict[str, Any], bytes]:
        if dtype := unsupported_dtype(inputs):
            message = f"no Burn value for {dtype}"
            raise RunError(message, kind=FailureKind.NO_VALUE)
        if backend in DRIVERS:
            self._require(model, inputs, backend)
        return {"module": model.module, "weights": str(model.loaded), "backend": backend}, encode(inputs)

    def _require(self, model: ConvertedModel, inputs: Sequence[Array], backend: str) -> None:
        """Check that a device supports the dtypes that a model stores there; start the device if needed.

        Raises:
            RunError: the device does not support them, or does not start.
        """
        device = self._devices.get(backend) or self.start(backend)
        dtypes = [array.dtype.name for array in inputs]
        lacks = lacking(device, model.rust.read_text(encoding="utf-8"), dtypes) if device.lacks else ()
        if lacks:
            reason = f"device: {in_words(lacks)}"
            message = f"{reason}: {device.name} cannot hold {' and '.join(lacks)}, so the model was not run there"
            kind = FailureKind.DEVICE
            raise RunError(message, reason, {"how": kind.how, "lacks": list(lacks)}, kind)

    def _inference(self, model: ConvertedModel, answer: Mapping[str, Any], payload: bytes) -> Inference:
        if answer.get("broken"):
            # The device is unusable after this request, so the next request needs a new process.
            self._process.end()
        _check(model, answer)
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


def _check(model: ConvertedModel, answer: Mapping[str, Any]) -> None:
    if not answer["ok"]:
        kind, message = _kind_of(answer), _portable(answer["message"], model)
        details = {"how": kind.how, "location": _portable(answer.get("location") or "", model) or None}
        raise RunError(message, f"{kind.how}: {panic(message)}", details, kind)


def _portable(text: str, model: ConvertedModel | None) -> str:
    """Return a text without the folders of this machine, since the record is read on other machines."""
    return location(text, *(() if model is None else (model.rust.parent.parent, model.weights.parent.parent)))


def _kind_of(answer: Mapping[str, Any]) -> FailureKind:
    """Return the kind of failure that the runner reports, see docs/runner-protocol.md."""
    return FailureKind.PANIC if answer.get("kind") == "panic" else FailureKind.ERROR


def _died(death: ProcessDied, message: str, model: ConvertedModel | None = None) -> RunError:
    how = death.kind.how
    details = {"how": how, "log": _portable(death.log, model)}
    return RunError(_portable(message, model), f"{how}: {_portable(death.message, model)}", details, death.kind)


def rust_environment() -> dict[str, str]:
    """Return the environment of our Rust processes: without backtraces, since each takes a tenth of a second."""
    return {**os.environ, "RUST_BACKTRACE": "0"}
