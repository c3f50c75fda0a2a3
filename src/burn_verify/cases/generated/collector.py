"""The collector of generated graphs, run in child processes by `collection`.

Makes models, checks them, gets answers, and writes an index for each operator. `profiles` decides which graphs there
are; nothing is converted here.
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.build import Choice, Space, feeds_of, model_of, other_values, value_of
from burn_verify.cases.generated.operator_spec import DTYPE, OperatorSpec
from burn_verify.cases.generated.profiles import PROFILES, choices
from burn_verify.cases.generated.registry import operator_specs, operators, versions_of
from burn_verify.cases.generated.resized import others as others_of
from burn_verify.cases.generated.twins import at_run_time, expanded
from burn_verify.cases.generated.typed import InvalidGraph, finish, one_line, refusals, same, typed
from burn_verify.cases.index import Index, IndexEntry, without_burn_value, write_index, written_data
from burn_verify.core.case import ModelFacts, Subject, Tolerance, facts_of
from burn_verify.core.errors import OracleError
from burn_verify.graph.dtypes import dtype_name, dtype_of, numpy_dtype
from burn_verify.graph.facts import facts
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.evaluator import Evaluator, conform
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

_TIMEOUT: Final = 60.0
_OTHER: Final = "other"
"""The data set of other values: a program that answers the same to both is wrong."""
_SIZES: Final = "sizes 2"
"""The data set at other sizes of the symbolic dimensions, as where sizes are drawn for models of one's own."""
_TURNS: Final = 4
"""Draws at most until other values have another answer."""
_WIDENED: Final = frozenset({"bfloat16", "float16", "float64"})
_OF_FLOAT32: Final = Tolerance(rtol=1e-4, atol=1e-5)
"""The rounding error of float32 in place of float64."""


class _Source(Enum):
    """Whose answers a graph has."""

    ONNXRUNTIME = auto()
    EVALUATOR = auto()
    FLOAT32 = auto()
    NONE = auto()


_NOTES: Final = {
    _Source.ONNXRUNTIME: None,
    _Source.EVALUATOR: "answers of onnx.reference, as ONNX Runtime refuses the graph",
    _Source.FLOAT32: "answers of ONNX Runtime to the same graph in float32, as it has no kernel for this dtype",
    _Source.NONE: None,
}


def _collect(profile: str, scratch: Path, cache: Cache, names: Sequence[str]) -> None:
    """Write the graphs of operators, each with its index last."""
    profiles = PROFILES[: PROFILES.index(profile) + 1]
    known = {operator.name: operator for operator in operators()}
    engine = OnnxRuntime(cache, _TIMEOUT)
    try:
        for name in names:
            spec = operator_specs()[name]
            versions = [since for since in versions_of(known[name]) if since >= spec.since]
            folder = scratch / name
            folder.mkdir(parents=True, exist_ok=True)
            found = [choice for choice, smallest in choices(spec, versions) if smallest in profiles]
            index = _written(found, folder, engine, with_twins=profile != PROFILES[0])
            write_index(replace(index, entries=link_twins(index.entries, found, spec)), folder)
            print(f"{name}: {len(index.entries)} graphs", flush=True)
    finally:
        engine.close()


def _written(found: Sequence[Choice], folder: Path, engine: Engine, *, with_twins: bool) -> Index:
    entries: list[IndexEntry] = []
    invalid: dict[str, str] = {}
    for place, choice in enumerate(found):
        try:
            if with_twins and dict(choice.row) == dict(choice.default):
                entries += write_with_twin(choice, f"{place:04d}", folder, engine)
            else:
                entries.append(write_graph(choice, f"{place:04d}", folder, engine))
        except InvalidGraph as error:
            invalid[choice.id] = str(error)
    return Index(entries=tuple(entries), invalid=invalid)


def write_with_twin(choice: Choice, name: str, folder: Path, engine: Engine) -> list[IndexEntry]:
    """Write a graph and, where there is one, the function that defines its operator; return their entries.

    Raises:
        InvalidGraph: onnx refuses the graph.
    """
    entry = write_graph(choice, name, folder, engine)
    try:
        twin = write_graph(choice, f"{name}x", folder, engine, inlined=True)
    except InvalidGraph:
        return [entry]
    return [replace(entry, twin=twin.id), twin]


