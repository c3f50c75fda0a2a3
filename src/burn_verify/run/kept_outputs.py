"""Answers that a user keeps: one safetensors file for each case and data set, readable without this program.

A tensor is called ``inputs/NAME``, ``burn/NAME`` or ``reference/NAME``; the metadata say which model, which versions,
and the order of the names. Compares nothing.
"""

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from burn_verify import __version__
from burn_verify.core.errors import ToolchainError, UsageError
from burn_verify.core.target import Target
from burn_verify.reference import oracle
from burn_verify.reference.data_set import DataSet
from burn_verify.run.results import Verified
from burn_verify.run.steps import Ready
from burn_verify.system.files import digest_of, write_if_changed
from burn_verify.system.wire import Array, decode_named, decode_notes, encode_named

FORMAT: Final = "burn-verify outputs 1"
"""Value of ``format`` in the metadata."""
BURN: Final = "burn"
REFERENCE: Final = "reference"
INPUTS: Final = "inputs"

_SUFFIX: Final = ".safetensors"
_LENGTH: Final = struct.Struct("<Q")
_LONGEST_HEADER: Final = 100_000_000
_UNFIT: Final = re.compile(r"[^\w.@+#=-]")
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The answers of one case to one data set, as they were kept.

    Attributes:
        notes: the metadata of the file.
    """

    path: Path
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def case(self) -> str:
        """The id of the case."""
        return self.notes["case"]

    @property
    def data_set(self) -> str:
        """The name of the data set."""
        return self.notes["data_set"]

    def arrays(self, group: str) -> dict[str, Array]:
        """Return the arrays of a group, by name and in the order of the graph; empty where there are none.

        Raises:
            UsageError: the file is gone or damaged.
        """
        try:
            named = decode_named(self.path.read_bytes())
        except (OSError, ValueError) as error:
            raise _damaged(self.path, error) from error
        names = json.loads(self.notes["inputs" if group == INPUTS else "outputs"])
        return {name: named[f"{group}/{name}"] for name in names if f"{group}/{name}" in named}


def make(folder: Path) -> None:
    """Make the folder for kept answers.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--keep-outputs {folder}: the folder cannot be made: {error.strerror or error}"
        raise UsageError(message) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Writes the answers of one case on one target below a folder.

    Attributes:
        test_id: the id of the case, and of its target where there are several.
        engine: name and version of what computes the reference.
    """

    folder: Path
    ready: Ready
    test_id: str
    engine: str

    def sample(self, name: str, data: DataSet, outputs: Sequence[Array], stored: bool) -> None:
        """Write one sample of a user's data, as soon as Burn has answered it; see `burn_verify.run.samples.Watch`.

        Raises:
            ToolchainError: it cannot be written.
        """
        self._write(name, data, outputs, stored, {"stage": "run"})

    def case(self, verified: Verified) -> None:
        """Write the inputs and outputs of the case, a file for each data set; where Burn has no answer, without it.

        Raises:
            OracleError: the reference is gone or damaged.
            ToolchainError: a file cannot be written.
        """
        ended = {"stage": verified.result.stage.value, "outcome": verified.result.outcome.value}
        for name, data in oracle.read(self.ready.reference).data_sets.items():
            fed = self.ready.prepared.is_fed(name)
            self._write(name, data, verified.outputs.get(name, ()), not fed, ended)

    def _write(
        self, data_set: str, data: DataSet, outputs: Sequence[Array], stored: bool, ended: Mapping[str, str]
    ) -> None:
        prepared = self.ready.prepared
        inputs, names = ([spec.name for spec in specs] for specs in (prepared.inputs, prepared.outputs))
        arrays = {
            **_group(INPUTS, inputs, data.inputs),
            **_group(BURN, names, outputs),
            **_group(REFERENCE, names, data.desired),
        }
        about = {
            "format": FORMAT,
            "case": self.test_id,
            "data_set": data_set,
            "model": prepared.model.name,
            "model_sha256": prepared.digest,
            "reference": "stored" if stored else self.engine,
            "random": json.dumps(prepared.random),
            "steady": json.dumps(prepared.steady),
            "inputs": json.dumps(inputs),
            "outputs": json.dumps(names),
            "burn_verify": __version__,
            **ended,
            **_of_target(self.ready.built.target),
        }
        try:
            write_if_changed(self.folder / place_of(self.test_id, data_set), encode_named(arrays, about))
        except OSError as error:
            message = (
                f"--keep-outputs {self.folder}: {self.test_id}, {data_set} cannot be written: {error.strerror or error}"
            )
            raise ToolchainError(message) from error


def place_of(test_id: str, data_set: str) -> Path:
    """Return the path of a file below the folder that keeps it."""
    return Path(*(_fit(part) for part in test_id.split("/")), f"{_fit(data_set)}{_SUFFIX}")


def kept_in(folder: Path) -> tuple[Kept, ...]:
    """Return what is kept in a folder and below, in the order of the paths; other files are passed over.

    Raises:
        UsageError: the folder holds no kept answers, or cannot be read.
    """
    try:
        found = tuple(kept for path in sorted(folder.rglob(f"*{_SUFFIX}")) if (kept := _kept(path)))
    except OSError as error:
        message = f"{folder}: cannot be read: {error.strerror or error}"
        raise UsageError(message) from error
    if not found:
        message = (
            f"{folder}: holds no answers that were kept: burn-verify verify MODEL --keep-outputs DIR writes them, "
            "and a model is named by its .onnx file"
        )
        raise UsageError(message)
    return found


def _kept(path: Path) -> Kept | None:
    notes = _notes(path)
    if notes.get("format") != FORMAT:
        return None
    kept = Kept(path=path, notes=notes)
    try:
        names = [json.loads(notes[key]) for key in ("inputs", "outputs")]
        whole = bool(kept.case) and all(isinstance(name, str) for some in names for name in some)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    return kept if whole else None


def _notes(path: Path) -> dict[str, str]:
    """Return the metadata of a file without reading its arrays; empty where it is not safetensors."""
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        size = int.from_bytes(start, "little")
        if len(start) < _LENGTH.size or size > _LONGEST_HEADER:
            return {}
        try:
            return decode_notes(start + file.read(size))
        except (ValueError, AttributeError, RecursionError):
            return {}


def _group(group: str, names: Sequence[str], arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"{group}/{name}": array for name, array in zip(names, arrays, strict=False)}


def _of_target(target: Target) -> dict[str, str]:
    return {
        "target": target.name,
        "burn": target.version,
        "burn_onnx": target.burn_onnx,
        "backend": target.backend,
        "simplify": json.dumps(target.simplify),
        "partition": json.dumps(target.partition),
    }


def _fit(name: str) -> str:
    """Return a name that every file system takes; names that differ stay different."""
    fit = _UNFIT.sub("_", name)[:_LONGEST_NAME]
    return fit if fit == name and fit.strip(".") else f"{fit.strip('.')}-{digest_of(name)[:8]}"


def _damaged(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path}: kept answers that cannot be read: {error}")
