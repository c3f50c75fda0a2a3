"""ONNX Runtime, in a worker process that may die: the only importer of `onnxruntime`.

`Oracle` is this side; run as a module, this file is the worker. Judges nothing.
"""

import ctypes
import functools
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from burn_verify import inputs
from burn_verify.cache import Cache, digest_of, sha256_of, write_if_changed
from burn_verify.errors import OracleError, ProcessDied, RunError
from burn_verify.inputs import SEEDED, make_inputs
from burn_verify.process import Resident
from burn_verify.schema import burn_kind, dtype_name, elem_type_of, numpy_dtype
from burn_verify.types import PreparedCase, Reference, StoredArrays, StoredData
from burn_verify.wire import (
    PREFIX,
    VERSION,
    Array,
    at,
    decode,
    decode_named,
    decode_notes,
    encode,
    encode_named,
    pack,
    placed,
    unpack_header,
    unpack_prefix,
    unsupported_dtype,
)

_BFLOAT16: Final = "bfloat16"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Inputs and answers, in the order of the graph.

    Attributes:
        desired: the answers that count: those that are stored, else ONNX Runtime's.
        runtime: ONNX Runtime's answers where stored ones count; None where it has none.
    """

    inputs: list[Array]
    desired: list[Array]
    runtime: list[Array] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A reference that was read.

    Attributes:
        refusal: why ONNX Runtime gives no answer to stored inputs, empty where it does.
    """

    data_sets: Mapping[str, DataSet]
    refusal: str = ""


_HOW_INPUTS_ARE_MADE = sha256_of(Path(inputs.__file__))
"""Other code may draw other inputs: references made by it are not these."""


class Oracle:
    """What a model should answer: ONNX Runtime's word, or the outputs stored with the model.

    Arguments:
        timeout: seconds one inference may take, loading included.
    """

    def __init__(self, cache: Cache, timeout: float) -> None:
        self._cache = cache
        self._timeout = timeout
        self._runtime_version = version("onnxruntime")
        self._worker = Resident(
            [sys.executable, "-m", "burn_verify.reference"],
            role="reference",
            log=cache.room("logs") / f"reference-{os.getpid()}.log",
        )

    def answer(self, prepared: PreparedCase) -> Reference:
        """Feed the model seeded inputs and collect the stored data sets.

        Raises:
            OracleError: ONNX Runtime refused the model, died or hung, or stored data is damaged.
            RunError: no Burn tensor can hold an input.
        """
        started = time.monotonic()
        if prepared.unsupported is not None:
            reason = f"no Burn value for {prepared.unsupported}"
            message = f"an input or an answer is of {prepared.unsupported}, for which Burn has no value"
            raise RunError(message, reason)
        if prepared.refused is not None:
            raise OracleError(prepared.refused, "no reference runs this graph")
        if prepared.answered:
            (stored,) = prepared.stored
            assert isinstance(stored, StoredArrays)
            return Reference(path=stored.path, data_sets=(stored.name,), seconds=0.0)
        key = digest_of(
            prepared.digest,
            _HOW_INPUTS_ARE_MADE,
            prepared.case.id,
            repr(prepared.case.hints),
            self._runtime_version,
            np.__version__,
            *(stamp for stored in prepared.stored for stamp in _stamps(stored)),
        )
        path = self._cache.room("reference") / f"{key[:32]}.safetensors"
        names = (*([SEEDED] if prepared.seeded else []), *(stored.name for stored in prepared.stored))
        if path.is_file():
            return Reference(path=path, data_sets=names, seconds=0.0)
        answers = self._answers(prepared)
        arrays: dict[str, Array] = {}
        for place, data_set in enumerate(answers.data_sets.values()):
            arrays |= {**placed(place, "in", data_set.inputs), **placed(place, "out", data_set.desired)}
            arrays |= placed(place, "runtime", data_set.runtime or ())
        write_if_changed(path, encode_named(arrays, {"refusal": answers.refusal}))
        return Reference(path=path, data_sets=names, seconds=time.monotonic() - started)

    def infer(self, model: Path, inputs: Sequence[Array], *, optimise: bool = False) -> list[Array]:
        """Run a model once.

        Raises:
            OracleError: ONNX Runtime refused the model, died or hung.
        """
        return self.infer_all(model, [inputs], optimise=optimise)[0]

    def infer_all(self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False) -> list[list[Array]]:
        """Run a model on several sets of inputs, sent in one request.

        Raises:
            OracleError: ONNX Runtime refused the model or one of the sets, died or hung.
        """
        header = {"model": str(model), "optimise": optimise, "sets": len(sets)}
        flat = [array for inputs in sets for array in inputs]
        try:
            answer, payload = self._worker.request(header, encode(flat), timeout=self._timeout)
        except ProcessDied as death:
            message = f"ONNX Runtime: {death.message}"
            raise OracleError(message, f"ONNX Runtime: {death.how}", {"log": death.log}) from death
        if not answer["ok"]:
            # The record is read elsewhere: the model's name says enough, its folder says too much.
            message = f"ONNX Runtime: {answer['message']}".replace(str(model), model.name)
            raise OracleError(message, answer["reason"])
        return _dealt(decode(payload), len(sets))

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _answers(self, prepared: PreparedCase) -> Answers:
        data_sets = {SEEDED: self._seeded(prepared)} if prepared.seeded else {}
        refusal = ""
        for stored in prepared.stored:
            data_set = _read_stored(prepared, stored)
            try:
                runtime = None if refusal else self.infer(prepared.model, data_set.inputs)
            except OracleError as error:
                # What is stored counts; that ONNX Runtime has no opinion of it is nobody's failure.
                runtime, refusal = None, error.message
            data_sets[stored.name] = replace(data_set, runtime=runtime)
        return Answers(data_sets=data_sets, refusal=refusal)

    def _seeded(self, prepared: PreparedCase) -> DataSet:
        drawn = make_inputs(prepared.case.id, prepared.inputs, prepared.case.hints)
        for name, array in drawn.items():
            if burn_kind(dtype := dtype_name(array.dtype)) is None:
                message = f"input {name!r} has dtype {dtype}, for which Burn has no value"
                raise RunError(message, f"no Burn value for {dtype}")
        values = list(drawn.values())
        return DataSet(inputs=values, desired=self.infer(prepared.model, values))


