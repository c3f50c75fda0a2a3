"""Measure a reference for the judge, besides the outputs: float64, magnitudes, ONNX Runtime's own spread.

The measurements are made by an engine, with a time limit, and are cached. Judges nothing.
"""

import functools
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burn_verify.core.case import Hints, InputHint
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import DrawnData, FailureKind, PreparedCase, Reference
from burn_verify.judge.bounds import bounded, rule_of
from burn_verify.judge.evidence import Measured
from burn_verify.judge.facts import RuleKind
from burn_verify.judge.metrics import is_float
from burn_verify.judge.quotient import Quotient, quotient_of
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Deviations, Engine, Measurement, infer
from burn_verify.reference.inputs import make_inputs
from burn_verify.reference.lone_node import from_json, lone_node, to_json
from burn_verify.reference.oracle import MADE_BY, read
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.kept import is_kept, keep
from burn_verify.system.wire import Array, at, decode_named, decode_notes, encode_named, placed

if TYPE_CHECKING:
    from onnx import ModelProto


_AGAIN: Final = "again"
# Ends the name of a data set that is used only to check whether the outputs depend on the inputs.
_DRAWS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measurements of a case.

    Attributes:
        data_sets: by name.
    """

    data_sets: Mapping[str, Measured]


class Measurer:
    """Measures references.

    Arguments:
        timeout: seconds that one data set may take; a data set that takes longer has no outputs in float64.
    """

    def __init__(self, cache: Cache, engine: Engine, timeout: float) -> None:
        self._cache = cache
        self._engine = engine
        self._timeout = timeout

    def measured(self, prepared: PreparedCase, reference: Reference) -> Reference:
        """Measure a reference, and return it with the path of its measurements.

        Raises:
            OracleError: the cached reference is gone or damaged.
        """
        key = key_of(prepared, reference, self._engine.name, self._engine.version)
        path = self._folder / f"{key}.safetensors"
        # Incomplete measurements have another file name, so that a complete file is recognised without opening it.
        cut = path.with_suffix(f".{self._timeout:g}s.safetensors")
        for known in (path, cut):
            if is_kept(known):
                return replace(reference, measures=known)
        started = time.monotonic()
        arrays: dict[str, Array] = {}
        answers = read(reference)
        notes: dict[str, dict[str, Any]] = {}
        drawn = {one.name: one for one in prepared.fed if isinstance(one, DrawnData)}
        for place, name in enumerate(reference.data_sets):
            if (data_set := answers.data_sets.get(name)) is None:
                continue
            if prepared.is_varied(name):
                found, note = _without_engine(prepared, data_set)
            else:
                found, note = self._data_set(prepared, data_set)
            arrays |= {f"{place:03d}/{key.partition('/')[2]}": array for key, array in found.items()}
            notes[name] = note
            if note["node"] is None and not prepared.stored and prepared.measurable:
                arrays |= placed(place, "optimised", self._optimised(prepared, data_set))
            if name in drawn:
                arrays |= placed(place, "other", self._other(prepared, data_set, drawn[name]))
        said = {"data_sets": json.dumps(notes)}
        target = cut if any(note["gave_up"] for note in notes.values()) else path
        keep(target, encode_named(arrays, said))
        return replace(reference, measures=target, seconds=reference.seconds + time.monotonic() - started)

    @functools.cached_property
    def _folder(self) -> Path:
        return self._cache.generation("measured", MADE_BY.digest[:12])

    def of_data_set(self, prepared: PreparedCase, data_set: DataSet) -> Measured:
        """Measure one data set, without caching the result.

        Raises:
            OracleError: the engine was closed.
        """
        found, note = self._data_set(prepared, data_set)
        return _measured(found, 0, note)

    def of_varied(self, prepared: PreparedCase, reference: Reference, name: str, data_set: DataSet) -> Measured:
        """Measure one data set whose values are not stored, which `measured` leaves to those who need it; kept.

        Raises:
            OracleError: the engine was closed.
        """
        key = key_of(prepared, replace(reference, data_sets=(name,)), self._engine.name, self._engine.version)
        path = self._folder / f"{key}.{self._timeout:g}s.safetensors"
        if is_kept(path):
            payload = path.read_bytes()
            return _measured(decode_named(payload), 0, json.loads(decode_notes(payload)["data_set"]))
        found, note = self._data_set(prepared, data_set)
        keep(path, encode_named(found, {"data_set": json.dumps(note)}))
        return _measured(found, 0, note)

    def _data_set(self, prepared: PreparedCase, data_set: DataSet) -> tuple[dict[str, Array], dict[str, Any]]:
        try:
            found = self._engine.measure(
                prepared.model,
                data_set.inputs,
                wide=_wants_float64(prepared, data_set.desired),
                shapes=[array.shape for array in data_set.desired],
                timeout=self._timeout,
            )
        except OracleError as error:
            if error.kind is FailureKind.CLOSED:
                # The run is over: nothing was measured, and nothing may be cached.
                raise
            # A later run with more time may succeed.
            gave_up = error.kind is FailureKind.TIMEOUT
            found = Measurement(why=error.message)
        else:
            gave_up = False
        noise = self._deviations(prepared, data_set, found)
        note = {"evaluator": found.evaluator, "why": found.why, "node": found.node, "why_no_sigma": noise.why}
        sigma = {f"000/sigma/{place:03d}": array for place, array in noise.sigma.items()}
        return {**found.arrays, **sigma}, note | {"gave_up": gave_up or noise.out_of_time}

    def _deviations(self, prepared: PreparedCase, data_set: DataSet, known: Measurement) -> Deviations:
        """Measure how far rounding may move the outputs, if one of them has no bound of its own."""
        lone = None if known.node is None else from_json(known.node)
        scaled = {int(name.rpartition("/")[2]) for name in known.arrays if "/scale/" in name}
        if not prepared.measurable or not any(
            is_float(array.dtype) and not bounded(lone, place, scaled=place in scaled)
            for place, array in enumerate(data_set.desired)
        ):
            return Deviations()
        try:
            return self._engine.deviations(prepared.model, data_set.inputs, timeout=self._timeout)
        except OracleError as error:
            if error.kind is FailureKind.CLOSED:
                raise
            return Deviations(why=error.message, out_of_time=error.kind is FailureKind.TIMEOUT)

    def _optimised(self, prepared: PreparedCase, data_set: DataSet) -> Sequence[Array]:
        try:
            return infer(self._engine, prepared.model, data_set.inputs, optimise=True)
        except OracleError:
            return ()

    def _other(self, prepared: PreparedCase, first: DataSet, fed: DrawnData) -> Sequence[Array]:
        """Return the outputs for newly drawn inputs; none if the model has no inputs, rejects them, or is random.

        A few boolean outputs may be equal for two different inputs. Further inputs are drawn while all outputs are.
        """
        if not prepared.inputs or not prepared.measurable:
            return ()
        answers: Sequence[Array] = ()
        hints = _shaped(prepared.hints_of(fed), prepared, first)
        for attempt in range(_DRAWS):
            name = " ".join(filter(None, (fed.name, _AGAIN, str(attempt or ""))))
            drawn = list(make_inputs(prepared.digest, prepared.inputs, hints, name).values())
            if attempt % 2:
                # Other integers may have been refused: they are often indices and sizes.
                drawn = [one if one.dtype.kind in "iu" else new for one, new in zip(first.inputs, drawn, strict=True)]
            if all(np.array_equal(one, other) for one, other in zip(first.inputs, drawn, strict=True)):
                continue
            try:
                answers = infer(self._engine, prepared.model, drawn)
            except OracleError:
                continue
            if any(one.tobytes() != other.tobytes() for one, other in zip(first.desired, answers, strict=False)):
                break
        return answers


def _shaped(hints: Hints, prepared: PreparedCase, first: DataSet) -> Hints:
    """Return hints that draw inputs of the shapes of a data set, which may have been found by trial."""
    said = {one.name: one for one in hints.inputs}
    return replace(
        hints,
        inputs=tuple(
            replace(said.get(spec.name, InputHint(name=spec.name)), shape=array.shape)
            for spec, array in zip(prepared.inputs, first.inputs, strict=True)
        ),
    )


def key_of(prepared: PreparedCase, reference: Reference, *engine: str) -> str:
    """Return the cache key of the measurements of a reference by an engine, given its name and version."""
    # Generated graphs have stored outputs, in files whose names are no digests.
    return digest_of(MADE_BY.digest, str(reference.path), prepared.digest, *reference.data_sets, *engine)[:32]


def _without_engine(prepared: PreparedCase, data_set: DataSet) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the measurements of `at_hand`, for many judgements enough, as `Measurer` keeps them."""
    import onnx

    found = at_hand(onnx.load(prepared.model), data_set)
    node = None if found.lone is None else to_json(found.lone)
    quotient = found.quotient
    arrays = {} if quotient is None else {"000/target/000": quotient.target, "000/doubt/000": quotient.doubt}
    return arrays, {"evaluator": "", "why": "", "why_no_sigma": "", "node": node, "gave_up": False}


