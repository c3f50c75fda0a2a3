"""The positions of the marks in the page's two plots: headroom of the cases, and agreeing cases by run.

Pure geometry in the units of a viewBox; the template draws.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.core.result import CaseResult
from burn_verify.report.summary.ends import headroom_of
from burn_verify.report.summary.findings import PastRun
from burn_verify.report.summary.states import WRONG, state_of
from burn_verify.report.summary.totals import percent_after

WIDTH: Final = 560
HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 26, 44

_LEAST: Final = -6
_MOST: Final = 3
"""Decades of the bound that have a bar of their own; beyond, the outermost bar counts all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A bar or a point; `label` is its text."""

    x: float
    y: float
    width: float
    height: float
    label: str
    name: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot: marks, lines through points, and its summary as text.

    Attributes:
        lines: points of a polyline, by label.
        limit: x of the line at the bound.
        most: what stands at the top of the axis; of runs with other selections the share that agrees is drawn.
        silent: number of cases that it cannot show.
    """

    marks: tuple[Mark, ...]
    most: str
    summary: str
    lines: tuple[tuple[str, str], ...] = ()
    limit: float | None = None
    silent: int = 0


def headroom(results: Iterable[CaseResult]) -> Plot | None:
    """Return a histogram of error over bound, by decades; None where no bound is recorded."""
    compared = [result for result in results if result.metrics]
    used = [(result, part) for result in compared if (part := headroom_of(result)) is not None]
    if not used:
        return None
    right: Counter[int] = Counter()
    wrong: Counter[int] = Counter()
    for result, part in used:
        (wrong if state_of(result) is WRONG else right)[_decade(part)] += 1
    most = max((right + wrong).values())
    places = range(_LEAST - 1, _MOST + 1)
    step = (WIDTH - _LEFT - _RIGHT) / len(places)
    marks: list[Mark] = []
    for place, decade in enumerate(places):
        base = 0
        for counts, tone, word in ((right, "good", "agree"), (wrong, "wrong", "wrong")):
            if count := counts[decade]:
                height = (HEIGHT - _TOP - _BOTTOM) * count / most
                below = (HEIGHT - _TOP - _BOTTOM) * base / most
                marks.append(
                    Mark(
                        x=_LEFT + place * step + 2,
                        y=HEIGHT - _BOTTOM - below - height,
                        width=step - 4,
                        height=max(height, 1),
                        label=f"{_name(decade)}: {count} {word}",
                        name=_name(decade),
                        tone=tone,
                    )
                )
                base += count
    beyond = sum(part > 1 for _, part in used)
    return Plot(
        marks=tuple(marks),
        most=str(most),
        limit=_LEFT + (2 - _LEAST) * step,
        silent=len(compared) - len(used),
        summary=f"{len(used) - beyond} of {len(used)} cases stay within their bound",
    )


def axis() -> tuple[tuple[float, str], ...]:
    """Return x and text of the labels below the histogram."""
    places = range(_LEAST - 1, _MOST + 1)
    step = (WIDTH - _LEFT - _RIGHT) / len(places)
    return tuple((_LEFT + (place + 0.5) * step, _short(decade)) for place, decade in enumerate(places))


def history(past: Sequence[PastRun]) -> Plot | None:
    """Return the counts of cases that agree over the runs, a line a target; None for less than two runs."""
    runs = list(dict.fromkeys(run.name for run in past))
    if len(runs) < 2:
        return None
    most = max(max(run.total for run in past), 1)
    # Where the selection changed, counts would show its growth as progress.
    shares = len({run.total for run in past}) > 1
    step = (WIDTH - _LEFT - _RIGHT) / (len(runs) - 1)
    marks, lines = [], []
    for label in dict.fromkeys(run.label for run in past):
        points = []
        for run in (run for run in past if run.label == label):
            x = _LEFT + runs.index(run.name) * step
            part = run.agree / (max(run.total, 1) if shares else most)
            y = HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * part
            points.append(f"{x:.1f},{y:.1f}")
            label_text = f"{run.name}, {label}: {run.agree} of {run.total} agree{percent_after(run.agree, run.total)}"
            marks.append(Mark(x=x, y=y, width=0, height=0, label=label_text, name=run.name, tone="good"))
        lines.append((label, " ".join(points)))
    own = [run for run in past if run.label == past[0].label]
    first, last = own[0], own[-1]
    which = f" ({first.label})" if len(lines) > 1 else ""
    return Plot(
        marks=tuple(marks),
        most="100%" if shares else str(most),
        lines=tuple(lines),
        summary=f"{first.agree} of {first.total} agreed in {first.name}, "
        f"{last.agree} of {last.total} in {last.name}{which}",
    )


def _decade(part: float) -> int:
    """Return the decade of a part of the bound: 0 holds what is above 1/10 and up to the bound itself."""
    if not part > 0:
        return _LEAST - 1 if part == 0 else _MOST
    if math.isinf(part):
        return _MOST
    return min(max(math.ceil(math.log10(part)), _LEAST), _MOST)


def _name(decade: int) -> str:
    if decade < _LEAST:
        return "exact"
    if decade == _LEAST:
        return f"up to {_power(decade)} of the bound"
    if decade == _MOST:
        return f"above {_power(decade - 1)} bounds"
    return f"{_power(decade - 1)} to {_power(decade)} of the bound"


def _short(decade: int) -> str:
    if decade < _LEAST:
        return "exact"
    return f">{_power(decade - 1)}" if decade == _MOST else f"≤{_power(decade)}"


def _power(decade: int) -> str:
    return f"{10**decade}" if decade >= 0 else f"1e{decade}"
