"""The nearest tested cell of a cell, by a distance over facets.

Two values of a facet are as far apart as the weights that were learned of them: what makes no difference to how cells
end is near.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from burn_verify.forecast.cells import Cell
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.evidence import Entry, Evidence
from burn_verify.forecast.features import facet_features

_EACH: Final = 0.05
"""The distance of any two values, so that of equally telling cells the one with fewer differences is nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A facet in which two cells differ; a value is empty where a cell does not have the facet."""

    facet: str
    here: str
    tested: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The nearest tested cell.

    Attributes:
        distance: 0.0 for an equal cell.
        differences: the facets that differ, the most telling first; empty for an equal cell.
    """

    entry: Entry
    distance: float
    differences: tuple[Difference, ...]


def nearest(cell: Cell, ending: Ending | None, evidence: Evidence) -> Nearest | None:
    """Return the nearest tested cell with an ending, with any where it is None or no cell ended so."""
    entries = evidence.entries.get(cell.operator, ())
    return _nearest(cell, [entry for entry in entries if entry.ending is ending] or entries, evidence)


def nearest_agreeing(cell: Cell, evidence: Evidence) -> Nearest | None:
    """Return the nearest cell that agrees, None where no cell of the operator does."""
    entries = evidence.entries.get(cell.operator, ())
    return _nearest(cell, [entry for entry in entries if entry.ending is Ending.AGREES and entry.proved], evidence)


def nearest_failing(cell: Cell, case_ids: Collection[str], evidence: Evidence) -> Nearest | None:
    """Return the nearest cell that fails in one of some cases, None where no cell of the operator does."""
    entries = evidence.entries.get(cell.operator, ())
    chosen = [entry for entry in entries if entry.ending is not Ending.AGREES and entry.case_id in case_ids]
    return _nearest(cell, chosen, evidence)


def _nearest(cell: Cell, chosen: Sequence[Entry], evidence: Evidence) -> Nearest | None:
    if not chosen:
        return None
    ruler = _Ruler(cell, evidence)
    entry = min(chosen, key=lambda entry: (ruler.distance(entry.cell), not entry.proved, entry.case_id))
    return Nearest(entry=entry, distance=ruler.distance(entry.cell), differences=ruler.differences(entry.cell))


class _Ruler:
    """Measures how far cells of an operator are from one of them."""

    def __init__(self, cell: Cell, evidence: Evidence) -> None:
        self._operator = cell.operator
        self._facets = frozenset(cell.facets)
        self._here = cell.by_name
        self._evidence = evidence
        self._known: dict[tuple[str, str], float] = {}

    def distance(self, other: Cell) -> float:
        """Return the distance to a cell of the same operator."""
        there = other.facet_set
        lacking = self._facets - there
        names = {name for name, _ in lacking}
        more = (pair for pair in there - self._facets if pair[0] not in self._here)
        known = other.by_name if lacking else {}
        return sum(self._apart(name, known.get(name, "")) for name in names) + sum(
            self._apart(name, value) for name, value in more
        )

    def differences(self, other: Cell) -> tuple[Difference, ...]:
        """Return the facets in which a cell differs, the most telling first."""
        there = other.by_name
        found = [
            Difference(facet=name, here=self._here.get(name, ""), tested=there.get(name, ""))
            for name in {*self._here, *there}
            if self._here.get(name) != there.get(name)
        ]
        return tuple(sorted(found, key=lambda one: (-self._apart(one.facet, one.tested), one.facet)))

    def _apart(self, name: str, value: str) -> float:
        """Return how far a value of a facet is from the one here; empty where there is none."""
        if (name, value) not in self._known:
            here = worth(self._operator, name, self._here.get(name, ""), self._evidence)
            there = worth(self._operator, name, value, self._evidence)
            self._known[name, value] = _EACH + math.dist(here, there)
        return self._known[name, value]


def worth(operator: str, name: str, value: str, evidence: Evidence) -> tuple[float, ...]:
    """Return the weights of a value of a facet, one of each of `ENDINGS`; zeros where there is none."""
    key = (operator, name, value)
    if key not in evidence.worths:
        total = np.zeros(len(ENDINGS))
        for feature, new in facet_features(*key) if value else ():
            known = feature if feature in evidence.weights else new
            if known is not None and known in evidence.weights:
                total = total + evidence.weights[known]
        evidence.worths[key] = tuple(total.tolist())
    return evidence.worths[key]
