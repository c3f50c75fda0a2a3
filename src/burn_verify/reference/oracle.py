"""Expected outputs of a model: computed by an engine or stored with the model, and cached.

Judges nothing.
"""

import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

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
from burn_verify.reference.branches import never_entered
from burn_verify.reference.data_set import DataSet, damaged, inputs_in
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.feeding import Feeder
from burn_verify.reference.further import evaluated_answers, varied_answers
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of
from burn_verify.system.kept import is_kept, keep
from burn_verify.system.made_by import MadeBy
from burn_verify.system.wire import (
    Array,
    at,
    by_set,
    decode_named,
    decode_notes,
    encode_named,
    placed,
    unsupported_dtype,
)

_OPINION: Final = "opinion-"
_DECIDE: Final = frozenset({"If", "Loop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The contents of a reference.

    Attributes:
        data_sets: those with expected outputs, by name.
        refusals: errors of engines on stored inputs, by the engine's name; engines without an error are missing.
        unanswered: why a fed data set has no outputs, by its name; not all of a case's data sets are without.
        sizes: of the dimensions that vary, by the name of a drawn data set and of the dimension.
        tried: what was changed until the engine took the first draw.
        unseen: branches and bodies that no data set enters, in a sentence each.
    """

    data_sets: Mapping[str, DataSet]
    refusals: Mapping[str, str] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tried: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


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
            stored = prepared.stored[0]
            assert isinstance(stored, StoredArrays)
            return Reference(path=stored.path, data_sets=tuple(one.name for one in prepared.stored), seconds=0.0)
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
        fed = Feeder(self._engine, self._memory_limit).feed(prepared)
        data_sets = dict(fed.data_sets)
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
        if fed.failed and not data_sets:
            first = next(iter(fed.failed.values()))
            raise OracleError(first.message, first.reason, {**first.details, "tried": list(fed.tried)}, first.kind)
        data_sets |= self._varied(prepared, data_sets)
        unanswered = {name: error.message for name, error in fed.failed.items()}
        return Answers(
            data_sets=data_sets,
            refusals=refusals,
            unanswered=unanswered,
            sizes=fed.sizes,
            tried=fed.tried,
            unseen=self._unseen(prepared, data_sets),
        )

    def _unseen(self, prepared: PreparedCase, data_sets: Mapping[str, DataSet]) -> tuple[str, ...]:
        if prepared.subject is not None or not _DECIDE.intersection(prepared.op_types):
            return ()
        import onnx

        model = onnx.load(prepared.model, load_external_data=False)
        return never_entered(self._engine, model, [data.inputs for data in data_sets.values()])

    def _varied(self, prepared: PreparedCase, known: Mapping[str, DataSet]) -> dict[str, DataSet]:
        """Return the data sets with other values than a stored one, as far as the engine answers them."""
        if prepared.varied is None:
            return {}
        stored = known[prepared.varied.like]
        found = varied_answers(self._engine, prepared, stored)
        if not found:
            return {
                name: DataSet(inputs=inputs, desired=desired, evaluated=True)
                for name, (inputs, desired) in evaluated_answers(prepared, stored).items()
            }
        return {name: DataSet(inputs=inputs, desired=desired) for name, (inputs, desired) in found.items()}


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
    notes: dict[str, Any] = {
        "answered": list(answers.data_sets),
        "engines": engines,
        "refusals": dict(answers.refusals),
        "unanswered": dict(answers.unanswered),
        "sizes": {name: dict(sizes) for name, sizes in answers.sizes.items()},
        "tried": list(answers.tried),
        "unseen": list(answers.unseen),
        "evaluated": [name for name, data in answers.data_sets.items() if data.evaluated],
    }
    return encode_named(arrays, {name: json.dumps(note) for name, note in notes.items()})


def key_of(prepared: PreparedCase, *engine: str) -> str:
    """Return the cache key of the reference of a case: all that determines the inputs and the expected outputs.

    Arguments:
        engine: name and version of the engine.

    Raises:
        OracleError: stored data cannot be read.
    """
    hints, varied = prepared.case.hints, repr(prepared.varied)
    files = (_digest(hint.file) for hint in hints.inputs if hint.file is not None)
    about = (prepared.digest, repr(hints), varied, *files)
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
    said = {key: json.loads(note) for key, note in notes.items()}
    engines, refusals, unanswered = (said.get(key, ()) for key in ("engines", "refusals", "unanswered"))
    sizes, tried, unseen, evaluated = (said.get(key, ()) for key in ("sizes", "tried", "unseen", "evaluated"))
    find = by_set(named)
    data_sets = {
        name: _data_set(find, place, engines, evaluated=name in evaluated)
        for place, name in enumerate(reference.data_sets)
        if name in said.get("answered", reference.data_sets)
    }
    return Answers(
        data_sets=data_sets,
        refusals=dict(refusals),
        unanswered=dict(unanswered),
        sizes=dict(sizes),
        tried=tuple(tried),
        unseen=tuple(unseen),
    )


def _data_set(
    find: Callable[[int, str], list[Array]], place: int, engines: Sequence[str], *, evaluated: bool
) -> DataSet:
    opinions = {name: found for name in engines if (found := find(place, f"{_OPINION}{name}"))}
    return DataSet(inputs=find(place, "in"), desired=find(place, "out"), opinions=opinions, evaluated=evaluated)


def stored_inputs(prepared: PreparedCase) -> list[Array]:
    """Return the inputs that are given for a case or stored with it as arrays; empty where there are none.

    Raises:
        OracleError: they cannot be read.
    """
    if (given := next((one for one in prepared.fed if isinstance(one, GivenData)), None)) is not None:
        return inputs_in(given.path, given.place)
    stored = next((one for one in prepared.stored if isinstance(one, StoredArrays)), None)
    return [] if stored is None else inputs_in(stored.path, stored.place)


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
        raise damaged(path, error) from error


def _read_stored(prepared: PreparedCase, stored: StoredData) -> DataSet:
    if isinstance(stored, StoredArrays):
        try:
            named = decode_named(stored.path.read_bytes())
        except (OSError, ValueError) as error:
            raise damaged(stored.path, error) from error
        data_set = DataSet(inputs=at(named, stored.place, "in"), desired=at(named, stored.place, "out"))
    else:
        inputs, outputs = ([read_tensor(path) for path in paths] for paths in (stored.inputs, stored.outputs))
        data_set = DataSet(inputs=inputs, desired=outputs)
    counts = len(data_set.inputs), len(data_set.desired)
    wanted = len(prepared.inputs), len(prepared.outputs)
    if counts != wanted:
        message = f"{stored.name} holds {counts} inputs and outputs, the model has {wanted}"
        raise OracleError(message, "stored test data does not fit the model")
    return data_set


def read_tensor(path: Path) -> Array:
    """Return the array of a ``.pb`` file.

    Raises:
        OracleError: it cannot be read.
        RunError: Burn has no value of its dtype.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.checker import ValidationError
    from onnx.numpy_helper import to_array

    try:
        array = to_array(onnx.load_tensor(path), base_dir=str(path.parent))
    except (DecodeError, ValidationError, ValueError, TypeError, KeyError, OSError) as error:
        raise damaged(path, error) from error
    if dtype := unsupported_dtype([array]):
        message = f"{path}: stored test data has dtype {dtype}, for which Burn has no value"
        raise RunError(message, f"no Burn value for {dtype}", kind=FailureKind.NO_VALUE)
    return np.asarray(array)
