"""Conversion of the last step of a case to its result. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from burn_verify.core.errors import STAGE_ERRORS, InternalError, StageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, PreparedCase, Stage
from burn_verify.run.steps import Compared, Ended, Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The result of a case and its outputs.

    Attributes:
        outputs: the outputs of the model by data set, also where there was no reference for them; without those of
            varied data sets.
    """

    result: CaseResult
    outputs: Outputs = field(default_factory=dict)


def result_of(step: Compared | Ended) -> CaseResult:
    """Return the result of a finished case."""
    if isinstance(step, Ended):
        return _of_end(step)
    verdict = step.verdict
    return CaseResult(
        stage=Stage.COMPARE,
        outcome=Outcome.PASSED if verdict.passes else Outcome.FAILED,
        verdict=verdict.name,
        failure=None if verdict.passes else FailureKind.MISMATCH,
        message=verdict.message,
        reason=verdict.reason,
        metrics=verdict.metrics,
        details={**_advice(step.answered.ready.prepared, verdict.passes), **step.evidence},
        latency=step.latency,
        **_about(step, step.answered.ready.prepared),
    )


def error_of(result: CaseResult) -> StageError | None:
    """Return the exception that corresponds to a result, None for a pass."""
    if result.outcome is Outcome.PASSED:
        return None
    if result.failure is FailureKind.INTERNAL:
        return InternalError(result.message, result.reason, result.details, result.stage)
    kind = result.failure or FailureKind.REFUSED
    return STAGE_ERRORS[result.stage](result.message, result.reason, result.details, kind)


def _of_end(end: Ended) -> CaseResult:
    refused = end.prepared.refused if end.prepared else None
    # Recorded for every failure: the absence of a reference is relevant whatever the cause of the end.
    silent = {"no_reference": refused} if refused else {}
    return CaseResult(
        stage=end.stage,
        outcome=Outcome.FAILED,
        failure=end.error.kind,
        message=end.error.message,
        reason=end.error.reason,
        details={**_advice(end.prepared, not _burns(end.stage)), **end.error.details, **silent, **end.evidence},
        **_about(end, end.prepared),
    )


def _burns(stage: Stage) -> bool:
    """Return whether a failure at a stage is a failure of Burn."""
    return stage not in (Stage.LOAD, Stage.REFERENCE)


def _advice(prepared: PreparedCase | None, passes: bool) -> Mapping[str, Any]:
    """Return the advice about possible causes in the model, for the record; empty for a case that Burn passes."""
    return {"advice": list(prepared.advice)} if prepared and prepared.advice and not passes else {}


def _about(step: Compared | Ended, prepared: PreparedCase | None) -> Mapping[str, Any]:
    """Return the fields of a result that describe its case, for every outcome."""
    return {
        "case_id": step.case.id,
        "corpus": step.case.corpus,
        "op_types": prepared.op_types if prepared else (),
        "opset": prepared.opset if prepared else 0,
        "subject": prepared.subject if prepared else None,
        "note": step.case.note,
        "durations": step.durations,
    }
