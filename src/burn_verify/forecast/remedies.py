"""What rewriting may do about the nodes that are expected to fail, by the nearest tested cases.

Rewrites nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from burn_verify.forecast.cells import Placed
from burn_verify.forecast.evidence import Evidence
from burn_verify.forecast.model import CellForecast, ModelForecast
from burn_verify.forecast.nearest import nearest_failing
from burn_verify.forecast.tried import Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What is known of rewritings for the nodes of an operator that are expected to fail.

    Attributes:
        first: the first of these nodes; there are `nodes` of them.
        found: the forecast of the first one.
        case_id: the nearest case that `prepare` was tried on; empty where there is none.
        tried: what `prepare` made of that case; None where there is none.
        fitting: names of rewritings for the operator that exist.
    """

    first: Placed
    nodes: int
    found: CellForecast
    case_id: str
    tried: Tried | None
    fitting: tuple[str, ...]

    @property
    def helps(self) -> bool:
        """Whether the nearest case agrees after rewriting."""
        return self.tried is not None and self.tried.agrees


def remedies(
    forecast: ModelForecast, evidence: Evidence, tried: Mapping[str, Tried], fitting: Mapping[str, tuple[str, ...]]
) -> tuple[Remedy, ...]:
    """Return what is known of rewritings for each kind of node that is expected to fail, the earliest stage first.

    Arguments:
        tried: the cases that `prepare` was tried on, by id.
        fitting: names of rewritings by operator.
    """
    kinds: dict[tuple[str, str], list[tuple[Placed, CellForecast]]] = {}
    for placed, found in forecast.obstacles:
        case_id = _case_of(found, evidence, tried)
        kinds.setdefault((found.cell.operator, case_id), []).append((placed, found))
    return tuple(
        Remedy(
            first=pairs[0][0],
            nodes=len(pairs),
            found=pairs[0][1],
            case_id=case_id,
            tried=tried.get(case_id),
            fitting=fitting.get(operator, ()),
        )
        for (operator, case_id), pairs in kinds.items()
    )


def _case_of(found: CellForecast, evidence: Evidence, tried: Mapping[str, Tried]) -> str:
    """Return the nearest tested case if `prepare` was tried on it, else the nearest that it was tried on."""
    if found.nearest is not None and found.nearest.entry.case_id in tried:
        return found.nearest.entry.case_id
    near = nearest_failing(found.cell, tried.keys(), evidence)
    return near.entry.case_id if near else ""
