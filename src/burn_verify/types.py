"""The vocabulary: one immutable value a step, and the names of the steps.

Holds data only. Nothing here reads a file, starts a process or decides anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from burn_verify.timings import Latency

Shape: TypeAlias = tuple[int | str | None, ...]
"""Dimensions of a graph input or output: a number, a symbolic name, or None where nothing is known."""


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


class JudgeMode(StrEnum):
    """How answers are compared."""

    DEFAULT = "default"
    """By evidence."""
    STRICT = "strict"
    """By evidence, and what is loose disagrees."""
    ONNX = "onnx"
    """By the tolerance that the corpus brings along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputHint:
    """What a graph input should be fed, where the type alone does not say.

    Attributes:
        shape: the shape to use instead of the declared one.
        value: fill the input with this number.
        low, high: draw integers from ``low`` (included) to ``high`` (excluded).
        scale, shift: draw floats from ``scale · N(0, 1) + shift``.
    """

    name: str
    shape: tuple[int, ...] | None = None
    value: float | None = None
    low: int | None = None
    high: int | None = None
    scale: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Everything a catalogue knows about feeding a model: values of symbolic dimensions, and hints by input."""

    dims: tuple[tuple[str, int], ...] = ()
    inputs: tuple[InputHint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A source: an ``.onnx`` file on this machine. A wrong `sha256` (hex) is an error at LOAD."""

    path: Path
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A source: a file of the model hub, by its path below the hub's base URL."""

    path: str
    sha256: str
    size: int
    test_data: str | None = None
    test_data_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A source: the named architecture with random weights drawn from `seed`, made on the spot."""

    architecture: str
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A source that was asked for and cannot be had here now; `reason` is one line with what to do about it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Allowed is ``atol + rtol · |desired|``, as in `numpy.isclose`."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The one operator that a case is about.

    Attributes:
        domain: empty for ``ai.onnx``.
        since_version: the version of the operator that the model's opset means.
        dtype: of the operator's widest type parameter, i.e. the one that allows the most types; empty where no input
            or output has it.
        axes: name and value of what a generated graph varies beside, as text; empty for other cases.
    """

    op_type: str
    domain: str
    since_version: int
    dtype: str
    axes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Name, dtype (NumPy or ml_dtypes name, ``string`` for text) and shape of a graph input or output."""

    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A source: a case of a corpus that was collected, and understood, before.

    Attributes:
        model, digest, op_types, opset, inputs, outputs, subject, random, tolerance, unsupported: see `PreparedCase`.
        data: a safetensors file in the layout of a `Reference`; None where nothing is stored.
        data_sets: names of the data sets in it.
        answered, evaluated, refused, twin: see `PreparedCase`.
    """

    model: Path
    digest: str
    op_types: tuple[str, ...]
    opset: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    data: Path | None
    data_sets: tuple[str, ...]
    subject: Subject | None = None
    random: bool = False
    tolerance: Tolerance | None = None
    unsupported: str | None = None
    answered: bool = False
    evaluated: bool = False
    refused: str | None = None
    twin: str | None = None


