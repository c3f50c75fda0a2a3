"""How often the forecasts of a run came true."""

from collections.abc import Iterable
from dataclasses import dataclass

from burn_verify.core.result import CaseResult
from burn_verify.core.text import counted
from burn_verify.forecast.endings import FORECAST, ending_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """Counts over the cases that have a forecast, and an ending that tells something of Burn.

    Attributes:
        wrong: ids of the cases that ended otherwise than was said.
        unsaid: of how many nothing could be said.
    """

    right: int
    wrong: tuple[str, ...]
    unsaid: int


def forecasts_of(results: Iterable[CaseResult]) -> Forecasts:
    """Count the forecasts of results that came true."""
    right, unsaid, wrong = 0, 0, []
    for result in results:
        made, came = result.details.get(FORECAST), ending_of(result)
        if not isinstance(made, dict) or came is None:
            continue
        said = made.get("ending")
        if said is None:
            unsaid += 1
        elif said == came:
            right += 1
        else:
            wrong.append(result.case_id)
    return Forecasts(right=right, wrong=tuple(wrong), unsaid=unsaid)


def forecast_lines(found: Forecasts) -> list[str]:
    """Say in one line how many forecasts were wrong; empty where none was."""
    if not found.wrong:
        return []
    said = counted(len(found.wrong) + found.right, "forecast")
    first = f", {found.wrong[0]} first" if len(found.wrong) > 1 else f": {found.wrong[0]}"
    return [f"{len(found.wrong)} of {said} came otherwise{first} (docs/explain.md)"]
