"""Generated graphs, made once for their declarations and kept as files.

`Generated` is this side; run as a module, this file is the collector, in processes of their own: it makes models, has
them checked and answered, and writes an index an operator. It decides nothing about which graphs there are (see
`cases.generated`), and converts none.
"""

import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cache import Cache, digest_of, prune, read_json, sha256_of
from burn_verify.cases import generated
from burn_verify.cases.conformance import collected_from_json
from burn_verify.cases.generated.build import CORPUS, Choice, Space, feeds_of, model_of, value_of
from burn_verify.cases.generated.graphs import PROFILES, choices
from burn_verify.cases.generated.record import Record
from burn_verify.cases.generated.registry import family_of, operators, qualified, records, versions_of
from burn_verify.cases.generated.twins import at_run_time, expanded
from burn_verify.errors import OracleError, ToolchainError, UsageError
from burn_verify.inputs import SEEDED
from burn_verify.process import stream
from burn_verify.progress import Listener, Progress, silent
from burn_verify.reference import Oracle
from burn_verify.schema import burn_kind, dtype_name
from burn_verify.types import Case
from burn_verify.wire import Array, encode_named, placed

ALL: Final = "all"
"""The name that means every operator."""

_HERE: Final = Path(__file__).parent
_PHASE: Final = "generate"
_TIMEOUT: Final = 60.0
_KEPT: Final = 3
_DAY: Final = 24 * 3600.0
_UNTRUSTED: Final = frozenset(
    {
        "BatchNormalization",
        "Dropout",
        "GRU",
        "GlobalMaxPool",
        "Hardmax",
        "LRN",
        "LSTM",
        "LogSoftmax",
        "Loop",
        "LpNormalization",
        "LpPool",
        "Normalizer",
        "OneHotEncoder",
        "Optional",
        "OptionalGetElement",
        "RNN",
        "RoiAlign",
        "Softmax",
    }
)
"""Operators of which onnx's reference evaluator answers otherwise than ONNX Runtime to graphs that both run: it knows
one version of some, sums over the batch in others, or leaves attributes out."""

_NO_KERNEL: Final = "answers of onnx.reference, as ONNX Runtime refuses the graph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What names mean: operators, and the ids of single cases of theirs; all cases where there are none."""

    operators: tuple[str, ...]
    ids: frozenset[str] = frozenset()


def wanted(names: Iterable[str]) -> Wanted:
    """Return the operators that names mean, each once, sorted; ``all`` means those that have graphs.

    An id, with or without ``op/``, means one case. Its commas were taken for those between names: what follows a name
    and holds an equals sign is the rest of an id.

    Raises:
        UsageError: a name is no operator's, or the operator has no generated graphs.
    """
    known = {name.lower(): name for name in records()}
    whole: list[str] = []
    for name in names:
        if whole and "=" in name and "/" not in name:
            whole[-1] += f",{name}"
        else:
            whole.append(name.removeprefix(f"{CORPUS}/"))
    found: set[str] = set()
    ids: set[str] = set()
    for name in whole:
        operator = name.partition("/")[0].rpartition("-")[0] if "/" in name else name
        if operator.lower() == ALL:
            found.update(known.values())
        elif operator.lower() in known:
            found.add(known[operator.lower()])
        else:
            why = "burn-verify ops list shows every operator, and why some have no graphs"
            message = f"--ops: no generated graphs for {name!r}: {why}"
            raise UsageError(message)
        ids.update([f"{CORPUS}/{name}"] if "/" in name else [])
    return Wanted(operators=tuple(sorted(found)), ids=frozenset(ids))


