"""What became of the samples of a user's data, a line or two for each model. Pure: values in, text out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from burn_verify.core.result import CaseResult
from burn_verify.core.text import counted


def as_text(results: Iterable[CaseResult]) -> str:
    """Return the lines of all models with samples; empty where there are none."""
    return "\n".join(line for result in results for line in _lines(result))


def _lines(result: CaseResult) -> Iterator[str]:
    said = result.details.get("samples")
    if not said:
        return
    agree, count = said.get("agree", 0), said.get("count", 0)
    parts = [f"{agree} of {counted(count, 'sample')} agree" if count != 1 or not agree else "1 sample agrees"]
    if said.get("disagree"):
        parts.append(f"{said['disagree']} do not: {', '.join(said['first'])}")
    if said.get("unanswered"):
        parts.append(f"{said['unanswered']} got no answer ({said['why']})")
    if said.get("worst"):
        parts.append(f"the worst is {said['worst']}")
    yield f"{result.case_id}: {'; '.join(parts)}{_rates(said, count)}"
    yield from (f"{result.case_id}: {how}" for how in said.get("how", ()))
    if said.get("drawn"):
        yield f"{result.case_id}: drawn, as the data hold no such input: {', '.join(said['drawn'])}"


def _rates(said: Mapping[str, Any], count: int) -> str:
    """Return samples a second of both sides; the first sample is not timed."""
    seconds = said.get("seconds", {})
    rates = {name: (count - 1) / spent for name, spent in seconds.items() if spent > 0 and count > 1}
    return "".join(f"; {name} {rate:.3g}/s" for name, rate in rates.items())