def link_twins(entries: Sequence[IndexEntry], found: Sequence[Choice], spec: OperatorSpec) -> tuple[IndexEntry, ...]:
    """Return entries in which those without a twin name the graph whose operands all arrive at run time, if any."""
    known = {entry.id for entry in entries}
    spaces = {choice.point.version: Space(spec, choice.point.version) for choice in found}
    by_id = {choice.id: choice for choice in found}

    def linked(entry: IndexEntry) -> IndexEntry:
        choice = by_id.get(entry.id)
        if choice is None or entry.twin is not None:
            return entry
        twin = at_run_time(spaces[choice.point.version], choice)
        return replace(entry, twin=twin.id) if twin is not None and twin.id in known else entry

    return tuple(map(linked, entries))


def write_graph(choice: Choice, name: str, folder: Path, engine: Engine, *, inlined: bool = False) -> IndexEntry:
    """Write the model and the data of a graph, and return its entry in the index.

    Arguments:
        inlined: the function that defines the operator instead of the operator.

    Raises:
        InvalidGraph: onnx refuses the graph, or the operator has no function.
    """
    path = folder / f"{name}.onnx"
    feeds = feeds_of(choice, {operand: value_of(choice, operand) for operand in choice.kinds})
    with refusals():
        model = typed(model_of(choice))
        model = _inlined(choice, model) if inlined else model
    path.write_bytes(model.SerializeToString())
    unsupported = without_burn_value([*feeds.values(), choice.point.dtype])
    outputs, source, refused = _answers(choice, path, model, feeds, engine, unsupported)
    graph = _Graph(path=path, model=model, engine=engine, source=source)
    others = _others(choice, graph, (feeds, outputs)) | _at_other_sizes(choice, graph)
    with refusals():
        finish(model, outputs)
    path.write_bytes(model.SerializeToString())
    return IndexEntry(
        id=_twin_id(choice.id) if inlined else choice.id,
        name=name,
        note=_NOTES[source],
        refused=refused,
        subject=_subject(choice, [("twin", "expanded")] if inlined else []),
        tolerance=_OF_FLOAT32 if source is _Source.FLOAT32 and choice.point.dtype == "float64" else None,
        answered=True,
        evaluated=source is _Source.EVALUATOR,
        **facts_of(facts(model, feeds), ModelFacts),
        **written_data(path, {SEEDED: ([*feeds.values()], outputs), **others}, unsupported),
    )


def _twin_id(case_id: str) -> str:
    base = case_id.removesuffix("/default")
    return f"{base}{',' if '=' in base else '/'}twin=expanded"


def _subject(choice: Choice, more: Sequence[tuple[str, str]]) -> Subject:
    spec, point = choice.point.spec, choice.point
    return Subject(
        op_type=spec.op_type,
        domain=spec.domain,
        since_version=point.version,
        dtype=point.dtype,
        axes=(*choice.labels, *more),
    )


def _inlined(choice: Choice, model: Any) -> Any:
    """Return the model with the operator replaced by its function.

    Raises:
        ValueError: it has none.
    """
    twin = expanded(choice, model)
    if twin is None:
        msg = "the operator is defined by no function"
        raise ValueError(msg)
    return typed(twin)


def _answers(
    choice: Choice, path: Path, model: Any, feeds: Mapping[str, Array], engine: Engine, unsupported: str | None
) -> tuple[list[Array], _Source, str | None]:
    """Return answers, whose they are, and why there are none."""
    refusal = ""
    if unsupported is None:
        try:
            return infer(engine, path, list(feeds.values())), _Source.ONNXRUNTIME, None
        except OracleError as error:
            refusal = f"{error.message}; "
    try:
        return Evaluator(model).answer(feeds), _Source.EVALUATOR, None
    except ValueError as error:
        refusal += str(error)
    try:
        return _in_float32(choice, path, model, engine), _Source.FLOAT32, None
    except (ValueError, OracleError) as error:
        return [], _Source.NONE, one_line(f"{refusal}; in float32: {error}")


