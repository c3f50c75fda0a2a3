"""Time ONNX Runtime call by call, inside the worker process: the counterpart of ``rust/runner/src/bench.rs``.

Only `runtime` imports this. Decides neither how many blocks there are nor when calls are steady.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from burn_verify.system.wire import Array


class Bench:
    """The last timed session, configured as users run one: all graph optimisations, inputs and outputs bound.

    Arguments:
        to_runtime: makes an OrtValue that shares the memory of an array.
    """

    def __init__(self, to_runtime: Callable[[Array], Any]) -> None:
        self._to_runtime = to_runtime
        self._key: tuple[str, int] | None = None
        self._call: Callable[[], None] | None = None
        self._inputs: Sequence[Array] = ()

    def block(self, request: Mapping[str, Any], inputs: Sequence[Array]) -> dict[str, Any]:
        """Run a block of calls as specified by ``bench`` of the request, see docs/runner-protocol.md."""
        # Imported first, so that the load time does not include the import.
        import onnxruntime  # noqa: F401

        plan = request["bench"]
        key = (request["model"], request["threads"])
        if plan["fresh"] or key != self._key:
            self._call = None
        before = resident()
        started = time.perf_counter_ns()
        if self._call is None:
            self._call, self._key = self._bound(*key, inputs), key
        load = time.perf_counter_ns() - started
        loaded = resident()
        was_on = gc.isenabled()
        gc.disable()
        try:
            calls = _timed(self._call, plan["settle_seconds"], plan["calls"], plan["seconds"])
        finally:
            if was_on:
                gc.enable()
        return {
            "load_seconds": load / 1e9,
            "forward_ns": calls,
            "prepare_ns": [],
            "resident_bytes": [before, loaded, resident()],
        }

    def _bound(self, model: str, threads: int, inputs: Sequence[Array]) -> Callable[[], None]:
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        # An OrtValue shares the memory of its array, so the array must live as long.
        self._inputs = list(inputs)
        binding = session.io_binding()
        for value, array in zip(session.get_inputs(), self._inputs, strict=True):
            binding.bind_ortvalue_input(value.name, self._to_runtime(array))
        for value in session.get_outputs():
            binding.bind_output(value.name, "cpu")
        return lambda: session.run_with_iobinding(binding)


def _timed(call: Callable[[], None], settle: float, calls: int, seconds: float) -> list[int]:
    clock = time.perf_counter_ns
    started = clock()
    while clock() - started < settle * 1e9:
        call()
    taken: list[int] = []
    started = clock()
    while not taken or (len(taken) < calls and clock() - started < seconds * 1e9):
        begun = clock()
        call()
        taken.append(clock() - begun)
    return taken


def resident() -> int:
    """Return the memory of this process that is resident, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)
