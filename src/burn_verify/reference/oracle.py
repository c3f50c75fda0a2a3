"""What a model should answer, asked of ONNX Runtime in a worker process that may die, and kept.

The worker is `burn_verify.reference.worker`. Judges nothing.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.core.errors import OracleError, ProcessDied, RunError
from burn_verify.core.latency import Block, BlockPlan, bench_request, block_of
from burn_verify.core.stage import FailureKind, PreparedCase, Reference, StoredArrays, StoredData
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.reference.inputs import SEEDED, make_inputs
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of, write_if_changed
from burn_verify.system.made_by import MadeBy
from burn_verify.system.resident import Resident
from burn_verify.system.wire import (
    Array,
    at,
    dealt,
    decode,
    decode_named,
    decode_notes,
    encode,
    encode_named,
    placed,
    unsupported_dtype,
)


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


MADE_BY: Final = MadeBy(
    rooms=("core", "graph", "judge", "system", "reference"),
    libraries=("onnx", "onnxruntime", "numpy", "ml_dtypes"),
)
"""What decides what a reference holds: references made by other code or other libraries are not these."""


class Oracle:
    """What a model should answer: ONNX Runtime's word, or the outputs stored with the model.

    Arguments:
        timeout: seconds one inference may take, loading included.
    """

    def __init__(self, cache: Cache, timeout: float) -> None:
        self._cache = cache
        self._timeout = timeout
        self._worker = Resident(
            [sys.executable, "-m", "burn_verify.reference.worker"],
            role="reference",
            log=cache.folder("logs") / f"reference-{os.getpid()}.log",
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
            raise RunError(message, reason, kind=FailureKind.NO_VALUE)
        if prepared.refused is not None:
            raise OracleError(prepared.refused, "no reference runs this graph", kind=FailureKind.NO_REFERENCE)
        if prepared.answered:
            (stored,) = prepared.stored
            assert isinstance(stored, StoredArrays)
            return Reference(path=stored.path, data_sets=(stored.name,), seconds=0.0)
        path = self._cache.folder("reference") / f"{key_of(prepared)}.safetensors"
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

    def infer(self, model: Path, inputs: Sequence[Array], *, optimise: bool = False, threads: int = 0) -> list[Array]:
        """Run a model once.

        Arguments:
            optimise: with ONNX Runtime's graph optimisations.
            threads: how many work at one operator, 0 for as many as ONNX Runtime likes.

        Raises:
            OracleError: ONNX Runtime refused the model, died or hung.
        """
        return self.infer_all(model, [inputs], optimise=optimise, threads=threads)[0]

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        """Run a model on several sets of inputs, sent in one request; arguments and errors as for `infer`."""
        header = {"model": str(model), "optimise": optimise, "threads": threads, "sets": len(sets)}
        flat = [array for inputs in sets for array in inputs]
        return dealt(decode(self.ask(header, encode(flat), self._timeout)[1]), len(sets))

    def block(self, model: Path, inputs: Sequence[Array], threads: int, plan: BlockPlan) -> Block:
        """Time a block of calls, with all graph optimisations.

        Raises:
            OracleError: ONNX Runtime refused the model, died or hung.
        """
        header = {"model": str(model), "threads": threads, "bench": bench_request(plan)}
        return block_of(self.ask(header, encode(inputs), 3 * self._timeout + plan.settle + plan.seconds)[0])

    def ask(self, header: Mapping[str, Any], payload: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
        """Send the worker a request about the model of a header.

        Raises:
            OracleError: it refused the model, died or hung.
        """
        try:
            answer, data = self._worker.request(header, payload, timeout=timeout)
        except ProcessDied as death:
            message = f"ONNX Runtime: {death.message}"
            reason = f"ONNX Runtime: {death.kind.how}"
            raise OracleError(message, reason, {"log": death.log}, death.kind) from death
        if not answer["ok"]:
            # The record is read elsewhere: the model's name says enough, its folder says too much.
            model = Path(header["model"])
            message = f"ONNX Runtime: {answer['message']}".replace(str(model), model.name)
            raise OracleError(message, answer["reason"])
        return answer, data

    @property
    def pid(self) -> int | None:
        """The worker that answered last, None where there is none."""
        return self._worker.pid

    def restart(self) -> None:
        """End the worker: the next request meets one that has done nothing yet."""
        self._worker.end()

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
                raise RunError(message, f"no Burn value for {dtype}", kind=FailureKind.NO_VALUE)
        values = list(drawn.values())
        return DataSet(inputs=values, desired=self.infer(prepared.model, values))


def key_of(prepared: PreparedCase) -> str:
    """Return the key of the reference of a case: whatever decides what its model is fed and should answer.

    Raises:
        OracleError: stored data cannot be read.
    """
    about = (prepared.digest, prepared.case.id, repr(prepared.case.hints), str(prepared.seeded))
    stored = (part for stored in prepared.stored for part in (stored.name, *_contents(stored)))
    return digest_of(MADE_BY.digest, *about, *stored)[:32]


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
        raise OracleError(message, "reference cache damaged", kind=FailureKind.MACHINE) from error
    data_sets = {
        name: DataSet(
            inputs=at(named, place, "in"),
            desired=at(named, place, "out"),
            runtime=at(named, place, "runtime") or None,
        )
        for place, name in enumerate(reference.data_sets)
    }
    return Answers(data_sets=data_sets, refusal=notes.get("refusal", ""))


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


def _contents(stored: StoredData) -> Iterator[str]:
    # By content: an archive that is unpacked again may leave the same sizes and times behind.
    for path in (stored.path,) if isinstance(stored, StoredArrays) else stored.inputs + stored.outputs:
        try:
            yield sha256_of(path)
        except OSError as error:
            raise _damaged(path, error) from error


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
        raise RunError(message, f"no Burn value for {dtype}", kind=FailureKind.NO_VALUE)
    return np.asarray(array)
