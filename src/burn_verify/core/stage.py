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


class FailureKind(StrEnum):
    """What ended a case that failed, whatever its stage."""

    REFUSED = "refused"
    """Somebody said no, in words: burn-onnx, rustc, ONNX Runtime, or our own reading of the model."""
    NO_VALUE = "no value"
    """Burn has no tensor for what the case is fed or answers."""
    DEVICE = "device"
    """The device lacks a dtype that the model needs, and others of its kind have; nothing was run."""
    NO_REFERENCE = "no reference"
    """No program answers this graph."""
    PANIC = "panic"
    ERROR = "error"
    """The compiled model returned an error instead of an answer."""
    EXITED = "exited"
    """A process ended by itself."""
    KILLED = "killed"
    """A process was ended by a signal that its own doing raised."""
    PROTOCOL = "protocol"
    """A process answered what cannot be understood."""
    MISMATCH = "mismatch"
    """An answer came, and it is not the expected one."""
    BUDGET = "budget"
    """A limit was exceeded that the user set for this very purpose."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CLOSED = "closed"
    """The run ended while the case was in flight."""
    ENDED_FROM_OUTSIDE = "ended from outside"
    """A process was ended by a signal that somebody else sent."""
    NOT_STARTED = "not started"
    """A process could not be started, or died too often to be started again."""
    MACHINE = "machine"
    """A file is missing, damaged or could not be fetched."""
    INTERNAL = "internal error"
    """This program failed, not the model."""
    NO_RESULT = "no result"
    """The test ended without handing over a result."""

    @property
    def how(self) -> str:
        """How a process ended, as ``details["how"]`` of a record says it."""
        return {FailureKind.ENDED_FROM_OUTSIDE: "killed", FailureKind.NOT_STARTED: "exited"}.get(self, self.value)


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
    """A case whose model is a file that was read.

    Attributes:
        model: the ``.onnx`` file; external data lies in the same folder or below.
        digest: sha256 (hex) over the model and its external data: the key of every later cache.
        stored: data sets stored with the model, with expected outputs.
        seeded: whether inputs are drawn as well; the engine of the reference answers them.
        given: a safetensors file in the layout of a `Reference`, whose inputs are fed as well; the engine answers them.
        advice: what of the model burn-onnx is known to stumble over, in a sentence each.
    """

    case: Case
    model: Path
    digest: str
    stored: tuple[StoredData, ...] = ()
    seeded: bool = True
    given: Path | None = None
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The inputs of a model and its expected outputs.

    Attributes:
        path: a safetensors file, read with `burn_verify.reference.oracle.read`; it holds every data set.
        data_sets: their names: ``seeded``, then the stored ones.
        seconds: wall time of the reference, 0.0 when it came from the cache.
        measures: a safetensors file written by `burn_verify.reference.measure`; None before that.
    """

    path: Path
    data_sets: tuple[str, ...]
    seconds: float
    measures: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedModel:
    """Rust and weights made by burn-onnx.

    Attributes:
        label: the case it was first made for, for messages.
        module: name of the Rust module, unique to the generated text.
        rust: the generated ``.rs`` file.
        weights: the ``.bpk`` file beside it.
        seconds: wall time of the conversion, 0.0 when it came from the cache.
        inputs, outputs: how many values it takes and gives.
    """

    label: str
    module: str
    rust: Path
    weights: Path
    seconds: float
    inputs: int = 0
    outputs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerBinary:
    """A compiled runner and the names of the modules in it."""

    path: Path
    modules: frozenset[str]
