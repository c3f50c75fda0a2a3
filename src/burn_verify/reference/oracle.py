"""Expected outputs of a model: computed by an engine or stored with the model, and cached.

Judges nothing.
"""

import functools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.stage import (
    DrawnData,
    FailureKind,
    FedData,
    GivenData,
    PreparedCase,
    Reference,
    StoredArrays,
    StoredData,
    StoredFiles,
)
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.inputs import described, make_inputs
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of
from burn_verify.system.kept import is_kept, keep
from burn_verify.system.made_by import MadeBy
from burn_verify.system.wire import Array, at, decode_named, decode_notes, encode_named, placed, unsupported_dtype

_OPINION: Final = "opinion-"

Opinions: TypeAlias = Mapping[str, list[Array]]
"""Outputs of engines, by the engine's name, for data sets whose stored outputs are the expected ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Inputs and outputs, in the order of the graph.

    Attributes:
        desired: the expected outputs: the stored ones, else those of the engine.
        opinions: see `Opinions`; empty where no outputs are stored, or no engine has outputs.
    """

    inputs: list[Array]
    desired: list[Array]
    opinions: Opinions = field(default_factory=dict)

    @property
    def opinion(self) -> list[Array] | None:
        """Outputs of the first engine where stored outputs are the expected ones; None where there are none."""
        return next(iter(self.opinions.values()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The contents of a reference.

    Attributes:
        data_sets: those with expected outputs, by name.
        refusals: errors of engines on stored inputs, by the engine's name; engines without an error are missing.
        unanswered: why a fed data set has no outputs, by its name; not all of a case's data sets are without.
    """

    data_sets: Mapping[str, DataSet]
    refusals: Mapping[str, str] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)


MADE_BY: Final = MadeBy(
    rooms=("core", "graph", "judge", "system", "reference"),
    libraries=("onnx", "onnxruntime", "numpy", "ml_dtypes"),
)
"""Code and libraries that determine a reference; references made by others are not reused."""


class Oracle:
    """Provides the expected outputs of a model: those of an engine, or those stored with the model.

    Does not close the engine; the caller that created it does.

    Arguments:
        memory_limit: MiB that inputs may take, 0 for the memory of the machine.
    """

    def __init__(self, cache: Cache, engine: Engine, memory_limit: int = 0) -> None:
        self._cache = cache
        self._memory_limit = memory_limit
        self._engine = engine

    def answer(self, prepared: PreparedCase) -> Reference:
        """Run the model on fed inputs and collect the stored data sets.

        A fed data set without an answer is left out, unless no data set has one.

        Raises:
            OracleError: the engine refused the model, died or hung, or stored data is damaged.
            RunError: an input has a dtype for which Burn has no value.
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
        key = key_of(prepared, self._engine.name, self._engine.version)
        path = self._folder / f"{key}.safetensors"
        if is_kept(path):
            return Reference(path=path, data_sets=prepared.data_sets, seconds=0.0)
        keep(path, _encoded(prepared.data_sets, self._answers(prepared)))
        return Reference(path=path, data_sets=prepared.data_sets, seconds=time.monotonic() - started)

    @functools.cached_property
    def _folder(self) -> Path:
        return self._cache.generation("reference", MADE_BY.digest[:12])

    def _answers(self, prepared: PreparedCase) -> Answers:
        data_sets: dict[str, DataSet] = {}
        failed: dict[str, OracleError] = {}
        for fed in prepared.fed:
            try:
                data_sets[fed.name] = self._fed(prepared, fed)
            except OracleError as error:
                if error.kind is FailureKind.CLOSED:
                    raise
                failed[fed.name] = error
        refusals: Mapping[str, str] = {}
        for stored in prepared.stored:
            data_set = _read_stored(prepared, stored)
            if not refusals:
                try:
                    opinion = infer(self._engine, prepared.model, data_set.inputs)
                    data_set = replace(data_set, opinions={self._engine.name: opinion})
                except OracleError as error:
                    # The stored outputs are the expected ones, so an error of the engine is not a failure of the case.
                    refusals = {self._engine.name: error.message}
            data_sets[stored.name] = data_set
        if failed and not data_sets:
            raise next(iter(failed.values()))
        unanswered = {name: error.message for name, error in failed.items()}
        return Answers(data_sets=data_sets, refusals=refusals, unanswered=unanswered)

    def _fed(self, prepared: PreparedCase, fed: FedData) -> DataSet:
        if isinstance(fed, GivenData):
            return self._asked(prepared, _inputs_in(fed.path, fed.place))
        return self._drawn(prepared, fed)

    def _drawn(self, prepared: PreparedCase, fed: DrawnData) -> DataSet:
        hints = prepared.case.hints if fed.hints is None else fed.hints
        drawn = make_inputs(prepared.digest, prepared.inputs, hints, fed.name, memory_limit=self._memory_limit)
        for name, array in drawn.items():
            if burn_kind(dtype := dtype_name(array.dtype)) is None:
                message = f"input {name!r} has dtype {dtype}, for which Burn has no value"
                raise RunError(message, f"no Burn value for {dtype}", kind=FailureKind.NO_VALUE)
        return self._asked(prepared, list(drawn.values()))

    def _asked(self, prepared: PreparedCase, values: list[Array]) -> DataSet:
        try:
            return DataSet(inputs=values, desired=infer(self._engine, prepared.model, values))
        except OracleError as error:
            details = {**error.details, "fed": described(prepared.inputs, values)}
            raise OracleError(error.message, error.reason, details, error.kind) from error


def _encoded(names: Sequence[str], answers: Answers) -> bytes:
    """Return the contents of a reference in the format of `read`.

    Arguments:
        names: of all data sets, with those that have no answer.
    """
    arrays: dict[str, Array] = {}
    for place, name in enumerate(names):
        if (data := answers.data_sets.get(name)) is None:
            continue
        arrays |= {**placed(place, "in", data.inputs), **placed(place, "out", data.desired)}
        for name, opinion in data.opinions.items():
            arrays |= placed(place, f"{_OPINION}{name}", opinion)
    engines = sorted({name for data in answers.data_sets.values() for name in data.opinions})
    notes = {"engines": engines, "refusals": dict(answers.refusals), "unanswered": dict(answers.unanswered)}
    return encode_named(arrays, {name: json.dumps(note) for name, note in notes.items()})


def key_of(prepared: PreparedCase, *engine: str) -> str:
    """Return the cache key of the reference of a case: all that determines the inputs and the expected outputs.

    Arguments:
        engine: name and version of the engine.

    Raises:
        OracleError: stored data cannot be read.
    """
    hints = prepared.case.hints
    about = (prepared.digest, repr(hints), *(_digest(hint.file) for hint in hints.inputs if hint.file is not None))
    parts = (part for one in (*prepared.fed, *prepared.stored) for part in (one.name, *_contents(one)))
    return digest_of(MADE_BY.digest, *engine, *about, *parts)[:32]


def read(reference: Reference) -> Answers:
    """Return the contents of a reference.

    Raises:
        OracleError: the cached file is gone or damaged.
    """
    try:
        payload = reference.path.read_bytes()
        named, notes = decode_named(payload), decode_notes(payload)
    except (OSError, ValueError) as error:
        message = f"{reference.path} cannot be read ({error}); delete it and run again"
        raise OracleError(message, "reference cache damaged", kind=FailureKind.MACHINE) from error
    engines, refusals, unanswered = (json.loads(notes.get(key, "[]")) for key in ("engines", "refusals", "unanswered"))
    data_sets = {
        name: _data_set(named, place, engines)
        for place, name in enumerate(reference.data_sets)
        if name not in unanswered
    }
    return Answers(data_sets=data_sets, refusals=dict(refusals), unanswered=dict(unanswered))


def _data_set(named: Mapping[str, Array], place: int, engines: Sequence[str]) -> DataSet:
    opinions = {name: found for name in engines if (found := at(named, place, f"{_OPINION}{name}"))}
    return DataSet(inputs=at(named, place, "in"), desired=at(named, place, "out"), opinions=opinions)


def stored_inputs(prepared: PreparedCase) -> list[Array]:
    """Return the inputs that are given for a case or stored with it as arrays; empty where there are none.

    Raises:
        OracleError: they cannot be read.
    """
    if (given := next((one for one in prepared.fed if isinstance(one, GivenData)), None)) is not None:
        return _inputs_in(given.path, given.place)
    stored = next((one for one in prepared.stored if isinstance(one, StoredArrays)), None)
    return [] if stored is None else _inputs_in(stored.path, stored.place)


def _inputs_in(path: Path, place: int) -> list[Array]:
    try:
        return at(decode_named(path.read_bytes()), place, "in")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _contents(data: FedData | StoredData) -> Iterator[str]:
    # The content is hashed, since an archive that is unpacked again may give files of the same sizes and times.
    match data:
        case DrawnData(hints=hints):
            yield repr(hints)
        case GivenData(path=path, place=place) | StoredArrays(path=path, place=place):
            yield from (_digest(path), str(place))
        case StoredFiles(inputs=inputs, outputs=outputs):
            yield from (_digest(path) for path in inputs + outputs)


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
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
