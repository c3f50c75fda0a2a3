"""At how many sizes of its dimensions a model is right."""

from collections.abc import Sequence
from typing import Final

from burn_verify.core.result import CaseResult, VerdictName

_RIGHT: Final = frozenset(name.value for name in VerdictName if name is not VerdictName.DISAGREES)


def sizes_of(result: CaseResult) -> str:
    """Return how many sizes are right of all: ``3/4``; empty where there is one only."""
    found = result.details.get("sizes") or {}
    return f"{sum(verdict in _RIGHT for verdict in found.values())}/{len(found)}" if len(found) > 1 else ""


def alone(result: CaseResult) -> Sequence[str]:
    """Return that no other size was verified, where the reference refuses all others that were tried."""
    sizes, refused = (result.details.get(key) or {} for key in ("sizes", "unanswered"))
    whys = [str(why) for name, why in refused.items() if name.startswith("sizes ")]
    return (
        [f"at {next(iter(sizes))} only, the reference refuses other sizes: {whys[0]}"]
        if len(sizes) == 1 and whys
        else []
    )


def told(result: CaseResult) -> Sequence[str]:
    """Return what is to be told of a case beside its reason: sizes, what was never entered, advice."""
    details = result.details
    each = "; ".join(f"{sizes}: {verdict}" for sizes, verdict in (details.get("sizes") or {}).items())
    sizes = [f"sizes {sizes_of(result)}: {each}"] if sizes_of(result) else []
    return [*sizes, *alone(result), *map(str, details.get("unseen") or ()), *map(str, details.get("advice") or ())]
