"""From the cells of a model and the evidence of a target to a forecast: of each node, and of the model.

Runs nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from burn_verify.forecast.cells import INTERFACE, TENSOR, Cell, Placed, cells
from burn_verify.forecast.endings import ENDINGS, STATE_OF, Ending, State
from burn_verify.forecast.evidence import Evidence
from burn_verify.forecast.features import features
from burn_verify.forecast.learn import Floats, softmax
from burn_verify.forecast.nearest import Nearest, nearest, nearest_agreeing, worth
from burn_verify.forecast.typed import typed
from burn_verify.forecast.unfit import unfit

_SURE: Final = 0.999
"""The probability of what is known: burn-onnx has no such operator, or an equal cell always ended so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellForecast:
    """What is to be expected of a cell.

    Attributes:
        likely: float64[5], the probability of each of `ENDINGS`.
        ending: the most likely one; None where it is not sure enough, or nothing like it was tested.
        nearest: the nearest tested cell with that ending; None where no cell of the operator was tested.
        agreeing: the nearest that agrees, of a cell that is expected to fail; None where there is none.
        telling: the facet and its value that speak most for the ending, of a cell that is expected to fail.
        why: what decides beside the evidence; empty where only the evidence does.
    """

    cell: Cell
    likely: Floats
    ending: Ending | None
    nearest: Nearest | None
    agreeing: Nearest | None = None
    telling: tuple[str, str] | None = None
    why: str = ""

    @property
    def state(self) -> State:
        """The state of the node."""
        if self.ending is None:
            return State.UNTESTED
        if self.ending is Ending.AGREES and self.nearest is not None and not self.nearest.entry.proved:
            return State.RUNS
        return STATE_OF[self.ending]

    @property
    def fails(self) -> bool:
        """Whether it is expected to fail."""
        return self.ending not in (None, Ending.AGREES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelForecast:
    """What is to be expected of a model.

    Attributes:
        ending: None where it cannot be said.
        sure: the probability of the most likely ending.
        cells: the forecast of each cell, in the order of the model's.
        doubts: what of the whole model speaks against agreement, in a sentence each, and is in no case of the evidence.
    """

    ending: Ending | None
    sure: float
    cells: tuple[tuple[Placed, CellForecast], ...]
    doubts: tuple[str, ...] = ()

    @property
    def obstacles(self) -> tuple[tuple[Placed, CellForecast], ...]:
        """The cells that are expected to fail, those of the earliest stage first."""
        failing = [pair for pair in self.cells if pair[1].fails]
        return tuple(sorted(failing, key=lambda pair: ENDINGS.index(pair[1].ending or Ending.AGREES)))

    @property
    def untested(self) -> tuple[tuple[Placed, CellForecast], ...]:
        """The cells of which nothing can be said."""
        return tuple(pair for pair in self.cells if pair[1].ending is None)


def forecast_of(path: Path, evidence: Evidence, doubts: Sequence[str] = ()) -> ModelForecast:
    """Return the forecast of the model in a file.

    Arguments:
        doubts: see `ModelForecast`; what does not fit the definitions of its operators is added.

    Raises:
        ValueError: see `cells_of`.
    """
    model = _read(path)
    return forecast(cells(typed(model)), evidence, (*doubts, *unfit(model)))


def cells_of(path: Path) -> tuple[Placed, ...]:
    """Return the cells of the model in a file.

    Raises:
        ValueError: it is no model, or a damaged one; the message says so in one line.
    """
    return cells(typed(_read(path)))


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path, format="protobuf", load_external_data=False)
    except (OSError, DecodeError) as error:
        message = f"{path} cannot be read as an ONNX model: {error}"
        raise ValueError(message) from error


def forecast(placed: Sequence[Placed], evidence: Evidence, doubts: Sequence[str] = ()) -> ModelForecast:
    """Return the forecast of a model from its cells; one with doubts is never said to agree."""
    by_cell = {cell: of_cell(cell, evidence) for cell in dict.fromkeys(one.cell for one in placed)}
    ending, sure = _expected(found.likely for found in by_cell.values())
    return ModelForecast(
        ending=said(ending, sure, evidence, doubts),
        sure=sure,
        cells=tuple((one, by_cell[one.cell]) for one in placed),
        doubts=tuple(doubts),
    )


def said(ending: Ending, sure: float, evidence: Evidence, doubts: Sequence[str]) -> Ending | None:
    """Return the likeliest ending if it may be said, else None."""
    return None if sure < evidence.sure or (doubts and ending is Ending.AGREES) else ending


