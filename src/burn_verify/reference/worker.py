"""The worker process: runs ONNX Runtime, and onnx's own evaluator where ONNX Runtime has no kernel for float64.

Only this module, `bench` and `quantiser` import `onnxruntime`. Reads framed requests on stdin, one at a time, and
writes the responses to stdout. The process may die. Its client is `burn_verify.reference.oracle`. Judges nothing.
"""

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from burn_verify.graph.dtypes import dtype_name, elem_type_of, numpy_dtype
from burn_verify.judge.bounds import rule_of
from burn_verify.judge.facts import LoneNode
from burn_verify.judge.magnitude import magnitude_of
from burn_verify.judge.metrics import is_float
from burn_verify.judge.quotient import quotient_of
from burn_verify.reference.bench import Bench
from burn_verify.system.wire import (
    PREFIX,
    VERSION,
    Array,
    dealt,
    decode,
    encode,
    encode_named,
    pack,
    placed,
    unpack_header,
    unpack_prefix,
    unsupported_dtype,
)

_NO_MEMORY: Final = ("Failed to allocate memory", "std::bad_alloc")
_BFLOAT16: Final = "bfloat16"
_RUNTIME: Final = "onnxruntime"


def _session(model: str | bytes, optimise: bool, threads: int) -> Any:
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@functools.lru_cache(maxsize=1)
def _latest(model: str, changed: int, optimise: bool, threads: int) -> Any:
    """Return a session; the last one is cached, since drawn values run the same model many times.

    Arguments:
        changed: modification time of the file in nanoseconds, since another file of the same name is another model.
    """
    del changed
    return _session(model, optimise, threads)


def _infer(model: bytes, inputs: Sequence[Array]) -> list[Array]:
    """Run a model once, without graph optimisations and without caching its session."""
    return _run(_session(model, False, 0), inputs)


def _run(session: Any, inputs: Sequence[Array]) -> list[Array]:
    """Return outputs that own their memory; ONNX Runtime may return an input or a buffer of the session."""
    # An OrtValue shares the memory of its array, so the array must be contiguous and live as long.
    held = [np.require(array, requirements="C") for array in inputs]
    feeds = {value.name: _to_runtime(array) for value, array in zip(session.get_inputs(), held, strict=True)}
    outputs = []
    for value, output in zip(session.get_outputs(), session.run_with_ort_values(None, feeds), strict=True):
        if not output.is_tensor():
            msg = f"output {value.name!r} is a {value.type}, which is not compared yet"
            raise NotImplementedError(msg)
        outputs.append(_from_runtime(output))
    if dtype := unsupported_dtype(outputs):
        msg = f"an output has dtype {dtype}, for which Burn has no value"
        raise NotImplementedError(msg)
    return outputs


def _to_runtime(array: Array) -> Any:
    """Return an OrtValue that shares the memory of an array, which must outlive it."""
    from onnxruntime import OrtValue

    if (dtype := dtype_name(array.dtype)) == _BFLOAT16:
        # ONNX Runtime accepts a dtype that is not native to NumPy only by its ONNX element type.
        return OrtValue.ortvalue_from_numpy_with_onnx_type(array, elem_type_of(dtype))
    return OrtValue.ortvalue_from_numpy(array)


def _from_runtime(value: Any) -> Array:
    """Return a copy of the contents of an OrtValue."""
    if value.data_type() == f"tensor({_BFLOAT16})":
        # ONNX Runtime cannot return an array of a dtype that is not native to NumPy.
        data = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
        return np.frombuffer(data, numpy_dtype(_BFLOAT16)).reshape(value.shape())
    # `numpy` returns a view, which is a view of an input where the model returns that input unchanged.
    return np.array(value.numpy(), copy=True)


