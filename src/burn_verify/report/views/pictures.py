"""The bars of the page: how far cases came on each target, and the times of both programs, as positions.

Pure geometry in the units of a viewBox; the template draws, and writes the same numbers into tables.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.core.latency import Side
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import Outcome
from burn_verify.core.targets import age
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.ends import End, end_of, is_model
from burn_verify.report.summary.findings import Counts, counts_of
from burn_verify.report.summary.totals import percent
from burn_verify.report.views.latency import ratio_text, seconds

WIDTH: Final = 560
STAGES_HEIGHT: Final = 30
ROW: Final = 44
_SHORTEST: Final = 2.0
_LETTER: Final = 12.0
"""Units that a character of a label takes where the page is 390 pixels wide."""

_STEPS: Final[tuple[tuple[str, str, str, tuple[End, ...]], ...]] = (
    ("refused", "⊖", "refused", (End.REFUSED,)),
    ("no Burn value", "◇", "refused soft", (End.NO_VALUE,)),
    ("does not compile", "■", "failed", (End.NO_PROGRAM,)),
    ("fails at run time", "▲", "failed soft", (End.FAILED,)),
    ("wrong", "✗", "wrong", (End.WRONG,)),
    ("no evidence", "?", "neutral", (End.RANDOM, End.INSENSITIVE, End.DEVICE, End.NOT_SERVABLE, End.SILENT)),
    ("agrees", "✓", "good", (End.AGREES,)),
)
"""How far a case came, with the ends that say so; what is missing is no evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a bar; `label` is empty where it does not fit."""

    x: float
    width: float
    tone: str
    word: str
    symbol: str
    count: int
    share: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBar:
    """How far the models, or the other cases, of a target came."""

    target: str
    what: str
    total: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBar:
    """The median of one program as a bar from the left, and its least and 95th percentile as a line."""

    width: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One case: the bars of both programs; None where one was not timed. `y` is the top of its row."""

    name: str
    y: float
    burn: TimeBar | None
    onnxruntime: TimeBar | None
    ratio: str
    struck: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Bars on a logarithmic axis; `ticks` are x and text."""

    rows: tuple[Timed, ...]
    height: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Targets by version and backend: the place of a column and its counts, None where there is no such target."""

    backends: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, Counts] | None, ...]], ...]


def stage_words() -> tuple[str, ...]:
    """Return the words of a stage bar, in the order of its segments."""
    return tuple(word for word, *_ in _STEPS)


def stages(column: Column) -> tuple[StageBar, ...]:
    """Return the stage bars of a target: models, then other cases, without those of which there is none."""
    groups: Mapping[str, list[CaseResult]] = {"models": [], "small test cases": []}
    for result in column.record.results:
        groups["models" if is_model(result) else "small test cases"].append(result)
    lacking = column.total - len(column.record.results)
    bars = [_stage_bar(column.target.label, what, Counter(map(end_of, some))) for what, some in groups.items() if some]
    missing = [_stage_bar(column.target.label, "missing or not run", Counter({End.SILENT: lacking}))] if lacking else []
    return (*bars, *missing)


def _stage_bar(target: str, what: str, ends: Counter[End]) -> StageBar:
    total = sum(ends.values())
    x, segments = 0.0, []
    for word, symbol, tone, wanted in _STEPS:
        count = sum(ends[end] for end in wanted)
        width = WIDTH * count / total
        text = f"{symbol} {count}"
        label = text if width > len(text) * _LETTER + 4 else symbol if width > 2 * _LETTER else ""
        segments.append(
            Segment(
                x=x,
                width=max(width - 1, min(width, _SHORTEST)),
                tone=tone,
                word=word,
                symbol=symbol,
                count=count,
                share=percent(count, total),
                label=label,
            )
        )
        x += width
    return StageBar(target=target, what=what, total=total, segments=tuple(segments))


def times(results: Iterable[CaseResult]) -> Times | None:
    """Return the bars of the cases that were timed, None where none was."""
    timed = [result for result in results if result.latency and (result.latency.burn or result.latency.onnxruntime)]
    steady = [side.steady for result in timed for side in _sides(result) if side is not None]
    values = [value for each in steady for value in (each.minimum, each.p95, each.median) if value > 0]
    if not values:
        return None
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)

    def place(value: float) -> float:
        return WIDTH * (math.log10(value) - low) / (high - low) if value > 0 else 0.0

    def bar(side: Side | None) -> TimeBar | None:
        if side is None:
            return None
        found = side.steady
        text = f"{seconds(found.median)} ({seconds(found.minimum)} to {seconds(found.p95)})"
        return TimeBar(width=max(place(found.median), 1), low=place(found.minimum), high=place(found.p95), text=text)

    rows = []
    for number, result in enumerate(timed):
        burn, runtime = map(bar, _sides(result))
        rows.append(
            Timed(
                name=result.case_id,
                y=float(number * ROW),
                burn=burn,
                onnxruntime=runtime,
                ratio=ratio_text(result.latency.ratio) if result.latency else "",
                struck=result.verdict == VerdictName.DISAGREES or result.outcome is Outcome.SKIPPED,
            )
        )
    ticks = tuple((place(10.0**decade), seconds(10.0**decade)) for decade in range(low, high + 1))
    return Times(rows=tuple(rows), height=float(len(rows) * ROW), ticks=ticks)


def _sides(result: CaseResult) -> tuple[Side | None, Side | None]:
    assert result.latency is not None
    return result.latency.burn, result.latency.onnxruntime


def grid(columns: Sequence[Column]) -> Grid:
    """Return targets by version, the newest first, and backend; options that are not the default are in the version."""
    ordered = sorted(columns, key=lambda column: age(column.target))
    backends = tuple(dict.fromkeys(column.target.backend or "no backend" for column in ordered))
    versions = dict.fromkeys(_version(column) for column in columns)
    places = {(_version(column), column.target.backend or "no backend"): at for at, column in enumerate(columns)}
    rows = []
    for version in versions:
        cells: list[tuple[int, Counts] | None] = []
        for backend in backends:
            at = places.get((version, backend))
            cells.append(None if at is None else (at, counts_of(columns[at])))
        rows.append((version, tuple(cells)))
    return Grid(backends=backends, rows=tuple(rows))


def _version(column: Column) -> str:
    """Return the name of a target without its backend."""
    words = column.target.name.split(" ")
    return " ".join(word for word in words if word != column.target.backend)
