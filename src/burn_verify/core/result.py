"""Outcome of a case: verdict, metrics, result. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from burn_verify.core.case import Subject
from burn_verify.core.latency import Latency
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target


class JudgeMode(StrEnum):
    """How outputs are compared."""

    DEFAULT = "default"
    """By evidence."""
    STRICT = "strict"
    """By evidence; a loose output counts as a disagreement."""
    ONNX = "onnx"
    """By the tolerance that the corpus defines."""


class VerdictName(StrEnum):
    """The verdict over one case."""

    AGREES = "agrees"
    LOOSE = "loose"
    """Outside of the bound, but in proportion to the reference's own error."""
    DISAGREES = "disagrees"
    ORACLE_DISAGREES = "oracle_disagrees"
    """Burn agrees with float64 or the stored outputs; ONNX Runtime does not."""
    NONDETERMINISTIC = "nondeterministic"
    """Generates random numbers: shapes and, of single operators, distributions were checked; other outputs agree."""
    INSENSITIVE = "insensitive"
    """The reference cannot distinguish a correct program from an incorrect one."""


class Guilty(StrEnum):
    """Which program's output is wrong."""

    NONE = ""
    BURN = "burn"
    ONNXRUNTIME = "onnxruntime"
    REFERENCE = "onnx.reference"
    """onnx's reference evaluator, where it was used in place of ONNX Runtime."""
    BOTH = "both"
    UNKNOWN = "unknown"


class Mismatch(StrEnum):
    """The property in which an output differs from the expected one."""

    COUNT = "wrong number of outputs"
    DTYPE = "wrong dtype"
    SHAPE = "wrong shape"
    VALUES = "wrong values"
    DISTRIBUTION = "not what was to be drawn"


class RefusalKind(StrEnum):
    """How burn-onnx refused a model, as stored in ``details["kind"]`` of a record."""

    UNSUPPORTED_OPERATOR = "unsupported operator"
    """The operator is not implemented."""
    UNSUPPORTED_ATTRIBUTE = "unsupported attribute"
    """burn-onnx reports that it does not support this attribute, dtype, rank or kind of operand."""
    INTERNAL_PANIC = "internal panic"
    """burn-onnx panicked without a deliberate error message."""
    DIED = "died"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMetrics:
    """Distance of one output from the expected output; `None` where a number has no meaning.

    Attributes:
        max_abs: greatest absolute difference over finite elements.
        max_ulp: greatest distance in units in the last place of the output's dtype.
        ulps: number of finite elements by distance in units in the last place: 0, 1, 2 to 3, 4 to 7 and so on; empty
            where all are equal, and where the dtype has no such units.
        fraction: mismatching elements over all elements.
        first_bad: index of the first mismatching element.
        p99: 99th percentile of the absolute difference over finite elements.
        cosine: cosine similarity of the whole output and the whole expected output, over finite elements.
        headroom: greatest error divided by the allowed error; above 1 outside of the bound.
        bound: the allowed error, as text.
        reference: what the error is measured against: ``float64 (onnxruntime)``, ``stored``, ``onnxruntime`` …
        rounding_share: root mean square error in units of the error that rounding explains: in a graph the deviation
            caused by noise of that size, for a single operator its bound; None where neither is known.
        oracle_headroom: the same as `headroom` for the expected output.
        guilty: which program's output is wrong.
        override: name of the exception that widened the bound; empty where none did.
        metrics: metrics of a whole model, by name; any task may add its own. Currently ``top1`` and ``top5`` (class
            scores: the share of the best classes that are the same) and ``iou`` (boxes: the smallest intersection over
            union with the box at the same index).
        insensitive: why no output could have been judged wrong here; empty where one could.
        problem: why the elements could not be compared; None where they were compared.
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
    rounding_share: float | None = None
    bound: str = ""
    reference: str = ""
    oracle_headroom: float | None = None
    guilty: Guilty = Guilty.NONE
    override: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    insensitive: str = ""
    problem: Mismatch | None = None
    ulps: tuple[int, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the output was compared and every element is within the bound."""
        return not self.mismatching and self.problem is None

    @property
    def fraction(self) -> float:
        """Mismatching elements over all elements, 0.0 for an empty output."""
        return self.mismatching / self.elements if self.elements else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict over one case: whether it agrees, the reason in one line where it does not, and the evidence.

    Attributes:
        message: the first disagreement in the project's message format; empty where there is none.
        reason: the same without numbers and names, suitable for grouping: ``wrong values``, ``wrong shape`` …
        metrics: one entry per output and data set, also on agreement.
        mismatch: the property that differs; None where none does, or where only `reason` describes it.
        guilty: which program's output is wrong.
        difference: how the output and the output it was compared with differ, without stating which is correct: the
            latter is called ``before``, the output ``after``. Empty where they agree.
    """

    name: VerdictName
    message: str
    metrics: tuple[OutputMetrics, ...]
    reason: str = ""
    mismatch: Mismatch | None = None
    guilty: Guilty = Guilty.NONE
    difference: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the outputs are the expected ones."""
        return self.name == VerdictName.AGREES

    @property
    def passes(self) -> bool:
        """Whether the verdict is not a disagreement; a random output passes without agreeing."""
        return self.name != VerdictName.DISAGREES


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """The result of one case: one line of the record.

    The *expected* result is not part of it: the views join the expectations.

    Attributes:
        subject: the single operator that the case tests.
        message: the complete message of the program that refused or failed; empty on success.
        reason: the same, short and normalised, suitable for grouping.
        failure: what ended the case; None where it passed, or nothing is known.
        details: further evidence: rustc codes, generated line, log path …
        durations: seconds by stage.
        latency: the latency measured in the latency profile; None where it was not requested or gave no result.
    """

    case_id: str
    corpus: str
    stage: Stage
    outcome: Outcome
    op_types: tuple[str, ...] = ()
    opset: int = 0
    subject: Subject | None = None
    verdict: VerdictName | None = None
    failure: FailureKind | None = None
    message: str = ""
    reason: str = ""
    note: str | None = None
    metrics: tuple[OutputMetrics, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)
    latency: Latency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two targets whose outputs for one case differ by more than the judge allows.

    Attributes:
        part: the part in which the targets differ, one of `burn_verify.core.targets.PARTS`.
        nearer: ``before`` or ``after``, the one nearer to the reference; ``neither`` where both are equally near;
            empty where there is no reference.
        message: the difference in the project's message format, in one line.
    """

    case_id: str
    part: str
    before: Target
    after: Target
    nearer: str
    message: str