@np.errstate(all="ignore")
def _measure(request: Mapping[str, Any], inputs: Sequence[Array]) -> tuple[dict[str, Any], bytes]:
    """Return the measurements of a model for the judge: its one node, outputs in float64 and their magnitudes S.

    ``wide`` in the request states whether to compute the outputs; ``shapes`` are the shapes of the known outputs.
    """
    import onnx

    from burn_verify.reference import float64, lone_node

    model = onnx.load(request["model"])
    found = lone_node.lone_node(model, inputs, request["shapes"])
    node = None if found is None else lone_node.to_json(found[0])
    quotients = {} if found is None else _quotients(model, *found)
    if not request["wide"]:
        return {"evaluator": "", "why": "", "node": node}, encode_named(quotients)
    wide, fed = float64.widened(model), [_widened(array) for array in inputs]
    try:
        answers, evaluator = _evaluated(wide, fed)
    except Exception as error:  # any exception of the evaluators is returned to the client
        return {"evaluator": "", "why": f"{type(error).__name__}: {error}", "node": node}, encode_named(quotients)
    arrays = {name: array for name, array in placed(0, "wide", answers).items() if unsupported_dtype([array]) is None}
    if found is not None:
        arrays |= _scales(*found, answers, lambda: _evaluated(float64.absolute(wide), [_absolute(a) for a in fed])[0])
    return {"evaluator": evaluator, "why": "", "node": node}, encode_named(arrays | quotients)


def _quotients(model: Any, lone: LoneNode, given: list[Array | None]) -> dict[str, Array]:
    """Return the quotients that a node with quantised outputs rounds, and their uncertainty; none for other nodes."""
    from burn_verify.reference import stepwise

    try:
        found = quotient_of(lone.facts, given, lambda images, weights: stepwise.convolved(model, images, weights))
    except Exception as error:  # without the quotient, one step is allowed for all elements
        sys.stderr.write(f"no quotient for {lone.facts.op_type}: {error}\n")
        return {}
    return {} if found is None else {"000/target/000": found.target, "000/doubt/000": found.doubt}


def _scales(
    lone: LoneNode, given: list[Array | None], answers: Sequence[Array], absolutely: Callable[[], list[Array]]
) -> dict[str, Array]:
    """Return the magnitudes S of the float outputs of a node, where its rule uses S."""
    rule = rule_of(lone.facts.op_type, lone.facts.domain)
    if rule is None:
        return {}

    def evaluate(*_: object) -> list[Array]:
        by_position = dict(zip(lone.gives, absolutely(), strict=True))
        return [by_position.get(position, np.zeros(())) for position in range(len(lone.facts.output_shapes))]

    found = {}
    for place, position in enumerate(lone.gives):
        if position is None or not is_float(answers[place].dtype):
            continue
        try:
            scale = magnitude_of(rule, lone.facts, given, evaluate, output=position)
        except Exception as error:  # without S there is no bound; the output itself stays valid
            sys.stderr.write(f"no magnitude for {lone.facts.op_type}: {error}\n")
            continue
        if scale is not None:
            found[f"000/scale/{place:03d}"] = scale
    return found


@np.errstate(all="ignore")
def _noise(request: Mapping[str, Any], inputs: Sequence[Array]) -> tuple[dict[str, Any], bytes]:
    """Return how far rounding may move the float outputs of a model, for the outputs measured within the time limit."""
    import onnx

    from burn_verify.reference.noise import noise_of

    def load(content: bytes, large: bool) -> Callable[[Sequence[Array]], list[Array]]:
        # Starting threads takes longer than running most nodes.
        return functools.partial(_run, _session(content, False, 0 if large else 1))

    try:
        found = noise_of(onnx.load(request["model"]), inputs, load, request["seconds"])
    except Exception as error:  # any exception of the evaluators is returned to the client
        return {"why": f"{type(error).__name__}: {error}", "gave_up": False}, encode_named({})
    arrays = {f"000/sigma/{place:03d}": array for place, array in found.sigma.items()}
    return {"why": found.why, "gave_up": found.out_of_time}, encode_named(arrays)


def _evaluated(model: Any, inputs: Sequence[Array]) -> tuple[list[Array], str]:
    """Run a float64 model by ONNX Runtime, or node by node where it has no kernel for a node, or none that is exact."""
    from burn_verify.reference import stepwise

    if stepwise.exact(model):
        try:
            return _infer(model.SerializeToString(), inputs), _RUNTIME
        except Exception as error:  # after any exception of ONNX Runtime, the model is run node by node
            sys.stderr.write(f"ONNX Runtime in float64: {error}\n")
    answers, evaluators = stepwise.evaluate(model, inputs, _infer)
    if not all(isinstance(answer, np.ndarray | np.generic) for answer in answers):
        msg = "an output is no tensor"
        raise NotImplementedError(msg)
    return [np.asarray(answer) for answer in answers], " and ".join(evaluators)


