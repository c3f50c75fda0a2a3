"""The stages a case passes, and the immutable product of each. Data only."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from burn_verify.core.case import Case, CaseFacts


class Stage(StrEnum):
    """The place where a case ended, in the order in which the report looks for it.

    Conversion and compilation do not need the reference, so a refusal by Burn is reported as such even where
    ONNX Runtime cannot run the model either.
    """

    LOAD = "load"
    CONVERT = "convert"
    COMPILE = "compile"
    REFERENCE = "reference"
    RUN = "run"
    COMPARE = "compare"


class Outcome(StrEnum):
    """How a case ended. Where it ended is another field: see `Stage`."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFiles:
    """One stored data set of a model: ``.pb`` files (serialised TensorProto) in the order of the graph."""

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArrays:
    """One stored data set of a model: arrays of a safetensors file in the layout of a `Reference`, by their place."""

    name: str
    path: Path
    place: int


StoredData: TypeAlias = StoredFiles | StoredArrays


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCase(CaseFacts):
    """A case whose model is a file that was read and understood.

    Attributes:
        model: the ``.onnx`` file; external data lies in the same folder or below.
        digest: sha256 (hex) over the model and its external data: the key of every later cache.
        stored: what somebody stored as the right answers.
        seeded: whether to draw inputs as well, which ONNX Runtime answers.
    """

    case: Case
    model: Path
    digest: str
    stored: tuple[StoredData, ...] = ()
    seeded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a model is fed and what it is expected to answer.

    Attributes:
        path: a safetensors file, read with `burn_verify.reference.oracle.read`; it holds every data set.
        data_sets: their names: ``seeded``, then the stored ones.
        seconds: wall time of the reference, 0.0 when it came from the cache.
        measures: a safetensors file with what `burn_verify.reference.measure` found out; None before it was asked.
    """

    path: Path
    data_sets: tuple[str, ...]
    seconds: float
    measures: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedModel:
    """Rust and weights made by burn-onnx.

    Attributes:
        label: the case it was first made for, to show to people.
        module: name of the Rust module, unique to the generated text.
        rust: the generated ``.rs`` file.
        weights: the ``.bpk`` file beside it.
        seconds: wall time of the conversion, 0.0 when it came from the cache.
    """

    label: str
    module: str
    rust: Path
    weights: Path
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerBinary:
    """A compiled runner and the names of the modules in it."""

    path: Path
    modules: frozenset[str]
