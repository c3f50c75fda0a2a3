"""The forecast of a case beside its result, so that every run tells how often forecasts come true.

A failure as forecast gets advice: what of the model to change first, by the evidence.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase
from burn_verify.core.target import Target
from burn_verify.forecast.endings import FORECAST, ending_of

if TYPE_CHECKING:
    from burn_verify.forecast.evidence import Evidence
    from burn_verify.forecast.model import ModelForecast


def with_forecast(prepared: PreparedCase | None, target: Target, result: CaseResult) -> CaseResult:
    """Return a result with the forecast of its model; unchanged where there is no evidence of the target."""
    found = _forecast(prepared, target, result) if prepared is not None else {}
    return replace(result, details={**result.details, **found}) if found else result


def _forecast(prepared: PreparedCase, target: Target, result: CaseResult) -> Mapping[str, Any]:
    """Return the details to add to those of a result."""
    # Loaded with the first case: a run that collects only must not pay for onnx and the evidence.
    from burn_verify.forecast.evidence import packaged
    from burn_verify.forecast.model import cells_of, expected, forecast, said
    from burn_verify.report.views.explanation import first_change

    if target.burn_checkout or target.burn_onnx_checkout or target.hooks:
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
    # A case of one operator is evidence itself, and nobody wants to change it.
    if result.outcome is not Outcome.FAILED or prepared.subject is not None or ending_of(result) is None:
        return made
    as_forecast = forecast(cells, evidence) if ending is ending_of(result) else None
    first = () if as_forecast is None else first_change(as_forecast)
    rest = () if target.prepared else (_of_rewriting(result, target, evidence, as_forecast),)
    return {**made, "advice": [*result.details.get("advice", ()), *first, *rest]}


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