def read(reference: Reference) -> Answers:
    """Return what a reference holds.

    Raises:
        OracleError: the cached file is gone or damaged.
    """
    try:
        payload = reference.path.read_bytes()
        named, notes = decode_named(payload), decode_notes(payload)
    except (OSError, ValueError) as error:
        message = f"{reference.path} cannot be read ({error}); delete it and run again"
        raise OracleError(message, "reference cache damaged") from error
    data_sets = {
        name: DataSet(
            inputs=at(named, place, "in"),
            desired=at(named, place, "out"),
            runtime=at(named, place, "runtime") or None,
        )
        for place, name in enumerate(reference.data_sets)
    }
    return Answers(data_sets=data_sets, refusal=notes.get("refusal", ""))


def _dealt(arrays: Sequence[Array], sets: int) -> list[list[Array]]:
    """Part arrays into so many lists of one length."""
    size = len(arrays) // sets
    return [list(arrays[place * size : (place + 1) * size]) for place in range(sets)]


def stored_inputs(prepared: PreparedCase) -> list[Array]:
    """Return the inputs of the arrays stored with a case, none where nothing is stored.

    Raises:
        OracleError: they cannot be read.
    """
    stored = next((one for one in prepared.stored if isinstance(one, StoredArrays)), None)
    if stored is None:
        return []
    try:
        return at(decode_named(stored.path.read_bytes()), stored.place, "in")
    except (OSError, ValueError) as error:
        raise _damaged(stored.path, error) from error


def _stamps(stored: StoredData) -> Iterator[str]:
    for path in (stored.path,) if isinstance(stored, StoredArrays) else stored.inputs + stored.outputs:
        try:
            stat = path.stat()
        except OSError as error:
            raise _damaged(path, error) from error
        yield f"{path.name} {stat.st_size} {stat.st_mtime_ns}"


