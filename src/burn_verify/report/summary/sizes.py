"""At how many sizes of its dimensions a model is right."""

from collections.abc import Sequence
from typing import Final

from burn_verify.core.result import CaseResult, VerdictName

_RIGHT: Final = frozenset(name.value for name in VerdictName if name is not VerdictName.DISAGREES)


def sizes_of(result: CaseResult) -> str:
    """Return how many sizes are right of all: ``3/4``; empty where there is one only."""
    found = result.details.get("sizes") or {}
    return f"{sum(verdict in _RIGHT for verdict in found.values())}/{len(found)}" if len(found) > 1 else ""


def told(result: CaseResult) -> Sequence[str]:
    """Return what is to be told of a case beside its reason: sizes, what was never entered, advice."""
    details = result.details
    each = "; ".join(f"{sizes}: {verdict}" for sizes, verdict in (details.get("sizes") or {}).items())
    sizes = [f"sizes {sizes_of(result)}: {each}"] if sizes_of(result) else []
    return [*sizes, *map(str, details.get("unseen") or ()), *map(str, details.get("advice") or ())]
