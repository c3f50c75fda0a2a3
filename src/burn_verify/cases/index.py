"""What the collectors share: `corpus` and `generating` write models, data and an index, in processes of their own.

Knows no case, and not where they come from.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burn_verify.core.errors import ToolchainError
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.system.files import sha256_of
from burn_verify.system.made_by import MadeBy
from burn_verify.system.process import stream
from burn_verify.system.wire import Array, encode_named, placed

if TYPE_CHECKING:
    from burn_verify.graph.facts import Facts
from burn_verify.core.case import Case, Collected, Subject, TensorSpec, Tolerance

MADE_BY: Final = MadeBy(
    rooms=("core", "graph", "judge", "system", "reference", "cases"),
    libraries=("onnx", "onnxruntime", "numpy", "ml_dtypes", "allpairspy", "hypothesis"),
)
"""What decides what a collector writes: the key of every collection holds it."""


def run_collector(
    module: str, arguments: Iterable[str], folder: Path, *, on_step: Callable[[str], None], failed: str
) -> None:
    """Run a module of this package as a program.

    Arguments:
        folder: an existing one, where it runs.
        on_step: told every line that it prints.
        failed: how the message begins where it fails; its last line on stderr follows.

    Raises:
        ToolchainError: it failed.
    """
    said: list[str] = []
    argv = [sys.executable, "-m", f"burn_verify.{module}", *arguments]
    code = stream(argv, cwd=folder, env=os.environ, on_stdout=on_step, on_stderr=said.append)
    if code != 0:
        message = f"{failed}: {next(iter(said[-1:]), f'exit code {code}')}"
        raise ToolchainError(message)


def index_entry(
    path: Path,
    facts: "Facts",
    data_sets: Mapping[str, tuple[Sequence[Any], Sequence[Any]]],
    unsupported: str | None = None,
) -> dict[str, Any]:
    """Return what every index says of a model; write its data beside it unless Burn has no value for some of them.

    Arguments:
        path: the model, already written.
        data_sets: inputs and outputs by name, of any dtype and shape; a word for what is no array.
        unsupported: a dtype without a value in Burn, where one is known already.
    """
    values = [value for pair in data_sets.values() for side in pair for value in side]
    unsupported = unsupported or without_burn_value(values)
    if unsupported is None:
        arrays: dict[str, Array] = {}
        for place, (given, expected) in enumerate(data_sets.values()):
            arrays |= {**placed(place, "in", given), **placed(place, "out", expected)}
        path.with_suffix(".safetensors").write_bytes(encode_named(arrays))
    return {
        "digest": sha256_of(path),
        "op_types": facts.op_types,
        "opset": facts.opset,
        "inputs": [asdict(spec) for spec in facts.inputs],
        "outputs": [asdict(spec) for spec in facts.outputs],
        "random": facts.random,
        "data_sets": list(data_sets),
        "unsupported": unsupported,
    }


def without_burn_value(values: Iterable[Array | str]) -> str | None:
    """Return the first dtype, or word for what is no array, that Burn has no value for; None where it has all."""
    words = (value if isinstance(value, str) else dtype_name(value.dtype) for value in values)
    return next((word for word in words if burn_kind(word) is None), None)


def case_from_json(entry: Mapping[str, Any], suite: str, folder: Path) -> Case:
    """Return the case of an entry of an index.

    Arguments:
        folder: where the model and the data of the suite lie.
    """
    return Case(id=f"{suite}/{entry['name']}", corpus=suite, source=collected_from_json(entry, folder))


def collected_from_json(entry: Mapping[str, Any], folder: Path) -> Collected:
    """Return the source of an entry of an index, whatever the corpus."""
    name, refused = entry["name"], entry.get("refused")
    # Where no reference answers, what a graph is fed is kept all the same: twins can be compared.
    subject = entry["subject"]
    return Collected(
        model=folder / f"{name}.onnx",
        digest=entry["digest"],
        op_types=tuple(entry["op_types"]),
        opset=entry["opset"],
        inputs=tuple(_spec(spec) for spec in entry["inputs"]),
        outputs=tuple(_spec(spec) for spec in entry["outputs"]),
        data=None if entry["unsupported"] else folder / f"{name}.safetensors",
        data_sets=tuple(entry["data_sets"]),
        subject=None if subject is None else subject_from_json(subject),
        random=entry["random"],
        tolerance=Tolerance(rtol=entry["rtol"], atol=entry["atol"]) if "rtol" in entry else None,
        unsupported=entry["unsupported"],
        answered=entry.get("answered", False),
        evaluated=entry.get("evaluated", False),
        refused=refused,
        twin=entry.get("twin"),
    )


def subject_from_json(subject: Mapping[str, Any]) -> Subject:
    """Return the subject of an entry of an index."""
    axes = tuple((str(axis), str(value)) for axis, value in subject.get("axes", ()))
    return Subject(**{**subject, "axes": axes})


def _spec(spec: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(name=spec["name"], dtype=spec["dtype"], shape=tuple(spec["shape"]))
