"""The forecast of a case beside its result, so that every run tells how often forecasts come true.

A failure as forecast gets advice: what of the model to change first, by the evidence.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase
from burn_verify.core.target import Target
from burn_verify.forecast.endings import FORECAST, ending_of
from burn_verify.system.files import digest_of
from burn_verify.system.notes import Notes

_ADVICE: Final = "advice"

if TYPE_CHECKING:
    from burn_verify.forecast.evidence import Evidence
    from burn_verify.forecast.model import ModelForecast


def with_forecast(
    prepared: PreparedCase | None, target: Target, result: CaseResult, notes: Notes | None = None
) -> CaseResult:
    """Return a result with the forecast of its model; unchanged where there is no evidence of the target.

    Arguments:
        notes: forecasts of earlier runs, and of this one.
    """
    if prepared is None:
        return result
    found = _known_or_made(prepared, target, result, notes)
    if not found:
        return result
    if advice := found.get(_ADVICE):
        found = {**found, _ADVICE: [*result.details.get(_ADVICE, ()), *advice]}
    return replace(result, details={**result.details, **found})


def _known_or_made(
    prepared: PreparedCase, target: Target, result: CaseResult, notes: Notes | None
) -> Mapping[str, Any]:
    """Return what `_forecast` does, from the notes where it is there."""
    key = "" if notes is None else _key(prepared, target, result)
    if notes is None or not key:
        return _forecast(prepared, target, result)
    if (known := notes.read(key)) is not None:
        return known
    if made := _forecast(prepared, target, result):
        notes.write(key, made)
    return made


def _forecast(prepared: PreparedCase, target: Target, result: CaseResult) -> Mapping[str, Any]:
    """Return the details to add to those of a result; the advice is added to its advice."""
    # Loaded with the first case: a run that collects only must not pay for onnx and the evidence.
    from burn_verify.forecast.evidence import packaged
    from burn_verify.forecast.model import cells_of, expected, forecast, said
    from burn_verify.report.views.explanation import first_change

    if _is_other_code(target):
        return {}
    evidence = packaged(target)
    if evidence is None:
        return {}
    try:
        cells = cells_of(prepared.model)
    except ValueError:
        # The file was readable before; its later deletion or change is not a failure of this case.
        return {}
    likeliest, sure = expected((placed.cell for placed in cells), evidence)
    ending = said(likeliest, sure, evidence, prepared.advice)
    made = {FORECAST: {"ending": ending, "probability": round(sure, 3)}}
    if not _wants_advice(prepared, result):
        return made
    as_forecast = forecast(cells, evidence) if ending is ending_of(result) else None
    first = () if as_forecast is None else first_change(as_forecast)
    rest = () if target.prepared else (_of_rewriting(result, target, evidence, as_forecast),)
    return {**made, _ADVICE: [*first, *rest]}


def _key(prepared: PreparedCase, target: Target, result: CaseResult) -> str:
    """Return a name for all that a forecast and its advice rest on; empty where there is no evidence."""
    from burn_verify.forecast import tried
    from burn_verify.forecast.evidence import digest_of_packaged

    if _is_other_code(target) or not prepared.digest:
        return ""
    evidence = digest_of_packaged(target)
    if not evidence:
        return ""
    asked: tuple[str, ...] = ()
    if _wants_advice(prepared, result):
        asked = (result.case_id, str(ending_of(result)), str(target.prepared), tried.digest_of_packaged(target))
    return digest_of(evidence, prepared.digest, *prepared.advice, *asked)


def _is_other_code(target: Target) -> bool:
    """Return whether code of the user's own decides beside the versions that the evidence is of."""
    return bool(target.burn_checkout or target.burn_onnx_checkout or target.hooks)


def _wants_advice(prepared: PreparedCase, result: CaseResult) -> bool:
    """Return whether a case failed that somebody may want to change: one of one operator is evidence itself."""
    return result.outcome is Outcome.FAILED and prepared.subject is None and ending_of(result) is not None


def _of_rewriting(result: CaseResult, target: Target, evidence: "Evidence", as_forecast: "ModelForecast | None") -> str:
    """Return what is known of rewriting a model that failed: of itself, else by the cases nearest to its nodes."""
    from burn_verify.forecast.remedies import remedies
    from burn_verify.forecast.tried import packaged
    from burn_verify.report.views.remedies import NOT_TRIED, of_case, summary_of

    tried = packaged(target)
    if (mine := tried.get(result.case_id)) is not None:
        return of_case(mine)
    # Where the forecast was another one, its nearest cases are no evidence.
    return NOT_TRIED if as_forecast is None else summary_of(remedies(as_forecast, evidence, tried, {}))
