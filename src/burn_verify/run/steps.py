"""A case on its way: one class a step, which holds what is known by then. Data only; `run.stages` takes the steps.

    Chosen ─ load ─ Loaded ─┬─ convert ─ Converted ─ compile ─ Built ─┬─ Ready ─ run ─ Answered ─ compare ─ Compared
                            └─ reference ─ Referred ──────────────────┘

A step that fails leads to `Ended` instead. A step is immutable and can be pickled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeAlias

from burn_verify.burn.program import Program, Release
from burn_verify.core.case import Case
from burn_verify.core.errors import StageError
from burn_verify.core.latency import Latency
from burn_verify.core.result import Verdict
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference, Stage
from burn_verify.core.target import Target
from burn_verify.reference.oracle import Answers
from burn_verify.system.wire import Array

Outputs: TypeAlias = Mapping[str, Sequence[Array]]
"""What a model answered, by data set."""


class Step(Protocol):
    """What every step has."""

    @property
    def case(self) -> Case:
        """The case that takes it."""

    def ended(self, error: StageError) -> "Ended":
        """Return the end of a case that got this far."""

    @property
    def durations(self) -> Mapping[str, float]:
        """Seconds so far, by stage or by part of one."""

    def taking(self, durations: Mapping[str, float]) -> Self:
        """Return the same step with other durations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Base of every step: how long it took to get there."""

    durations: Mapping[str, float] = field(default_factory=dict)

    def taking(self, durations: Mapping[str, float]) -> Self:
        """Return the same step with other durations."""
        return replace(self, durations=durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(_Step):
    """A case that goes no further.

    Attributes:
        prepared: None where it was not loaded.
        built: the program that it has all the same; None where there is none.
        evidence: what else is known, for the record; JSON values only.
        outputs: what it had answered before.
    """

    case: Case
    error: StageError
    prepared: PreparedCase | None = None
    built: "Built | None" = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """Where it ended."""
        return self.error.stage

    def ended(self, error: StageError) -> "Ended":
        """Return the same end for another reason."""
        return replace(self, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(_Step):
    """A case of the selection."""

    case: Case

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return Ended(case=self.case, error=error, durations=self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(_Step):
    """A case whose model is a file that was read and understood."""

    case: Case
    prepared: PreparedCase

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return Ended(case=self.case, error=error, prepared=self.prepared, durations=self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnceLoaded(_Step):
    """Base of the steps that follow loading."""

    loaded: Loaded

    @property
    def case(self) -> Case:
        """The case that takes the step."""
        return self.loaded.case

    @property
    def prepared(self) -> PreparedCase:
        """The model, read and understood."""
        return self.loaded.prepared

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return self.loaded.ended(error).taking(self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred(_OnceLoaded):
    """A case of which it is known what it should answer."""

    reference: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted(_OnceLoaded):
    """A case with the Rust that burn-onnx made."""

    model: ConvertedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Built(_OnceLoaded):
    """A case on a target, with the program that answers.

    Attributes:
        release: the program that is timed; None where nobody asked for it.
    """

    target: Target
    model: ConvertedModel
    program: Program
    release: Release | None = None

    def ended(self, error: StageError) -> Ended:
        """Return the end of a case that has a program all the same."""
        return replace(self.loaded.ended(error), built=self, durations=self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(_Step):
    """A case on a target, with a program and what it should answer: what is left is to run and to compare."""

    built: Built
    reference: Reference

    @property
    def case(self) -> Case:
        """The case that takes the step."""
        return self.built.case

    @property
    def prepared(self) -> PreparedCase:
        """The model, read and understood."""
        return self.built.prepared

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return self.built.ended(error).taking(self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(_Step):
    """A case that answered every data set.

    Attributes:
        known: what it was fed and should answer.
        evidence: what it was fed in words, for the record.
    """

    ready: Ready
    known: Answers
    outputs: Outputs
    evidence: Mapping[str, Any]

    @property
    def case(self) -> Case:
        """The case that takes the step."""
        return self.ready.case

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        end = self.ready.ended(error).taking(self.durations)
        return replace(end, evidence=self.evidence, outputs=self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(_Step):
    """A case whose answers were judged.

    Attributes:
        evidence: what it was fed and what else there is to say, for the record.
        latency: None where nobody asked for it, or it cannot be timed.
    """

    answered: Answered
    verdict: Verdict
    evidence: Mapping[str, Any]
    latency: Latency | None = None

    @property
    def case(self) -> Case:
        """The case that takes the step."""
        return self.answered.case

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return replace(self.answered.ended(error), evidence=self.evidence, durations=self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of a target, ready to be run one by one in any process.

    Attributes:
        cases: by id.
        phases: seconds of wall time by phase, of all targets. The reference runs beside conversion and compilation.
        failure: why the target could not be built or started, in one line; empty where it could.
    """

    cases: Mapping[str, Ready | Ended]
    phases: Mapping[str, float]
    failure: str = ""


def joined(built: Built | Ended, referred: Referred | Ended) -> Ready | Ended:
    """Put together what was done for a case side by side; of two ends the one whose stage comes first counts."""
    durations = {**built.durations, **referred.durations}
    if isinstance(built, Ended):
        # What burn-onnx or rustc refuses is told before what an engine refuses: `Stage` has that order.
        if isinstance(referred, Ended) and _place(referred.stage) < _place(built.stage):
            return replace(referred, built=built.built, durations=durations)
        return built.taking(durations)
    if isinstance(referred, Ended):
        return replace(referred, built=built, durations=durations)
    return Ready(built=built, reference=referred.reference, durations=durations)


def _place(stage: Stage) -> int:
    return list(Stage).index(stage)