def _read_stored(prepared: PreparedCase, stored: StoredData) -> DataSet:
    if isinstance(stored, StoredArrays):
        try:
            named = decode_named(stored.path.read_bytes())
        except (OSError, ValueError) as error:
            raise _damaged(stored.path, error) from error
        data_set = DataSet(inputs=at(named, stored.place, "in"), desired=at(named, stored.place, "out"))
    else:
        inputs, outputs = ([_read_tensor(path) for path in paths] for paths in (stored.inputs, stored.outputs))
        data_set = DataSet(inputs=inputs, desired=outputs)
    counts = len(data_set.inputs), len(data_set.desired)
    wanted = len(prepared.inputs), len(prepared.outputs)
    if counts != wanted:
        message = f"{stored.name} holds {counts} inputs and outputs, the model has {wanted}"
        raise OracleError(message, "stored test data does not fit the model")
    return data_set


def _damaged(path: Path, error: Exception) -> OracleError:
    return OracleError(f"{path}: stored test data cannot be read: {error}", "stored test data damaged")


def _read_tensor(path: Path) -> Array:
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.checker import ValidationError
    from onnx.numpy_helper import to_array

    try:
        array = to_array(onnx.load_tensor(path), base_dir=str(path.parent))
    except (DecodeError, ValidationError, ValueError, TypeError, KeyError, OSError) as error:
        raise _damaged(path, error) from error
    if dtype := unsupported_dtype([array]):
        message = f"{path}: stored test data has dtype {dtype}, for which Burn has no value"
        raise RunError(message, f"no Burn value for {dtype}")
    return np.asarray(array)


# ── the worker ───────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(maxsize=1)
def _session(model: str, changed: int, optimise: bool) -> Any:
    """Return the session of the model that was asked last: drawn values ask the same one again and again.

    Arguments:
        changed: when the file did, in nanoseconds: another file of the same name is another model.
    """
    del changed
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(model: str, optimise: bool, inputs: Sequence[Array]) -> list[Array]:
    session = _session(model, Path(model).stat().st_mtime_ns, optimise)
    feeds = {}
    for value, array in zip(session.get_inputs(), inputs, strict=True):
        feeds[value.name] = _to_runtime(array)
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
    """Return an OrtValue on top of an array, which must outlive it."""
    from onnxruntime import OrtValue

    if (dtype := dtype_name(array.dtype)) == _BFLOAT16:
        # ONNX Runtime takes a dtype that is not NumPy's own by its number only.
        return OrtValue.ortvalue_from_numpy_with_onnx_type(array, elem_type_of(dtype))
    return OrtValue.ortvalue_from_numpy(array)


def _from_runtime(value: Any) -> Array:
    if value.data_type() == f"tensor({_BFLOAT16})":
        # ONNX Runtime makes no array of a dtype that is not NumPy's own.
        data = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
        return np.frombuffer(data, numpy_dtype(_BFLOAT16)).reshape(value.shape())
    return np.asarray(value.numpy())


def _answer(request: Mapping[str, Any], payload: bytes) -> bytes:
    try:
        sets = _dealt(decode(payload), request["sets"])
        outputs = [output for inputs in sets for output in _run(request["model"], request["optimise"], inputs)]
    except Exception as error:  # whatever ONNX Runtime raises is the answer
        reason = "not compared yet" if isinstance(error, NotImplementedError) else type(error).__name__
        return pack({"id": request["id"], "ok": False, "message": str(error), "reason": f"ONNX Runtime: {reason}"})
    return pack({"id": request["id"], "ok": True}, encode(outputs))


def _read_exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        # Whoever asked is gone: nothing is worth finishing.
        os._exit(0)
    return data


def _serve() -> None:
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    pipe.write(pack({"protocol": VERSION, "role": "reference"}))
    pipe.flush()
    while True:
        header_len, payload_len = unpack_prefix(_read_exactly(sys.stdin.buffer, PREFIX.size))
        request = unpack_header(_read_exactly(sys.stdin.buffer, header_len))
        payload = _read_exactly(sys.stdin.buffer, payload_len)
        pipe.write(_answer(request, payload))
        pipe.flush()


if __name__ == "__main__":
    threading.current_thread().name = "reference"
    _serve()
