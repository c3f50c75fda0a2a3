"""A case on its way: what each stage added, what went wrong, and the result that becomes of it.

Runs nothing and knows no order; see `pipeline`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from burn_verify.burn.batch import Compiled
from burn_verify.burn.release import Release
from burn_verify.core.case import Case
from burn_verify.core.errors import STAGE_ERRORS, StageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, FailureKind, Outcome, PreparedCase, Reference, RunnerBinary, Stage
from burn_verify.core.target import Target

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A case on a target, after everything that is done for many cases at once: what is left is to run and to compare.

    Attributes:
        release: the program that is timed; None where nobody asked for it.
        errors: what went wrong so far, by stage; the first stage in the order of `Stage` is where the case ends.
    """

    case: Case
    target: Target = field(default_factory=Target)
    prepared: PreparedCase | None = None
    reference: Reference | None = None
    model: ConvertedModel | None = None
    binary: RunnerBinary | None = None
    release: Release | None = None
    errors: Mapping[Stage, StageError] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)

    @property
    def error(self) -> StageError | None:
        """What ended the case before it could run."""
        return next((self.errors[stage] for stage in Stage if stage in self.errors), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of a target, ready to be run one by one in any process.

    Attributes:
        phases: seconds of wall time by phase, of all targets. The reference runs beside conversion and compilation.
        failure: why the target could not be built or started, in one line; empty where it could.
    """

    cases: Mapping[str, Planned]
    phases: Mapping[str, float]
    failure: str = ""


def error_of(result: CaseResult) -> StageError | None:
    """Return the exception that stands for a result, None for a pass."""
    if result.outcome is Outcome.PASSED:
        return None
    return STAGE_ERRORS[result.stage](
        result.message, result.reason, result.details, result.failure or FailureKind.REFUSED
    )


def each(listen: Listener, phase: str, items: Sequence[Planned], step: Callable[[Planned], Planned]) -> list[Planned]:
    """Take cases one step further, one after the other, and tell of it."""
    if not items:
        return []
    done = []
    for place, item in enumerate(items):
        listen(Progress(phase=phase, done=place, total=len(items), text=item.case.id))
        done.append(step(item))
    listen(Progress(phase=phase, done=len(items), total=len(items)))
    return done


def attempt(planned: Planned, stage: Stage, step: Callable[[], Mapping[str, object]]) -> Planned:
    """Take one case one stage further, or note why that failed, and how long it took."""
    started = time.monotonic()
    try:
        gained = dict(step())
    except StageError as error:
        # An input that Burn has no value for shows while the reference is made, but it is RUN that cannot be.
        gained = {"errors": {**planned.errors, error.stage: error}}
    durations = {**planned.durations, stage.value: time.monotonic() - started}
    return replace(planned, **gained, durations=durations)  # type: ignore[arg-type]


def with_binary(planned: Planned, compiled: Compiled) -> Planned:
    """Add the binary, or why there is none for this case."""
    if planned.model is None:
        return planned
    if error := compiled.errors.get(planned.model.module):
        return replace(planned, errors={**planned.errors, Stage.COMPILE: error})
    return replace(planned, binary=compiled.binary)


def with_reference(built: Planned, referred: Planned) -> Planned:
    """Add what was found out about the reference meanwhile."""
    return replace(
        built,
        reference=referred.reference,
        errors={**built.errors, **referred.errors},
        durations={**built.durations, **referred.durations},
    )


def ended(planned: Planned, error: StageError) -> CaseResult:
    """Return the result of a case that an error ended."""
    result = result_of(planned, error.stage, Outcome.FAILED)
    refused = planned.prepared.refused if planned.prepared else None
    # Whoever ended the case, that nobody could have said what is right is worth knowing.
    silent = {"no_reference": refused} if refused else {}
    details = {**error.details, **silent}
    return replace(result, message=error.message, reason=error.reason, failure=error.kind, details=details)


def result_of(planned: Planned, stage: Stage, outcome: Outcome) -> CaseResult:
    """Return a result that says nothing yet but where and how."""
    return CaseResult(
        case_id=planned.case.id,
        corpus=planned.case.corpus,
        stage=stage,
        outcome=outcome,
        op_types=planned.prepared.op_types if planned.prepared else (),
        opset=planned.prepared.opset if planned.prepared else 0,
        subject=planned.prepared.subject if planned.prepared else None,
        note=planned.case.note,
        durations=planned.durations,
    )


def sure(value: T | None) -> T:
    """Return what the stages before must have made."""
    assert value is not None
    return value