def _widened(array: Array) -> Array:
    narrow = dtype_name(array.dtype) in {"float32", "float16", _BFLOAT16}
    return array.astype(np.float64) if narrow else array


def _absolute(array: Array) -> Array:
    return np.asarray(np.abs(array)) if is_float(array.dtype) else array


@np.errstate(all="ignore")
def _second(model: str, inputs: Sequence[Array]) -> tuple[dict[str, Any], bytes]:
    """Return the outputs of onnx's own evaluator, the name of an empty value, and which cast has no defined result."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    from burn_verify.graph.facts import runtime_inputs
    from burn_verify.reference import evaluator_ops
    from burn_verify.reference.casts import undefined_cast

    loaded = onnx.load(model)
    names = [value.name for value in runtime_inputs(loaded.graph)]
    evaluator = ReferenceEvaluator(loaded, new_ops=list(evaluator_ops.OPERATORS))
    # The inputs are copied, since an operator may write to them.
    fed = {name: np.array(array) for name, array in zip(names, inputs, strict=True)}
    values = evaluator.run(None, dict(fed), intermediate=True)
    assert isinstance(values, dict)
    answers = [np.asarray(values[output.name]) for output in loaded.graph.output]
    hollow = (name for name, value in values.items() if isinstance(value, np.ndarray) and value.size == 0)
    empty = "" if any(array.size == 0 for array in inputs) else next((name for name in hollow if name), "")
    return {"empty": empty, "undefined": undefined_cast(loaded, values)}, encode_named(placed(0, "second", answers))


def _answer(request: Mapping[str, Any], payload: bytes, bench: Bench) -> bytes:
    try:
        if "bench" in request:
            return pack({"id": request["id"], "ok": True, **bench.block(request, decode(payload))})
        if request.get("measure"):
            header, measured = _measure(request, decode(payload))
            return pack({"id": request["id"], "ok": True, **header}, measured)
        if request.get("noise"):
            header, measured = _noise(request, decode(payload))
            return pack({"id": request["id"], "ok": True, **header}, measured)
        model = request["model"]
        if request.get("second"):
            header, second = _second(model, decode(payload))
            return pack({"id": request["id"], "ok": True, **header}, second)
        session = _latest(model, Path(model).stat().st_mtime_ns, request["optimise"], request["threads"])
        outputs = [array for inputs in dealt(decode(payload), request["sets"]) for array in _run(session, inputs)]
    except Exception as error:  # any exception of ONNX Runtime is returned to the client
        reason = "not compared yet" if isinstance(error, NotImplementedError) else type(error).__name__
        # A missing package is not a fault of the model.
        missing = {"missing": True} if isinstance(error, ImportError) else {}
        refusal = {"ok": False, "message": str(error), "reason": f"ONNX Runtime: {reason}", **missing}
        refusal |= {"memory": True} if _is_out_of_memory(error) else {}
        return pack({"id": request["id"], **refusal})
    return pack({"id": request["id"], "ok": True}, encode(outputs))


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether memory could not be allocated: ONNX Runtime says so in words only."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)


def _read_exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        # The client has exited, so no result is needed any more.
        os._exit(0)
    return data


def _serve() -> None:
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pipe.write(pack({"protocol": VERSION, "role": "reference"}))
    pipe.flush()
    bench = Bench(_to_runtime)
    while True:
        header_len, payload_len = unpack_prefix(_read_exactly(sys.stdin.buffer, PREFIX.size))
        request = unpack_header(_read_exactly(sys.stdin.buffer, header_len))
        payload = _read_exactly(sys.stdin.buffer, payload_len)
        pipe.write(_answer(request, payload, bench))
        pipe.flush()


if __name__ == "__main__":
    threading.current_thread().name = "reference"
    _serve()
