"""The collector of generated graphs, run as a module in processes of its own: see `generation`.

Makes models, has them checked and answered, and writes an index an operator. It decides nothing about which graphs
there are (see `cases.generated`), and converts none.
"""

import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.build import Choice, Space, feeds_of, model_of, value_of
from burn_verify.cases.generated.evaluator import Evaluator
from burn_verify.cases.generated.operator_spec import DTYPE, Record
from burn_verify.cases.generated.profiles import PROFILES, choices
from burn_verify.cases.generated.registry import family_of, operators, records, versions_of
from burn_verify.cases.generated.twins import at_run_time, expanded
from burn_verify.cases.index import index_entry, without_burn_value
from burn_verify.core.errors import OracleError
from burn_verify.graph.dtypes import dtype_name, dtype_of, numpy_dtype
from burn_verify.graph.operators import qualified
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.oracle import Oracle
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

_TIMEOUT: Final = 60.0
_WIDENED: Final = frozenset({"bfloat16", "float16", "float64"})
_OF_FLOAT32: Final = {"rtol": 1e-4, "atol": 1e-5}
"""What float32 may have lost, where the answer should be one of float64."""


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
    wanted = PROFILES[: PROFILES.index(profile) + 1]
    known = {operator.name: operator for operator in operators()}
    oracle = Oracle(cache, _TIMEOUT)
    try:
        for name in names:
            record = records()[name]
            versions = [since for since in versions_of(known[name]) if since >= record.since]
            folder = scratch / name
            folder.mkdir(parents=True, exist_ok=True)
            found = [choice for choice, smallest in choices(record, versions) if smallest in wanted]
            index = [
                entry for place, choice in enumerate(found) for entry in _kept(choice, place, folder, oracle, profile)
            ]
            _marry(index, found, record)
            (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
            print(f"{name}: {len(index)} graphs", flush=True)
    finally:
        oracle.close()


def _kept(choice: Choice, place: int, folder: Path, oracle: Oracle, profile: str) -> Iterator[dict[str, Any]]:
    """Write a graph and, beyond the profile ``quick``, the function that defines it; yield their entries."""
    entry = _keep(choice, f"{place:04d}", folder, oracle)
    yield entry
    if profile == PROFILES[0] or entry["invalid"] or dict(choice.row) != dict(choice.default):
        return
    twin = _keep(choice, f"{place:04d}x", folder, oracle, inlined=True)
    if not twin["invalid"]:
        entry["twin"] = twin["id"]
        yield twin


def _marry(index: Sequence[dict[str, Any]], found: Sequence[Choice], record: Record) -> None:
    """Note in entries the graph whose operands all arrive at run time, where there is one."""
    known = {entry["id"] for entry in index if not entry["invalid"]}
    spaces = {choice.point.version: Space(record, choice.point.version) for choice in found}
    by_id = {choice.id: choice for choice in found}
    for entry in index:
        choice = by_id.get(entry["id"])
        if choice is not None and entry["twin"] is None:
            twin = at_run_time(spaces[choice.point.version], choice)
            entry["twin"] = twin.id if twin is not None and twin.id in known else None


def _keep(choice: Choice, name: str, folder: Path, oracle: Oracle, *, inlined: bool = False) -> dict[str, Any]:
    """Write the model and the data of a graph, and return its entry in the index.

    Arguments:
        inlined: the function that defines the operator instead of the operator.
    """
    from burn_verify.graph import facts

    path = folder / f"{name}.onnx"
    values = {operand: value_of(choice, operand) for operand in choice.kinds}
    feeds = feeds_of(choice, values)
    axes = [*choice.labels, *([("twin", "expanded")] if inlined else [])]
    made = (
        f"{choice.id.removesuffix('/default')}{',' if '=' in choice.id else '/'}twin=expanded" if inlined else choice.id
    )
    entry: dict[str, Any] = {"id": made, "name": name, "invalid": None, "note": None, "refused": None, "twin": None}
    try:
        model = _typed(model_of(choice))
        if inlined:
            model = _inlined(choice, model)
    except Exception as error:  # whatever onnx raises is why this is no valid graph
        return {**entry, "invalid": _one_line(error)}
    path.write_bytes(model.SerializeToString())
    unsupported = without_burn_value([*feeds.values(), choice.point.dtype])
    outputs, source, refused = _answers(choice, path, model, feeds, oracle, unsupported)
    try:
        _finish(model, outputs)
    except Exception as error:  # the same
        return {**entry, "invalid": _one_line(error)}
    path.write_bytes(model.SerializeToString())
    found = facts.facts(model, feeds)
    record, point = choice.point.record, choice.point
    return {
        **entry,
        **index_entry(path, found, {SEEDED: ([*feeds.values()], outputs)}, unsupported),
        "note": _NOTES[source],
        "refused": refused,
        "subject": {
            "op_type": record.op_type,
            "domain": record.domain,
            "since_version": point.version,
            "dtype": point.dtype,
            "axes": axes,
        },
        "answered": True,
        "evaluated": source is _Source.EVALUATOR,
        **(_OF_FLOAT32 if source is _Source.FLOAT32 and point.dtype == "float64" else {}),
        "family": family_of(qualified(record.op_type, record.domain)),
    }


def _typed(model: Any) -> Any:
    """Return a model whose outputs have the types that strict shape inference finds, as far as it finds any."""
    from onnx import shape_inference

    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    for place, output in enumerate(inferred.graph.output):
        model.graph.output[place].CopyFrom(output)
    return model


def _inlined(choice: Choice, model: Any) -> Any:
    """Return the model with the operator replaced by its function.

    Raises:
        ValueError: it has none.
    """
    twin = expanded(choice, model)
    if twin is None:
        msg = "the operator is defined by no function"
        raise ValueError(msg)
    return _typed(twin)


def _finish(model: Any, outputs: Sequence[Array]) -> None:
    """Give outputs whose type could not be inferred the dtype and rank of the answer, and check the model whole.

    Raises:
        ValueError: an output has no type, and nothing answered.
    """
    import onnx
    from onnx import helper

    from burn_verify.graph.dtypes import elem_type_of

    for place, output in enumerate(model.graph.output):
        tensor = output.type.tensor_type
        if not tensor.elem_type or not tensor.HasField("shape"):
            if len(outputs) <= place:
                msg = f"output {output.name} has no type, and no reference answers"
                raise ValueError(msg)
            answer = outputs[place]
            dims = [None] * answer.ndim
            elem_type = elem_type_of(dtype_name(answer.dtype))
            output.CopyFrom(helper.make_tensor_value_info(output.name, elem_type, dims))
    onnx.checker.check_model(model, full_check=True)


def _answers(
    choice: Choice, path: Path, model: Any, feeds: Mapping[str, Array], oracle: Oracle, unsupported: str | None
) -> tuple[list[Array], _Source, str | None]:
    """Return answers, whose they are, and why there are none."""
    refusal = ""
    if unsupported is None:
        try:
            return oracle.infer(path, list(feeds.values())), _Source.ONNXRUNTIME, None
        except OracleError as error:
            refusal = f"{error.message}; "
    try:
        return Evaluator(model).answer(feeds), _Source.EVALUATOR, None
    except ValueError as error:
        refusal += str(error)
    try:
        return _in_float32(choice, path, model, oracle), _Source.FLOAT32, None
    except (ValueError, OracleError) as error:
        return [], _Source.NONE, _one_line(f"{refusal}; in float32: {error}")


def _in_float32(choice: Choice, path: Path, model: Any, oracle: Oracle) -> list[Array]:
    """Return the answers of ONNX Runtime to the same graph in float32, rounded to the dtype of the outputs.

    Raises:
        ValueError: there is no such graph.
        OracleError: ONNX Runtime has no kernel for it either.
    """
    point = choice.point
    space = Space(point.record, point.version)
    twin = space.choice({**choice.row, DTYPE: "float32"}) if point.dtype in _WIDENED else None
    if twin is None or twin.kinds != choice.kinds or choice.call.nodes:
        msg = "no such graph"
        raise ValueError(msg)
    values = {name: value_of(choice, name) for name in choice.kinds}
    wide = {
        name: value.astype(np.float32) if dtype_name(value.dtype) == point.dtype else value
        for name, value in values.items()
    }
    scratch = path.with_suffix(".float32.onnx")
    scratch.write_bytes(_typed(model_of(twin, wide)).SerializeToString())
    try:
        found = oracle.infer(scratch, list(feeds_of(twin, wide).values()))
    finally:
        scratch.unlink()
    dtypes = [dtype_of(output.type.tensor_type.elem_type or 1) for output in model.graph.output]
    return [value.astype(numpy_dtype(dtype)) for value, dtype in zip(found, dtypes, strict=True)]


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:400]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    _collect(sys.argv[1], Path(sys.argv[2]), Cache(Path(sys.argv[3])), sys.argv[4:])