class Generated:
    """The generated cases of operators.

    Arguments:
        listen: told of every step where graphs have to be made first.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen
        self._done = 0

    def choose(self, names: Iterable[str], profile: str) -> tuple[Case, ...]:
        """Return the cases that names mean; single ones are looked for in every profile.

        Raises:
            UsageError: a name means nothing.
            ToolchainError: they could not be made.
        """
        meant = wanted(names)
        if not meant.ids:
            return self.cases(meant.operators, profile)
        found: dict[str, Case] = {}
        for wider in PROFILES[PROFILES.index(profile) :]:
            found |= {case.id: case for case in self.cases(meant.operators, wider) if case.id in meant.ids}
            if len(found) == len(meant.ids):
                return tuple(found.values())
        message = f"--ops: no generated graph is called {min(meant.ids - found.keys())!r}: try burn-verify ops list"
        raise UsageError(message)

    def cases(self, names: Sequence[str], profile: str) -> tuple[Case, ...]:
        """Return the cases of operators in a profile; make them where that was never done.

        Raises:
            ToolchainError: they could not be made.
        """
        root = self._root(profile)
        if any(not (root / name / "index.json").is_file() for name in names):
            root.mkdir(parents=True, exist_ok=True)
            with self._cache.lock(f"generated-{profile}", self._waiting):
                self._make([name for name in names if not (root / name / "index.json").is_file()], profile, root)
        return tuple(
            case
            for name in names
            for entry in read_json(root / name / "index.json") or ()
            if (case := _case(entry, root / name)) is not None
        )

    def dropped(self, names: Sequence[str], profile: str) -> Mapping[str, str]:
        """Return the graphs that onnx's checker or shape inference refused, and why: defects of our declarations."""
        root = self._root(profile)
        entries = (entry for name in names for entry in read_json(root / name / "index.json") or ())
        return {entry["id"]: entry["invalid"] for entry in entries if entry["invalid"]}

    def _root(self, profile: str) -> Path:
        return self._cache.room("generated") / _key() / profile

    def _make(self, names: Sequence[str], profile: str, root: Path) -> None:
        self._done = 0
        self._listen(Progress(phase=_PHASE, done=0, total=len(names), text=f"graphs of {len(names)} operators"))
        scratch = root / f".new.{os.getpid()}"
        processes = min(os.cpu_count() or 1, len(names) or 1)
        try:
            with ThreadPoolExecutor(max(1, processes)) as several:
                parts = [names[place::processes] for place in range(processes)]
                list(several.map(lambda part: self._make_part(part, profile, scratch, len(names)), parts))
            for name in names:
                shutil.rmtree(root / name, ignore_errors=True)
                (scratch / name).replace(root / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        prune(self._cache.room("generated"), keep=_KEPT, young=_DAY)

    def _make_part(self, names: Sequence[str], profile: str, scratch: Path, total: int) -> None:
        said: list[str] = []

        def on_step(line: str) -> None:
            self._done += 1
            self._listen(Progress(phase=_PHASE, done=self._done, total=total, text=line))

        scratch.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "burn_verify.generation", profile, str(scratch), str(self._cache.root), *names]
        code = stream(argv, cwd=scratch, env=os.environ, on_stdout=on_step, on_stderr=said.append)
        if code != 0:
            message = f"generated graphs could not be made: {next(iter(said[-1:]), f'exit code {code}')}"
            raise ToolchainError(message)

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text))


def _key() -> str:
    sources = sorted([*Path(generated.__file__).parent.rglob("*.py"), _HERE / "generation.py", _HERE / "operators.py"])
    installed = (version(name) for name in ("onnx", "numpy", "ml_dtypes", "onnxruntime", "allpairspy"))
    return digest_of(*installed, *(sha256_of(path) for path in sources))[:16]


def _case(entry: Mapping[str, Any], folder: Path) -> Case | None:
    if entry["invalid"]:
        return None
    return Case(id=entry["id"], corpus=CORPUS, source=collected_from_json(entry, folder), note=entry["note"])


# ── the collector ────────────────────────────────────────────────────────────────────────────────────────────────────