def expected(cells: Iterable[Cell], evidence: Evidence) -> tuple[Ending, float]:
    """Return the most likely ending of a model with these cells, and its probability."""
    return _expected(likely_endings(cell, evidence) for cell in dict.fromkeys(cells))


def _expected(likely: Iterable[Floats]) -> tuple[Ending, float]:
    shares = together(likely)
    place = int(shares.argmax())
    return ENDINGS[place], float(shares[place])


def of_cell(cell: Cell, evidence: Evidence) -> CellForecast:
    """Return the forecast of one cell."""
    likely = likely_endings(cell, evidence)
    place = int(likely.argmax())
    ending = ENDINGS[place] if likely[place] >= evidence.sure else None
    fails = ending not in (None, Ending.AGREES)
    return CellForecast(
        cell=cell,
        likely=likely,
        ending=ending,
        nearest=nearest(cell, ending, evidence),
        agreeing=nearest_agreeing(cell, evidence) if fails else None,
        telling=telling(cell, ending, evidence) if ending and fails else None,
        why=lacking(cell, evidence),
    )


def telling(cell: Cell, ending: Ending, evidence: Evidence) -> tuple[str, str] | None:
    """Return the facet whose weight for an ending, over that for agreement, is greatest; None where none speaks so."""
    place = ENDINGS.index(ending)
    margins = []
    for name, value in cell.facets:
        weights = worth(cell.operator, name, value, evidence)
        margins.append((weights[place] - weights[0], name, value))
    best = max(margins, default=(0.0, "", ""))
    return best[1:] if best[0] > 0 else None


def likely_endings(cell: Cell, evidence: Evidence) -> Floats:
    """Return the probability of each of `ENDINGS` for a cell; all alike where nothing of its operator was tested."""
    if lacking(cell, evidence):
        return _certain(Ending.REFUSED)
    if cell.operator not in evidence.entries:
        return np.full(len(ENDINGS), 1 / len(ENDINGS))
    if (ending := evidence.only_ending_of(cell)) is not None:
        return _certain(ending)
    found = {feature if feature in evidence.weights else new for feature, new in features(cell)}
    scores = np.zeros(len(ENDINGS))
    for feature in found:
        if feature is not None and feature in evidence.weights:
            scores = scores + evidence.weights[feature]
    return softmax(scores)


def _certain(expected: Ending) -> Floats:
    rest = (1.0 - _SURE) / (len(ENDINGS) - 1)
    return np.asarray([_SURE if ending is expected else rest for ending in ENDINGS])


def together(cells: Iterable[Floats]) -> Floats:
    """Return the probability of each ending of a model from those of its cells, taken as independent.

    A model ends at the first stage at which one of its cells fails.
    """
    table = np.asarray(list(cells)).reshape(-1, len(ENDINGS))
    fine = 1.0 - table
    found, still = [float(table[:, 0].prod())], 1.0
    for place in range(1, len(ENDINGS)):
        passes = float(fine[:, place].prod())
        found.append(still * (1.0 - passes))
        still *= passes
    shares = np.asarray(found)
    return shares / shares.sum() if shares.sum() else np.full(len(ENDINGS), 1 / len(ENDINGS))


def lacking(cell: Cell, evidence: Evidence) -> str:
    """Return in words that burn-onnx does not have a cell's operator; empty where it has, or that is not known."""
    operator = cell.operator
    if operator in (INTERFACE, TENSOR):
        return ""
    undeclared = evidence.declared and operator not in evidence.declared
    if operator in evidence.unsupported or (undeclared and not _was_taken(operator, evidence)):
        return f"burn-onnx {evidence.burn_onnx} has no {operator or 'node without an operator'}"
    return ""


def _was_taken(operator: str, evidence: Evidence) -> bool:
    return any(entry.ending is not Ending.REFUSED for entry in evidence.entries.get(operator, ()))


def grouped(cells: Sequence[tuple[Placed, CellForecast]]) -> Iterator[tuple[CellForecast, tuple[Placed, ...]]]:
    """Yield each forecast once, with the places that have it, in the order of the first ones."""
    places: dict[Cell, list[Placed]] = {}
    by_cell = {found.cell: found for _, found in cells}
    for placed, found in cells:
        places.setdefault(found.cell, []).append(placed)
    for cell, some in places.items():
        yield by_cell[cell], tuple(some)