def at_hand(model: "ModelProto", data_set: DataSet) -> Measured:
    """Return the measurements of a data set that need no engine: the one node of the model."""
    found = lone_node(model, data_set.inputs, [array.shape for array in data_set.desired])
    if found is None:
        return Measured()
    return Measured(lone=found[0], quotient=quotient_of(found[0].facts, found[1]))


def read_measures(reference: Reference) -> Measures:
    """Return the measurements of a reference; empty ones where they cannot be read."""
    nothing = Measures(data_sets={name: Measured() for name in reference.data_sets})
    if reference.measures is None:
        return nothing
    try:
        payload = reference.measures.read_bytes()
        named, notes = decode_named(payload), decode_notes(payload)
    except (OSError, ValueError):
        return nothing
    said = json.loads(notes["data_sets"])
    places = {name: place for place, name in enumerate(reference.data_sets) if name in said}
    return Measures(data_sets=_Lazily(places, lambda name: _measured(named, places[name], said[name])))


class _Lazily(Mapping[str, Measured]):
    """Measurements that are decoded when they are asked for: those of most data sets are not.

    Arguments:
        names: of the data sets.
        made: returns the measurements of one.
    """

    def __init__(self, names: Collection[str], made: Callable[[str], Measured]) -> None:
        self._names = names
        self._made = made

    def __getitem__(self, name: str) -> Measured:
        if name not in self._names:
            raise KeyError(name)
        return self._made(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _measured(named: Mapping[str, Array], place: int, note: Mapping[str, Any]) -> Measured:
    def by_place(kind: str) -> dict[int, Array]:
        prefix = f"{place:03d}/{kind}/"
        return {int(name.removeprefix(prefix)): array for name, array in named.items() if name.startswith(prefix)}

    target, doubt = (by_place(kind).get(0) for kind in ("target", "doubt"))
    return Measured(
        quotient=None if target is None or doubt is None else Quotient(target=target, doubt=doubt),
        wide=by_place("wide"),
        scale=by_place("scale"),
        sigma=by_place("sigma"),
        optimised=at(named, place, "optimised") or None,
        other=at(named, place, "other") or None,
        evaluator=note["evaluator"],
        why=note["why"],
        why_no_sigma=note["why_no_sigma"],
        lone=None if note["node"] is None else from_json(note["node"]),
    )


def _wants_float64(prepared: PreparedCase, desired: Sequence[Array]) -> bool:
    """Return whether outputs in float64 add information: they do not where nothing rounds or the model is random."""
    if not prepared.measurable or not any(is_float(array.dtype) for array in desired):
        return False
    subject = prepared.subject
    rule = None if subject is None else rule_of(subject.op_type, subject.domain)
    return rule is None or rule.kind not in (RuleKind.MOVES, RuleKind.EXACT)
