"""The evidence of a target: cells whose ending is known, the cases that show them, and the weights learned of them.

Encodes and decodes the packaged file; `gather` makes evidence of results.
"""

import functools
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np

from burn_verify.core.target import Target
from burn_verify.forecast.cells import Cell
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.features import Feature
from burn_verify.forecast.learn import Floats

SURE: Final = 0.9
"""The least probability at which a forecast is given; reports/forecast.md shows what it costs."""

_SCHEMA: Final = 1
_SCALE: Final = 100
"""Weights are kept as whole numbers of hundredths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A cell and how it ended in a case.

    Attributes:
        proved: whether the case proves the numbers; False where it only ran, or failed.
        case_id: of the smallest case that shows it.
    """

    cell: Cell
    ending: Ending
    proved: bool
    case_id: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a target.

    Attributes:
        burn, burn_onnx, backend: the target, with the default options of the conversion.
        made: when the cases were run, with which versions, and how many they were.
        entries: by operator.
        weights: by feature, float64[5] in the order of `ENDINGS`.
        unsupported: operators that burn-onnx refused in every case.
        declared: the operators that the sources of burn-onnx declare; empty where that is not known.
        sure: the least probability at which a forecast is given.
    """

    burn: str
    burn_onnx: str
    backend: str
    made: Mapping[str, Any]
    entries: Mapping[str, tuple[Entry, ...]]
    weights: Mapping[Feature, Floats]
    unsupported: frozenset[str]
    declared: frozenset[str] = frozenset()
    sure: float = SURE

    def only_ending_of(self, cell: Cell) -> Ending | None:
        """Return how an equal cell ended; None where there is none, or it ended in several ways."""
        endings = self._endings.get(cell, frozenset())
        return next(iter(endings)) if len(endings) == 1 else None

    @functools.cached_property
    def worths(self) -> dict[Feature, tuple[float, ...]]:
        """The summed weights of single facets, filled by those that ask for them."""
        return {}

    @functools.cached_property
    def _endings(self) -> Mapping[Cell, frozenset[Ending]]:
        found: dict[Cell, frozenset[Ending]] = {}
        for entries in self.entries.values():
            for entry in entries:
                found[entry.cell] = found.get(entry.cell, frozenset()) | {entry.ending}
        return found


def packaged(target: Target) -> Evidence | None:
    """Return the packaged evidence of a target; None where there is none of its version and backend."""
    return _packaged(target.burn, target.backend)


@functools.cache
def digest_of_packaged(target: Target) -> str:
    """Return a digest (hex) of the packaged evidence of a target; empty where there is none."""
    content = _content(target.burn, target.backend)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def file_name(burn: str, backend: str) -> str:
    """Return the name of the packaged file of a target."""
    return f"{burn}-{backend}.json.gz"


@functools.cache
def _packaged(burn: str, backend: str) -> Evidence | None:
    content = _content(burn, backend)
    return None if content is None else decoded(content)


def _content(burn: str, backend: str) -> bytes | None:
    """Return the packaged file of a target; None where there is none."""
    found = resources.files("burn_verify") / "data" / "evidence" / file_name(burn, backend)
    return found.read_bytes() if found.is_file() else None


def encoded(evidence: Evidence) -> bytes:
    """Return the file of evidence; equal for equal evidence."""
    facets: dict[tuple[str, str], int] = {}
    cases: dict[str, int] = {}
    operators = {
        operator: [
            [
                [facets.setdefault(facet, len(facets)) for facet in entry.cell.facets],
                ENDINGS.index(entry.ending),
                int(entry.proved),
                cases.setdefault(entry.case_id, len(cases)),
            ]
            for entry in entries
        ]
        for operator, entries in sorted(evidence.entries.items())
    }
    data = {
        "schema": _SCHEMA,
        "target": [evidence.burn, evidence.burn_onnx, evidence.backend],
        "made": dict(evidence.made),
        "operators": operators,
        "weights": _weights_to_json(evidence.weights),
        "unsupported": sorted(evidence.unsupported),
        "declared": sorted(evidence.declared),
        "sure": evidence.sure,
        "facets": list(facets),
        "cases": list(cases),
    }
    return gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 9, mtime=0)


def decoded(content: bytes) -> Evidence:
    """Return the evidence of a file.

    Raises:
        ValueError: it is no such file, or one of another version.
    """
    try:
        data = json.loads(gzip.decompress(content))
        if data["schema"] != _SCHEMA:
            message = f"evidence of another version: {data['schema']}"
            raise ValueError(message)
        facets = [(name, value) for name, value in data["facets"]]
        burn, burn_onnx, backend = data["target"]
        return Evidence(
            burn=burn,
            burn_onnx=burn_onnx,
            backend=backend,
            made=data["made"],
            entries={
                operator: tuple(_entry(operator, row, facets, data["cases"]) for row in rows)
                for operator, rows in data["operators"].items()
            },
            weights=_weights_from_json(data["weights"]),
            unsupported=frozenset(data["unsupported"]),
            declared=frozenset(data["declared"]),
            sure=data["sure"],
        )
    except (OSError, EOFError, KeyError, TypeError, IndexError) as error:
        message = f"no file of evidence: {error!r}"
        raise ValueError(message) from error


def _entry(operator: str, row: Any, facets: list[tuple[str, str]], cases: list[str]) -> Entry:
    places, ending, proved, case = row
    cell = Cell(operator, tuple(facets[place] for place in places))
    return Entry(cell=cell, ending=ENDINGS[ending], proved=bool(proved), case_id=cases[case])


def _weights_to_json(weights: Mapping[Feature, Floats]) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Return rounded weights by operator, name and value; those that round to nothing are left out."""
    found: dict[str, dict[str, dict[str, list[int]]]] = {}
    for (operator, name, value), floats in sorted(weights.items()):
        whole = np.rint(floats * _SCALE).astype(int).tolist()
        if any(whole):
            found.setdefault(operator, {}).setdefault(name, {})[value] = whole
    return found


def _weights_from_json(data: Mapping[str, Any]) -> dict[Feature, Floats]:
    keys: list[Feature] = []
    rows: list[list[int]] = []
    for operator, names in data.items():
        for name, values in names.items():
            keys += [(operator, name, value) for value in values]
            rows += values.values()
    table = np.asarray(rows, dtype=np.float64).reshape(-1, len(ENDINGS)) / _SCALE
    return dict(zip(keys, table, strict=True))


def by_operator(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    """Return entries by operator, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.cell.operator, []).append(entry)
    return {operator: tuple(some) for operator, some in found.items()}
