"""The stages a case passes, and the immutable product of each. Data only."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from burn_verify.core.case import Case, CaseFacts, Hints
from burn_verify.core.ways import BURNPACK, FILE, FULL


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
    NOT_SERVABLE = "not servable"
    """A server cannot be asked for this, or cannot say the answer: JSON has no NaN. It says nothing of the numbers."""
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
    USAGE = "usage"
    """What the user said about the model is wrong: a description, an option, or data to feed."""
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
class DrawnData:
    """A data set whose inputs are drawn, and whose outputs the engine of the reference computes.

    Attributes:
        name: decides the values too.
        hints: None for those of the case.
        sizes: of the dimensions that vary from one data set of the case to another, by name.
        vary: whether a dimension with one hinted size is verified at another one too.
    """

    name: str = "seeded"
    hints: Hints | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    vary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenData:
    """A data set whose inputs are given, and whose outputs the engine of the reference computes.

    Attributes:
        path: a safetensors file in the layout of a `Reference`.
        place: of the data set in that file.
    """

    path: Path
    name: str = "given"
    place: int = 0


FedData: TypeAlias = DrawnData | GivenData


@dataclass(frozen=True, slots=True, kw_only=True)
class VariedData:
    """Data sets with the shapes and dtypes of a stored one and other values, where the engine confirms the stored one.

    Attributes:
        like: name of the stored data set.
        names: of the data sets, a kind of values each; see `burn_verify.reference.varied`.
    """

    like: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCase(CaseFacts):
    """A case whose model is a file that was read.

    Attributes:
        model: the ``.onnx`` file; external data lies in the same folder or below.
        digest: sha256 (hex) over the model and its external data: the key of every later cache.
        stored: data sets stored with the model, with expected outputs.
        fed: data sets without expected outputs, which the engine of the reference computes; they come first.
        samples: how many samples of the user's own there are; the first is one of `fed` or `stored`, the others are
            read when they are run.
        varied: further data sets without expected outputs, which come last; None for none.
        advice: what of the model burn-onnx is known to stumble over, in a sentence each.
    """

    case: Case
    model: Path
    digest: str
    stored: tuple[StoredData, ...] = ()
    fed: tuple[FedData, ...] = (DrawnData(),)
    samples: int = 0
    varied: VariedData | None = None
    advice: tuple[str, ...] = ()

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Names of all data sets, in their order."""
        own = tuple(one.name for one in (*self.fed, *self.stored))
        return own if self.varied is None else (*own, *self.varied.names)

    def hints_of(self, drawn: DrawnData) -> Hints:
        """Return the hints with which a data set is drawn: its own, else those of the case."""
        return self.case.hints if drawn.hints is None else drawn.hints

    def is_fed(self, data_set: str) -> bool:
        """Return whether an engine computes the expected outputs of a data set in this run."""
        return not self.answered and (any(one.name == data_set for one in self.fed) or self.is_varied(data_set))

    def is_varied(self, data_set: str) -> bool:
        """Return whether a data set has other values than a stored one."""
        return self.varied is not None and data_set in self.varied.names

    def is_stored(self, data_set: str) -> bool:
        """Return whether the expected outputs of a data set are stored, not computed by a program."""
        return not self.answered and any(one.name == data_set for one in self.stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The inputs of a model and its expected outputs.

    Attributes:
        path: a safetensors file, read with `burn_verify.reference.oracle.read`; it holds every data set.
        data_sets: names of all that were asked, in their order; the engine may have refused some that are fed
            or varied.
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
        weights: the file with its weights, beside it.
        seconds: wall time of the conversion, 0.0 when it came from the cache.
        inputs, outputs: how many values it takes and gives.
        load, stored, record: how the program gets its weights, and how and in what file they are stored: see `Target`.
        alloc: whether its code names the crate ``alloc``, which the crate around has to declare: burn-import's does.
    """

    label: str
    module: str
    rust: Path
    weights: Path
    seconds: float
    inputs: int = 0
    outputs: int = 0
    load: str = FILE
    stored: str = FULL
    record: str = BURNPACK
    alloc: bool = False

    @property
    def halves(self) -> bool:
        """Whether the program makes the file with half weights, when it first loads it; burn-import made it itself."""
        return self.stored != FULL and self.record == BURNPACK

    @property
    def loaded(self) -> Path:
        """The file that the program reads."""
        return self.weights.with_name("half.bpk") if self.halves else self.weights


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerBinary:
    """A compiled runner and the names of the modules in it."""

    path: Path
    modules: frozenset[str]
