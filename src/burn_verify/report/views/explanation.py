"""A forecast of a model as text for a terminal and as JSON.

Takes values and gives text; decides nothing.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tabulate import tabulate

from burn_verify.core.target import Target
from burn_verify.core.text import counted, harmless, one_line, shortened
from burn_verify.forecast.cells import INTERFACE, TENSOR, Placed
from burn_verify.forecast.endings import ENDINGS, Ending, State
from burn_verify.forecast.evidence import Evidence
from burn_verify.forecast.model import CellForecast, ModelForecast, grouped
from burn_verify.forecast.nearest import Difference, Nearest

_ROWS: Final = 40
"""The greatest number of rows of a table."""
_SHOWN: Final = 2
"""So many differences to the nearest cell are told."""
_CELL: Final = 44
_LEAST: Final = 100
_ORDER: Final = (
    *(State.REFUSED, State.DOES_NOT_COMPILE, State.FAILS, State.REFUTED, State.UNTESTED, State.RUNS, State.VERIFIED),
)
_VERBS: Final = {
    Ending.REFUSED: "will be refused",
    Ending.DOES_NOT_COMPILE: "will not compile",
    Ending.FAILS: "will fail at run time",
}


def as_text(
    name: str,
    target: Target,
    forecast: ModelForecast,
    evidence: Evidence,
    width: int,
    rewriting: Sequence[str] = (),
) -> str:
    """Return the headline, a row for each kind of node, the first thing to change, and what the evidence is.

    Arguments:
        rewriting: sentences about what rewriting may do, for a model that may fail.
    """
    parts = [f"{name} on {target.label}: {headline(forecast)}", _table(forecast, max(width, _LEAST))]
    notes = [*first_change(forecast), *forecast.doubts]
    notes += rewriting
    parts += (
        ["\n".join(textwrap.fill(note, max(width, _LEAST), subsequent_indent="  ") for note in notes)] if notes else []
    )
    parts.append(source_of(target, evidence))
    return harmless("\n\n".join(parts))


def as_json(name: str, target: Target, forecast: ModelForecast, evidence: Evidence) -> dict[str, Any]:
    """Return everything about the forecast of a model: JSON values only."""
    return {
        "model": name,
        "target": {"burn": target.burn, "burn_onnx": target.burn_onnx, "backend": target.backend},
        "forecast": forecast.ending.value if forecast.ending else "cannot say",
        "probability": round(forecast.sure, 4),
        "headline": headline(forecast),
        "first": list(first_change(forecast)),
        "doubts": list(forecast.doubts),
        "nodes": [_node_json(placed, found) for placed, found in forecast.cells],
        "evidence": dict(evidence.made),
    }


def headline(forecast: ModelForecast) -> str:
    """Return the forecast in one line, with the nodes that decide it."""
    guilty = [pair for pair in forecast.obstacles if pair[1].ending is forecast.ending]
    match forecast.ending:
        case Ending.AGREES:
            return "should agree"
        case Ending.WRONG if guilty:
            places = f"{counted(len(guilty), 'node')} {'computes' if len(guilty) == 1 else 'compute'} wrong numbers"
            return f"will run, {places}: {_named(*guilty[0])}"
        case Ending.WRONG:
            return f"will run, and compute wrong numbers, most likely in {_suspect(forecast, Ending.WRONG)}"
        case None:
            return f"cannot say: {_doubts(forecast)}"
    verb = _VERBS[forecast.ending]
    if not guilty:
        return f"{verb}, most likely for {_suspect(forecast, forecast.ending)}"
    operators = {found.cell.operator for _, found in guilty}
    return f"{verb}: {counted(len(guilty), 'node')} of {counted(len(operators), 'operator')}"


def _suspect(forecast: ModelForecast, ending: Ending) -> str:
    """Return the node that is likeliest to end so, of a model in which none is sure to."""
    place = ENDINGS.index(ending)
    placed, found = max(forecast.cells, key=lambda pair: float(pair[1].likely[place]))
    return f"{found.cell.operator} {placed.label}".strip()


def source_of(target: Target, evidence: Evidence) -> str:
    """Return what the forecast rests on, in one line."""
    made = evidence.made
    date = str(made.get("started", "")).partition("T")[0]
    run = f"{made.get('cases', 'some')} cases of {date} on Burn {evidence.burn} {evidence.backend}"
    other = "" if target.simplify and target.partition else "; they were converted with the default options"
    return f"evidence: {run} with burn-onnx {evidence.burn_onnx}{other}"


def _doubts(forecast: ModelForecast) -> str:
    untested = [pair for pair in forecast.untested if pair[0].number] or list(forecast.untested)
    if not untested and forecast.doubts:
        return forecast.doubts[0]
    if not untested:
        placed, weakest = min(forecast.cells, key=lambda pair: float(pair[1].likely.max()))
        where = f"{weakest.cell.operator} {placed.label}".strip()
        return f"every node has an ending of its own, the whole only one of {forecast.sure:.0%}; the weakest is {where}"
    operators = list(dict.fromkeys(found.cell.operator for _, found in untested))
    names = ", ".join(operators[:3]) + (" …" if len(operators) > 3 else "")
    return f"nothing near enough was tested for {counted(len(untested), 'node')} of {names}"


def _named(placed: Placed, found: CellForecast) -> str:
    """Return operator, name, what tells most, and the case that says so."""
    told = f", {found.telling[0]}={found.telling[1]}" if found.telling else ""
    case = f", see {found.nearest.entry.case_id}" if found.nearest else ""
    return f"{found.cell.operator} {placed.label}{told}{case}"


def _table(forecast: ModelForecast, width: int) -> str:
    rows = sorted(_rows(forecast), key=lambda row: _ORDER.index(row[0].state))
    shown = [_row(found, places) for found, places in rows[:_ROWS]]
    headers = ["state", "operator", "node", "nearest tested", "which differs in"]
    text = tabulate(shown, headers=headers, disable_numparse=True)
    if len(rows) > _ROWS:
        rest = Counter(found.state for found, _ in rows[_ROWS:])
        more = ", ".join(f"{count} {state}" for state, count in rest.items())
        text += f"\n{len(rows) - _ROWS} more kinds of node: {more}; --json lists every node"
    return text


def _rows(forecast: ModelForecast) -> Iterator[tuple[CellForecast, Sequence[Placed]]]:
    """Yield nodes of one state, operator and case together; constants and the interface only where they are told of."""
    together: dict[tuple[str, ...], tuple[CellForecast, list[Placed]]] = {}
    for found, places in grouped(forecast.cells):
        quiet = found.cell.operator in (TENSOR, INTERFACE) and found.state in (State.VERIFIED, State.RUNS)
        if not quiet:
            key = (found.state, found.cell.operator, found.why or _tested(found.nearest))
            together.setdefault(key, (found, []))[1].extend(places)
    yield from together.values()


def _row(found: CellForecast, places: Sequence[Placed]) -> list[str]:
    name = shortened(one_line(places[0].label), _CELL)
    return [
        found.state.value,
        shortened(one_line(found.cell.operator), _CELL),
        name + (f" and {len(places) - 1} more" if len(places) > 1 else ""),
        found.why or _tested(found.nearest),
        "" if found.why else shortened(one_line(_differences(found.nearest)), 2 * _CELL),
    ]


def _tested(near: Nearest | None) -> str:
    return shortened(near.entry.case_id, 2 * _CELL) if near else "nothing"


def _differences(near: Nearest | None) -> str:
    if near is None:
        return ""
    told = [difference_text(one) for one in near.differences[:_SHOWN]]
    more = len(near.differences) - len(told)
    return "; ".join(told) + (f" and {more} more" if more > 0 else "")


def difference_text(difference: Difference) -> str:
    """Return a facet that differs: ``axes is: computed (tested: initializer)``."""
    here, tested = (value or "unknown" for value in (difference.here, difference.tested))
    return f"{difference.facet}: {here} (tested: {tested})"


def first_change(forecast: ModelForecast) -> Iterator[str]:
    """Yield the first thing to change, of a model with a node that is expected to fail."""
    if not forecast.obstacles:
        return
    placed, found = forecast.obstacles[0]
    where = f"{found.cell.operator} {placed.label}".strip()
    if found.why:
        yield f"first thing to change: {where}: {found.why}; express it in other operators"
    elif found.agreeing and found.agreeing.differences:
        told = "; ".join(
            f"{one.facet} {one.tested or 'unknown'} instead of {one.here or 'unknown'}"
            for one in found.agreeing.differences[:_SHOWN]
        )
        more = len(found.agreeing.differences) - _SHOWN
        rest = f", and {counted(more, 'more difference')}" if more > 0 else ""
        yield f"first thing to change: {where}: {found.agreeing.entry.case_id} agrees, with {told}{rest}"
    else:
        yield f"first thing to change: {where}: no tested case of it agrees; express it in other operators"


def _node_json(placed: Placed, found: CellForecast) -> Mapping[str, Any]:
    near = found.nearest
    return {
        "node": placed.name,
        "outputs": list(placed.outputs),
        "operator": found.cell.operator,
        "number": placed.number,
        "state": found.state.value,
        "probability": round(float(found.likely.max()), 4),
        "case": near.entry.case_id if near else None,
        "distance": round(near.distance, 3) if near else None,
        "differs": [{"facet": one.facet, "here": one.here, "tested": one.tested} for one in near.differences]
        if near
        else [],
        **({"why": found.why} if found.why else {}),
        **({"telling": list(found.telling)} if found.telling else {}),
    }