def _collect(profile: str, scratch: Path, cache: Cache, names: Sequence[str]) -> None:
    """Write the graphs of operators, each with its index last."""
    wanted = PROFILES[: PROFILES.index(profile) + 1]
    known = {qualified(operator.op_type, operator.domain): operator for operator in operators()}
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
    from burn_verify import graphs

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
    unsupported = _without_value([*feeds.values()]) or _dtype_without_value(choice)
    outputs, note, refused = _answers(path, model, feeds, oracle, unsupported)
    try:
        _finish(model, outputs)
    except Exception as error:  # the same
        return {**entry, "invalid": _one_line(error)}
    path.write_bytes(model.SerializeToString())
    unsupported = unsupported or _without_value(outputs)
    if unsupported is None:
        data = {**placed(0, "in", list(feeds.values())), **placed(0, "out", outputs)}
        (folder / f"{name}.safetensors").write_bytes(encode_named(data))
    found = graphs.facts(model, feeds)
    record, point = choice.point.record, choice.point
    return {
        **entry,
        "note": note,
        "refused": refused,
        "digest": sha256_of(path),
        "op_types": found.op_types,
        "opset": found.opset,
        "inputs": [asdict(spec) for spec in found.inputs],
        "outputs": [asdict(spec) for spec in found.outputs],
        "subject": {
            "op_type": record.op_type,
            "domain": record.domain,
            "since_version": point.version,
            "dtype": point.dtype,
            "axes": axes,
        },
        "random": found.random,
        "data_sets": [SEEDED],
        "unsupported": unsupported,
        "answered": True,
        "evaluated": note is not None,
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

    from burn_verify.schema import elem_type_of

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
    path: Path, model: Any, feeds: Mapping[str, Array], oracle: Oracle, unsupported: str | None
) -> tuple[list[Array], str | None, str | None]:
    """Return the answers of ONNX Runtime, else of onnx's reference evaluator; a note; and why there are none."""
    refusal = ""
    if unsupported is None:
        try:
            return oracle.infer(path, list(feeds.values())), None, None
        except OracleError as error:
            refusal = error.message
    if untrusted := sorted({node.op_type for node in model.graph.node} & _UNTRUSTED):
        return [], None, _one_line(f"{refusal}; onnx.reference is not trusted with {', '.join(untrusted)}")
    try:
        from onnx.reference import ReferenceEvaluator

        found = [np.asarray(value) for value in _tensors(ReferenceEvaluator(model).run(None, dict(feeds)))]
        _conform(model, found)
    except Exception as error:  # whatever it raises is the answer
        return [], None, _one_line(f"{refusal}; onnx.reference: {type(error).__name__}: {error}".removeprefix("; "))
    return found, _NO_KERNEL, None


def _tensors(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if not isinstance(value, np.ndarray | np.generic):
            msg = f"an answer is a {type(value).__name__}, which is no tensor"
            raise TypeError(msg)
        yield value


def _conform(model: Any, outputs: Sequence[Array]) -> None:
    """Check answers against the types that shape inference gave the outputs.

    Raises:
        ValueError: dtype, rank or a size is another: the evaluator's answer is not to be trusted.
    """
    from burn_verify.schema import dtype_of

    for declared, value in zip(model.graph.output, outputs, strict=True):
        tensor = declared.type.tensor_type
        dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
        fits = not tensor.elem_type or dtype_name(value.dtype) == dtype_of(tensor.elem_type)
        if tensor.HasField("shape"):
            fits = fits and len(dims) == value.ndim
            fits = fits and all(dim in (None, size) for dim, size in zip(dims, value.shape, strict=False))
        if not fits:
            msg = f"{declared.name} is {dtype_name(value.dtype)}{list(value.shape)}, which is not what is declared"
            raise ValueError(msg)


def _dtype_without_value(choice: Choice) -> str | None:
    return None if burn_kind(choice.point.dtype) else choice.point.dtype


def _without_value(arrays: Iterable[Array]) -> str | None:
    return next((word for array in arrays if burn_kind(word := dtype_name(array.dtype)) is None), None)


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:400]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    _collect(sys.argv[1], Path(sys.argv[2]), Cache(Path(sys.argv[3])), sys.argv[4:])