def _others(
    choice: Choice, graph: "_Graph", answered: tuple[Mapping[str, Array], list[Array]]
) -> dict[str, tuple[list[Array], list[Array]]]:
    """Return the data set of other values; none where nothing varies, or who answered the case refuses them.

    Of a few draws it is the first whose answer is not that of the case's own values, if there is one.
    """
    feeds, outputs = answered
    found: dict[str, tuple[list[Array], list[Array]]] = {}
    for turn in range(1, _TURNS + 1):
        values = other_values(choice, turn)
        others = feeds_of(choice, values)
        if all(same(others[name], array) for name, array in feeds.items()):
            continue
        answers = graph.answers(choice, others, values)
        if answers is None:
            continue
        found.setdefault(_OTHER, ([*others.values()], answers))
        if not all(map(same, answers, outputs)):
            return {_OTHER: ([*others.values()], answers)}
    return found


def _at_other_sizes(choice: Choice, graph: "_Graph") -> dict[str, tuple[list[Array], list[Array]]]:
    """Return a data set at other sizes of the symbolic dimensions; none where there are no others."""
    for changed in others_of(choice):
        values = {name: value_of(changed, name) for name in changed.kinds}
        feeds = feeds_of(changed, values)
        if (answers := graph.answers(changed, feeds, values)) is not None:
            return {_SIZES: ([*feeds.values()], answers)}
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graph:
    """A graph, and who answers it."""

    path: Path
    model: Any
    engine: Engine
    source: _Source

    def answers(self, choice: Choice, feeds: Mapping[str, Array], values: Mapping[str, Array]) -> list[Array] | None:
        """Return the answers to values of the operands; None where there are none."""
        try:
            found = self._asked(choice, feeds, values)
            for declared, value in zip(self.model.graph.output, found, strict=True):
                conform(declared, value)
        except (ValueError, OracleError):
            return None
        return found

    def _asked(self, choice: Choice, feeds: Mapping[str, Array], values: Mapping[str, Array]) -> list[Array]:
        match self.source:
            case _Source.ONNXRUNTIME:
                return infer(self.engine, self.path, list(feeds.values()))
            case _Source.EVALUATOR:
                return Evaluator(self.model).answer(feeds)
            case _Source.FLOAT32:
                return _in_float32(choice, self.path, self.model, self.engine, values)
            case _Source.NONE:
                msg = "nobody answers this graph"
                raise ValueError(msg)


def _in_float32(
    choice: Choice, path: Path, model: Any, engine: Engine, values: Mapping[str, Array] | None = None
) -> list[Array]:
    """Return the answers of ONNX Runtime to the same graph in float32, rounded to the dtype of the outputs.

    Arguments:
        values: of the operands, instead of their ordinary ones.

    Raises:
        ValueError: there is no such graph.
        OracleError: ONNX Runtime has no kernel for it either.
    """
    point = choice.point
    space = Space(point.spec, point.version)
    twin = space.choice({**choice.row, DTYPE: "float32"}) if point.dtype in _WIDENED else None
    if twin is None or twin.kinds != choice.kinds or choice.call.nodes:
        msg = "no such graph"
        raise ValueError(msg)
    values = values or {name: value_of(choice, name) for name in choice.kinds}
    wide = {
        name: value.astype(np.float32) if dtype_name(value.dtype) == point.dtype else value
        for name, value in values.items()
    }
    scratch = path.with_suffix(".float32.onnx")
    scratch.write_bytes(typed(model_of(twin, wide)).SerializeToString())
    try:
        found = infer(engine, scratch, list(feeds_of(twin, wide).values()))
    finally:
        scratch.unlink()
    dtypes = [dtype_of(output.type.tensor_type.elem_type or 1) for output in model.graph.output]
    return [value.astype(numpy_dtype(dtype)) for value, dtype in zip(found, dtypes, strict=True)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    _collect(sys.argv[1], Path(sys.argv[2]), Cache(Path(sys.argv[3])), sys.argv[4:])
