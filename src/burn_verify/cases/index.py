"""The index of a collection: what is known of each case whose model and data were written, by its collector and reader.

Collectors are modules that run as programs of their own; `run_collector` starts one.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from burn_verify.core.case import Case, CaseFacts, Collected, Subject, TensorSpec, Tolerance, facts_of
from burn_verify.core.errors import ToolchainError
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.system.files import read_json, sha256_of
from burn_verify.system.kept import seal, sealed
from burn_verify.system.made_by import MadeBy
from burn_verify.system.process import Commands, stream
from burn_verify.system.wire import Array, encode_named, placed

MADE_BY: Final = MadeBy(
    rooms=("core", "graph", "judge", "system", "reference", "cases"),
    libraries=("onnx", "onnxruntime", "numpy", "ml_dtypes", "allpairspy", "hypothesis"),
)
"""What decides what a collector writes: the key of every collection holds it."""

_FILE: Final = "index.json"
_SEAL: Final = "kept.json"

DataSets = Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
"""Inputs and outputs by name of the set, of any dtype and shape; a word in place of a value that is no array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry(CaseFacts):
    """A case, its model ``<name>.onnx`` and its data ``<name>.safetensors`` beside the index.

    Attributes:
        id: of the case.
        digest: sha256 (hex) of the model.
        data_sets: names of those in the data, which are not there where Burn has no value for some of them.
        note: see `Case`.
    """

    id: str
    name: str
    digest: str
    data_sets: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The cases of a folder.

    Attributes:
        invalid: why onnx refuses a model that was to be one, by id; these have no files.
    """

    entries: tuple[IndexEntry, ...]
    invalid: Mapping[str, str] = field(default_factory=dict)


def write_index(index: Index, folder: Path) -> None:
    """Write an index to where its models and data are already, and seal them all."""
    (folder / _FILE).write_text(json.dumps(asdict(index)), encoding="utf-8")
    seal(folder / _SEAL, sorted(path for path in folder.rglob("*") if path.is_file()))


def has_index(folder: Path) -> bool:
    """Return whether a folder was collected to its end, and is as it was then."""
    return sealed(folder / _SEAL) is not None


def read_index(folder: Path) -> Index | None:
    """Return what `write_index` wrote, None where it did not, or a file of the folder is damaged."""
    data = read_json(folder / _FILE) if has_index(folder) else None
    if data is None:
        return None
    return Index(entries=tuple(map(_entry_from_json, data["entries"])), invalid=data["invalid"])


def cases_of(index: Index, corpus: str, folder: Path) -> tuple[Case, ...]:
    """Return the cases of an index.

    Arguments:
        folder: where it was read.
    """
    return tuple(
        Case(id=entry.id, corpus=corpus, source=_collected(entry, folder), note=entry.note) for entry in index.entries
    )


def written_data(path: Path, data_sets: DataSets, unsupported: str | None = None) -> dict[str, Any]:
    """Write data beside a model, unless Burn has no dtype for some of them; return the fields of `IndexEntry` on both.

    Arguments:
        path: the model, already written.
        unsupported: a dtype that Burn does not have, if one is known already.
    """
    values = [value for pair in data_sets.values() for side in pair for value in side]
    unsupported = unsupported or without_burn_value(values)
    if unsupported is None:
        arrays: dict[str, Array] = {}
        for place, (given, expected) in enumerate(data_sets.values()):
            arrays |= {**placed(place, "in", given), **placed(place, "out", expected)}
        path.with_suffix(".safetensors").write_bytes(encode_named(arrays))
    return {"digest": sha256_of(path), "data_sets": tuple(data_sets), "unsupported": unsupported}


def without_burn_value(values: Iterable[Array | str]) -> str | None:
    """Return the first dtype that Burn does not have, or the word for a value that is no array; else None."""
    words = (value if isinstance(value, str) else dtype_name(value.dtype) for value in values)
    return next((word for word in words if burn_kind(word) is None), None)


def run_collector(
    module: str,
    arguments: Iterable[str],
    folder: Path,
    *,
    on_step: Callable[[str], None],
    failed: str,
    among: Commands | None = None,
) -> None:
    """Run a module of this package as a program.

    Arguments:
        folder: its working directory; has to exist.
        on_step: called with every line that it prints.
        failed: the beginning of the error message; its last line on stderr follows.
        among: commands that this one ends with.

    Raises:
        ToolchainError: it failed.
    """
    stderr: list[str] = []
    argv = [sys.executable, "-m", f"burn_verify.{module}", *arguments]
    code = stream(argv, cwd=folder, env=os.environ, on_stdout=on_step, on_stderr=stderr.append, among=among)
    if code != 0:
        message = f"{failed}: {next(iter(stderr[-1:]), f'exit code {code}')}"
        raise ToolchainError(message)


def _collected(entry: IndexEntry, folder: Path) -> Collected:
    return Collected(
        model=folder / f"{entry.name}.onnx",
        digest=entry.digest,
        # The inputs are kept also where no reference answers: twins can be compared.
        data=None if entry.unsupported else folder / f"{entry.name}.safetensors",
        data_sets=entry.data_sets,
        **facts_of(entry),
    )


def _entry_from_json(data: Mapping[str, Any]) -> IndexEntry:
    subject, tolerance = data["subject"], data["tolerance"]
    rebuilt = {
        **{name: tuple(data[name]) for name in ("op_types", "data_sets", "steady")},
        **{name: tuple(map(_spec_from_json, data[name])) for name in ("inputs", "outputs")},
        "subject": None if subject is None else Subject(**{**subject, "axes": tuple(map(tuple, subject["axes"]))}),
        "tolerance": None if tolerance is None else Tolerance(**tolerance),
    }
    return IndexEntry(**{**data, **rebuilt})


def _spec_from_json(data: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(name=data["name"], dtype=data["dtype"], shape=tuple(data["shape"]))
