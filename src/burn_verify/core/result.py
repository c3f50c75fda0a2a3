"""What came of a case: verdict, metrics, result. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from burn_verify.core.case import Subject
from burn_verify.core.latency import Latency
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target


class JudgeMode(StrEnum):
    """How answers are compared."""

    DEFAULT = "default"
    """By evidence."""
    STRICT = "strict"
    """By evidence, and what is loose disagrees."""
    ONNX = "onnx"
    """By the tolerance that the corpus brings along."""


class VerdictName(StrEnum):
    """What the judge says of one case."""

    AGREES = "agrees"
    LOOSE = "loose"
    """Outside of the bound, in proportion to the reference's own error."""
    DISAGREES = "disagrees"
    ORACLE_DISAGREES = "oracle_disagrees"
    """Agrees with float64 or what was stored; ONNX Runtime does not."""
    NONDETERMINISTIC = "nondeterministic"
    """Draws numbers: range and moments were checked."""
    INSENSITIVE = "insensitive"
    """The reference cannot tell a right program from a wrong one."""


class Guilty(StrEnum):
    """Whose answer is wrong."""

    NONE = ""
    BURN = "burn"
    ONNXRUNTIME = "onnxruntime"
    REFERENCE = "onnx.reference"
    """onnx's own evaluator, where it answered in place of ONNX Runtime."""
    BOTH = "both"
    UNKNOWN = "unknown"


class Mismatch(StrEnum):
    """In what an answer differs from the expected one."""

    COUNT = "wrong number of outputs"
    DTYPE = "wrong dtype"
    SHAPE = "wrong shape"
    VALUES = "wrong values"
    DISTRIBUTION = "not what was to be drawn"


class RefusalKind(StrEnum):
    """How burn-onnx refused a model, as ``details["kind"]`` of a record says it."""

    UNSUPPORTED_OPERATOR = "unsupported operator"
    """It has no such operator at all."""
    UNSUPPORTED_ATTRIBUTE = "unsupported attribute"
    """It says itself that it does not take this attribute, dtype, rank or kind of operand."""
    INTERNAL_PANIC = "internal panic"
    """It did not see it coming."""
    DIED = "died"


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
        rounding_share: root mean square error in units of what rounding explains: the deviation that noise of its size
            causes in a graph, the bound of a single operator; None where neither is known.
        oracle_headroom: the same as `headroom` for the answer that was expected.
        guilty: whose answer is wrong.
        override: name of the exception that the bound was widened by; empty where it was not.
        metrics: of a whole model, by name; any task may add its own. Today ``top1`` and ``top5`` (scores of classes:
            the share of the best classes that are the same) and ``iou`` (boxes: the smallest intersection over union
            with the box at the same place).
        insensitive: why no answer could have been wrong here; empty where one could.
        problem: what kept elements from being compared; None where they were.
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

    @property
    def fits(self) -> bool:
        """Whether the output was compared, and every element is what is allowed."""
        return not self.mismatching and self.problem is None

    @property
    def fraction(self) -> float:
        """Mismatching elements over all elements, 0.0 for an empty output."""
        return self.mismatching / self.elements if self.elements else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge says of one case: whether it agrees, in one line why not, and the evidence.

    Attributes:
        message: empty, or the first disagreement in the project's dialect.
        reason: the same without numbers and names, fit for grouping: ``wrong values``, ``wrong shape`` …
        metrics: one entry an output and data set, also on agreement.
        mismatch: in what the answer differs; None where it does not, or by words of `reason` only.
        guilty: whose answer is wrong.
        difference: how the answer and what it was compared with differ, without a word on who is right: what it was
            compared with is called ``before``, the answer ``after``. Empty where they agree.
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
        """Whether the answers are the expected ones."""
        return self.name == VerdictName.AGREES

    @property
    def passes(self) -> bool:
        """Whether nothing speaks against the case; a random answer passes without agreeing."""
        return self.name != VerdictName.DISAGREES


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What happened to one case: the line of the record.

    What was *expected* to happen is not here: expectations are joined by the views.

    Attributes:
        subject: the one operator that the case is about.
        message: what was said by whoever refused or failed, whole; empty on success.
        reason: the same, short and normalised, fit for grouping.
        failure: what ended the case; None where it passed, or nothing is known.
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
    """Two targets that answer one case differently, beyond what the judge allows.

    Attributes:
        part: in what the targets differ, one of `burn_verify.core.targets.PARTS`.
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
