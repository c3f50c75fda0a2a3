"""The states of a case: one class per step, with the data known at that step. Data only; see `run.stages`.

    Chosen ─ load ─ Loaded ─┬─ convert ─ Converted ─ compile ─ Built ─┬─ Ready ─ run ─ Answered ─ compare ─ Compared
                            └─ reference ─ Referred ──────────────────┘

A step that fails leads to `Ended` instead. A step is immutable and can be pickled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, Self, TypeAlias

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
"""The outputs of a model by data set."""

FED: Final = "fed"
"""The field of the record that describes the values on which a case failed."""


class Step(Protocol):
    """The interface of every step."""

    @property
    def case(self) -> Case:
        """The case at this step."""

    def ended(self, error: StageError) -> "Ended":
        """Return the end of a case at this step."""

    @property
    def durations(self) -> Mapping[str, float]:
        """Seconds so far, by stage or part of a stage."""

    def taking(self, durations: Mapping[str, float]) -> Self:
        """Return the same step with other durations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Base of every step: holds the durations so far."""

    durations: Mapping[str, float] = field(default_factory=dict)

    def taking(self, durations: Mapping[str, float]) -> Self:
        """Return the same step with other durations."""
        return replace(self, durations=durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(_Step):
    """A case that ended with an error.

    Attributes:
        prepared: None where it was not loaded.
        built: the program, where the case was built nevertheless; else None.
        evidence: further fields for the record; JSON values only.
        outputs: the outputs computed before the end.
    """

    case: Case
    error: StageError
    prepared: PreparedCase | None = None
    built: "Built | None" = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """The stage at which it ended."""
        return self.error.stage

    def ended(self, error: StageError) -> "Ended":
        """Return the same end with another error."""
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
    """A case whose model was read and parsed."""

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
        """The case at this step."""
        return self.loaded.case

    @property
    def prepared(self) -> PreparedCase:
        """The model, read and parsed."""
        return self.loaded.prepared

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return self.loaded.ended(error).taking(self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred(_OnceLoaded):
    """A case with its reference outputs."""

    reference: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted(_OnceLoaded):
    """A case with the Rust code that burn-onnx generated."""

    model: ConvertedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Built(_OnceLoaded):
    """A case on a target, with its compiled program.

    Attributes:
        release: the program that is timed; None where timing is off.
    """

    target: Target
    model: ConvertedModel
    program: Program
    release: Release | None = None

    def ended(self, error: StageError) -> Ended:
        """Return the end of a case, with its program."""
        return replace(self.loaded.ended(error), built=self, durations=self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(_Step):
    """A case on a target, with a program and reference outputs, ready to be run and compared."""

    built: Built
    reference: Reference

    @property
    def case(self) -> Case:
        """The case at this step."""
        return self.built.case

    @property
    def prepared(self) -> PreparedCase:
        """The model, read and parsed."""
        return self.built.prepared

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        return self.built.ended(error).taking(self.durations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """How a case answers the values that are not stored.

    Attributes:
        agree: names of the sets on which it agrees.
        doubts: why a set is no evidence against Burn, by name.
        failed: the first disagreement; None where there is none.
        fed: a description of the values on which it failed.
        silent: why sets that agree could not have failed, by output and set; looked for where the stored values
            could not.
    """

    agree: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    failed: Verdict | None = None
    fed: tuple[str, ...] = ()
    silent: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def evidence(self) -> dict[str, Any]:
        """The fields for the record."""
        if not self.agree and not self.doubts and self.failed is None:
            return {}
        doubts = {"doubt": dict(self.doubts)} if self.doubts else {}
        return {"varied": {"agree": list(self.agree), **doubts}, **({FED: list(self.fed)} if self.fed else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(_Step):
    """A case that was run on every data set.

    Attributes:
        known: the inputs and the reference outputs.
        evidence: a description of the inputs, for the record.
        failed: errors on data sets of some sizes, by name; others have outputs.
        recalled: what is known of the values that are not stored, from an earlier run; None where they are asked.
        known_verdict: the verdict on the same answers of an earlier run, and its evidence; None where they are judged.
    """

    ready: Ready
    known: Answers
    outputs: Outputs
    evidence: Mapping[str, Any]
    failed: Mapping[str, StageError] = field(default_factory=dict)
    recalled: Varied | None = None
    known_verdict: tuple[Verdict, Mapping[str, Any]] | None = None

    @property
    def case(self) -> Case:
        """The case at this step."""
        return self.ready.case

    def ended(self, error: StageError) -> Ended:
        """Return the end of the case."""
        end = self.ready.ended(error).taking(self.durations)
        return replace(end, evidence=self.evidence, outputs=self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(_Step):
    """A case whose outputs were judged.

    Attributes:
        evidence: a description of the inputs and further fields, for the record.
        latency: None where timing is off, or the case cannot be timed.
        varied: how it answers the values that are not stored; None where they were not judged.
    """

    answered: Answered
    verdict: Verdict
    evidence: Mapping[str, Any]
    latency: Latency | None = None
    varied: Varied | None = None

    @property
    def case(self) -> Case:
        """The case at this step."""
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
        notes: what was done to cases that were prepared, for the record, by id.
        failure: why the target could not be built or started, in one line; empty where it could.
    """

    cases: Mapping[str, Ready | Ended]
    phases: Mapping[str, float]
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failure: str = ""


def joined(built: Built | Ended, referred: Referred | Ended) -> Ready | Ended:
    """Join the two parallel branches of a case; of two ends, return the one with the earlier stage."""
    durations = {**built.durations, **referred.durations}
    if isinstance(built, Ended):
        # A failure of burn-onnx or rustc takes precedence over one of an engine: `Stage` has that order.
        if isinstance(referred, Ended) and _place(referred.stage) < _place(built.stage):
            return replace(referred, built=built.built, durations=durations)
        return built.taking(durations)
    if isinstance(referred, Ended):
        return replace(referred, built=built, durations=durations)
    return Ready(built=built, reference=referred.reference, durations=durations)


def _place(stage: Stage) -> int:
    return list(Stage).index(stage)
