"""The forecast of a case beside its result, so that every run tells how often forecasts come true."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Target
from burn_verify.forecast.endings import FORECAST


def with_forecast(prepared: PreparedCase | None, target: Target, result: CaseResult) -> CaseResult:
    """Return a result with the forecast of its model; unchanged where there is no evidence of the target."""
    found = _forecast(prepared, target) if prepared is not None else None
    return replace(result, details={**result.details, FORECAST: found}) if found else result


def _forecast(prepared: PreparedCase, target: Target) -> Mapping[str, Any] | None:
    # Loaded with the first case: a run that collects only must not pay for onnx and the evidence.
    from burn_verify.forecast.evidence import packaged
    from burn_verify.forecast.model import cells_of, expected, said

    if target.burn_checkout or target.burn_onnx_checkout:
        return None
    evidence = packaged(target)
    if evidence is None:
        return None
    try:
        cells = cells_of(prepared.model)
    except ValueError:
        # The file was readable before; its later deletion or change is not a failure of this case.
        return None
    ending, sure = expected((placed.cell for placed in cells), evidence)
    return {"ending": said(ending, sure, evidence, prepared.advice), "probability": round(sure, 3)}