Source: TypeAlias = ModelFile | Download | Seeded | Collected | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to verify: an id and the description of a model, no protobuf in memory.

    Attributes:
        id: stable, greppable and parsed by nobody, e.g. ``zoo/mnist-12``.
        corpus: ``zoo``, ``file``, ``node``, ``simple`` …
        note: one line shown beside the result, e.g. that the weights are seeded stand-ins.
    """

    id: str
    corpus: str
    source: Source
    hints: Hints = field(default_factory=Hints)
    note: str | None = None


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
class PreparedCase:
    """A case whose model is a file that was read and understood.

    Attributes:
        model: the ``.onnx`` file; external data lies in the same folder or below.
        digest: sha256 (hex) over the model and its external data: the key of every later cache.
        opset: version of the default domain, 0 where the model does not import it.
        inputs: graph inputs that are not initializers, in the order of the graph.
        stored: what somebody stored as the right answers.
        seeded: whether to draw inputs as well, which ONNX Runtime answers.
        subject: the one operator that the case is about; None for a model of several.
        random: an operator draws numbers, so two right answers differ.
        tolerance: the corpus' own, where it has one.
        unsupported: why no Burn tensor can hold what is stored, in a few words; nothing can be run then.
        answered: what is stored is a reference already, made when the case was; nobody is asked again.
        evaluated: those answers are of onnx's reference evaluator, not of ONNX Runtime.
        refused: why no reference could answer when the case was made.
        twin: id of another case that has to answer the same.
    """

    case: Case
    model: Path
    digest: str
    op_types: tuple[str, ...]
    opset: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    stored: tuple[StoredData, ...] = ()
    seeded: bool = True
    subject: Subject | None = None
    random: bool = False
    tolerance: Tolerance | None = None
    unsupported: str | None = None
    answered: bool = False
    evaluated: bool = False
    refused: str | None = None
    twin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a model is fed and what it is expected to answer.

    Attributes:
        path: a safetensors file, read with `burn_verify.reference.read`; it holds every data set.
        data_sets: their names: ``seeded``, then the stored ones.
        seconds: wall time of the reference, 0.0 when it came from the cache.
        measures: a safetensors file with what `burn_verify.measure` found out about it; None before it was asked.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Sources of Burn or of burn-onnx on this machine that are used instead of the registry's.

    Attributes:
        path: the folder with ``Cargo.toml``; of a workspace or of one crate.
        commit: hex; empty where the folder is in no git repository.
        dirty: whether the sources differ from that commit.
        digest: sha256 (hex) over the sources that count.
    """

    path: Path
    commit: str = ""
    dirty: bool = False
    digest: str = ""

    @property
    def label(self) -> str:
        """The commit, short, and the digest where the commit does not say it all: ``1a2b3c4``, ``1a2b3c4~9f8e7d6``."""
        sources = f"~{self.digest[:7]}" if self.dirty or not self.commit else ""
        return self.commit[:7] + sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a model is run on: a result belongs to a case and a target.

    Attributes:
        burn, burn_onnx: versions, as in `burn_verify.versions`.
        backend: Burn's: ``flex``, ``ndarray``, ``wgpu`` or ``cuda``.
        simplify, partition: options of burn-onnx.
        burn_checkout, burn_onnx_checkout: sources that replace the registry's, of the same version.
    """

    burn: str = "0.22.1"
    burn_onnx: str = "0.22.0"
    backend: str = "flex"
    simplify: bool = True
    partition: bool = True
    burn_checkout: Checkout | None = None
    burn_onnx_checkout: Checkout | None = None

    @property
    def version(self) -> str:
        """Burn's version, and checkouts as build metadata: ``0.22.1``, ``0.22.1+burn-onnx@1a2b3c4``."""
        checkouts = {"burn": self.burn_checkout, "burn-onnx": self.burn_onnx_checkout}
        marks = [f"{name}@{checkout.label}" for name, checkout in checkouts.items() if checkout]
        return "+".join([self.burn, *marks])

    @property
    def name(self) -> str:
        """A column's heading: version, backend, and the options that are not the default: ``0.22.1 flex``."""
        options = {"no-simplify": self.simplify, "no-partition": self.partition}
        return " ".join([self.version, self.backend, *(name for name, on in options.items() if not on)])

    @property
    def label(self) -> str:
        """Words for a sentence: ``Burn 0.22.1 on flex``."""
        words = f"Burn {self.version}".rstrip() + (f" on {self.backend}" if self.backend else "")
        options = {", not simplified": self.simplify, ", not partitioned": self.partition}
        return words + "".join(name for name, on in options.items() if not on)

    @property
    def slug(self) -> str:
        """A name for a folder: ``burn-0.22.1-flex``."""
        return "-".join(["burn", *filter(None, re.split(r"[^0-9A-Za-z._]+", self.name))])

    @property
    def build_key(self) -> tuple[str, str, str, str]:
        """What has to be compiled: targets of one key share Burn, models and one binary.

        Models that are converted with other options are other modules of that binary.
        """
        digests = [checkout.digest if checkout else "" for checkout in (self.burn_checkout, self.burn_onnx_checkout)]
        return (self.burn, self.burn_onnx, *digests)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A case on a target: what has one result."""

    case: Case
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMetrics:
    """How far one output is from what was expected; `None` where a number has no meaning.

    Attributes:
        max_abs: greatest absolute difference over finite elements.
        max_ulp: greatest distance in units in the last place of the output's dtype.
        fraction: mismatching elements over all elements.
        first_bad: index of the first mismatching element.
        p99: 99th percentile of the absolute difference over finite elements.
        cosine: of the whole output and the whole of what was expected, over finite elements.
        headroom: greatest error over what is allowed, above 1 outside of it.
        bound: what is allowed, in words.
        reference: what the error is measured against: ``float64 (onnxruntime)``, ``stored``, ``onnxruntime`` …
        oracle_headroom: the same as `headroom` for the answer that was expected.
        guilty: who is wrong, where somebody is: ``burn``, ``onnxruntime``, ``both`` or ``unknown``.
        top1, top5: of a whole model with scores of classes: the share of the best classes that are the same.
        iou: of a whole model with boxes: the smallest intersection over union with the box at the same place.
    """

    data_set: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    mismatching: int
    max_abs: float | None = None
    max_ulp: int | None = None
    first_bad: tuple[int, ...] | None = None
    p99: float | None = None
    cosine: float | None = None
    headroom: float | None = None
    bound: str = ""
    reference: str = ""
    oracle_headroom: float | None = None
    guilty: str = ""
    top1: float | None = None
    top5: float | None = None
    iou: float | None = None

    @property
    def fraction(self) -> float:
        """Mismatching elements over all elements, 0.0 for an empty output."""
        return self.mismatching / self.elements if self.elements else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge says of one case: whether it agrees, in one line why not, and the evidence.

    Attributes:
        name: ``agrees``, ``loose``, ``disagrees``, ``oracle_disagrees``, ``nondeterministic`` or ``insensitive``.
        message: empty, or the first disagreement in the project's dialect.
        reason: the same without numbers and names, fit for grouping: ``wrong values``, ``wrong shape`` …
        metrics: one entry an output and data set, also on agreement.
        guilty: who is wrong, where somebody is; see `OutputMetrics`.
    """

    name: str
    message: str
    metrics: tuple[OutputMetrics, ...]
    reason: str = ""
    guilty: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the answers are the expected ones."""
        return self.name == "agrees"

    @property
    def passes(self) -> bool:
        """Whether nothing speaks against the case; a random answer passes without agreeing."""
        return self.name != "disagrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What happened to one case: the line of the record.

    What was *expected* to happen is not here: expectations are joined by the views.

    Attributes:
        subject: the one operator that the case is about.
        message: what was said by whoever refused or failed, whole; empty on success.
        reason: the same, short and normalised, fit for grouping.
        details: further evidence: rustc codes, generated line, log path …
        durations: seconds by stage.
        latency: what was measured of the case in the profile for it; None where nobody asked, or it did not answer.
    """

    case_id: str
    corpus: str
    stage: Stage
    outcome: Outcome
    op_types: tuple[str, ...] = ()
    opset: int = 0
    subject: Subject | None = None
    verdict: str | None = None
    message: str = ""
    reason: str = ""
    note: str | None = None
    metrics: tuple[OutputMetrics, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)
    latency: Latency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two targets that answer one case differently, beyond what the judge allows.

    Attributes:
        part: in what the targets differ, one of `burn_verify.targets.PARTS`.
        nearer: ``before`` or ``after``, whichever is nearer to the reference; ``neither`` where both are as near, and
            empty where there is no reference.
        message: the difference in the project's dialect, in one line.
    """

    case_id: str
    part: str
    before: Target
    after: Target
    nearer: str
    message: str
