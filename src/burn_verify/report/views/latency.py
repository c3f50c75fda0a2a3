"""Latency beside the verdict: times, and costs of the build, as rows and as tables.

Times of a case that disagrees are struck through, since the speed of a wrong answer is no result. Computes no
statistics: see `burn_verify.run.latency.samples`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tabulate import tabulate

from burn_verify.core.latency import CONFIDENCE, Latency, Ratio, Side
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import Outcome
from burn_verify.core.text import counted, one_line
from burn_verify.report.views.markdown import escape, table

SPEED: Final = ("case", "verdict", "Burn", "ONNX Runtime", "Burn / ORT")
CALLS: Final = (
    *("case", "calls", "min", "p95", "IQR", "inputs", "load", "first call"),
    *("ORT calls", "ORT min", "ORT p95", "ORT IQR", "ORT load", "ORT first call"),
)
COST: Final = (
    *("case", "codegen", "rustc", "rustc peak", "link", "lines / node", "binary", "weights"),
    *("resident", "ORT resident"),
)
_TEXTS: Final = ("case", "verdict")
_NOISY: Final = "too noisy to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case in the tables; texts, each in one line.

    Attributes:
        speed, calls, cost: in the order of `SPEED`, `CALLS` and `COST`.
        struck: the times are not valid.
        remark: why, or another remark; often empty.
    """

    speed: tuple[str, ...]
    calls: tuple[str, ...]
    cost: tuple[str, ...]
    struck: bool
    remark: str


def rows(results: Iterable[CaseResult]) -> list[Row]:
    """Return a row a case that was measured."""
    return [row_of(result, result.latency) for result in results if result.latency is not None]


def sentence(results: Iterable[CaseResult]) -> str:
    """Return how the times were taken; empty without times."""
    measured = [result.latency for result in results if result.latency is not None]
    if not measured:
        return ""
    profiles = ", ".join(sorted({latency.profile for latency in measured}))
    threads = ", ".join(map(str, sorted({latency.threads for latency in measured})))
    loads = [latency.load_average for latency in measured if latency.load_average is not None]
    ends = sorted({f"{min(loads):g}", f"{max(loads):g}"}, key=float) if loads else []
    load = f", load average of the machine {' to '.join(ends)}" if ends else ""
    return (
        f"{counted(len(measured), 'case')} timed in the profile {profiles}, threads of either side: {threads}{load}; "
        f"medians, and the ratio of medians with its interval of {CONFIDENCE:.0%}"
    )


def as_text(results: Sequence[CaseResult]) -> str:
    """Render the tables for a terminal; times that do not count stand between tildes."""
    made = rows(results)
    if not made:
        return ""
    parts = [sentence(results), *(f"{row.speed[0]}: {row.remark}" for row in made if row.remark)]
    return "\n\n".join([*(_text_table(*table) for table in _tables(made, "~{}~")), "\n".join(parts)])


def as_markdown(results: Sequence[CaseResult]) -> str:
    """Render the tables in Markdown, without a title; empty where nothing was measured."""
    made = rows(results)
    if not made:
        return ""
    tables = [_markdown_table(*one) for one in _tables([_escaped(row) for row in made], "~~{}~~")]
    remarks = "\n".join(f"- {escape(row.speed[0])}: {escape(row.remark)}" for row in made if row.remark)
    return "\n\n".join(filter(None, [f"{escape(sentence(results))}.", *tables, remarks]))


def seconds(value: float) -> str:
    """Return a time with three digits and its unit."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor:
            return f"{_three_digits(value / factor)} {unit}"
    return f"{_three_digits(value * 1e9)} ns"


def size(value: int | None) -> str:
    """Return a number of bytes with three digits and its unit; empty for None."""
    if value is None:
        return ""
    for factor, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= factor:
            return f"{_three_digits(value / factor)} {unit}"
    return f"{value} B"


def ratio_text(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, or that it is too noisy."""
    if ratio is None:
        return ""
    interval = f"({ratio.low:.2f} to {ratio.high:.2f})"
    return f"{_NOISY} {interval}" if ratio.noisy else f"{ratio.value:.2f} {interval}"


def row_of(result: CaseResult, latency: Latency) -> Row:
    """Return the row of a case that was measured."""
    burn, runtime, cost = latency.burn, latency.onnxruntime, latency.cost
    struck = result.verdict == VerdictName.DISAGREES or result.outcome is Outcome.SKIPPED
    name = one_line(result.case_id)
    return Row(
        speed=(name, _verdict(result), _median(burn), _median(runtime), ratio_text(latency.ratio)),
        calls=(
            name,
            *_calls(burn),
            seconds(burn.prepare) if burn else "",
            *_begun(burn),
            *_calls(runtime),
            *_begun(runtime),
        ),
        cost=(
            name,
            seconds(cost.codegen),
            seconds(cost.rustc),
            size(cost.rustc_peak),
            seconds(cost.link),
            f"{cost.lines_per_node:.1f}",
            size(cost.binary),
            size(cost.weights),
            size(burn.grown) if burn else "",
            size(runtime.grown) if runtime else "",
        ),
        struck=struck,
        remark=_remark(result, latency, struck),
    )


def _calls(side: Side | None) -> tuple[str, ...]:
    if side is None:
        return ("",) * 4
    steady = side.steady
    return f"{steady.calls}", seconds(steady.minimum), seconds(steady.p95), seconds(steady.iqr)


def _begun(side: Side | None) -> tuple[str, ...]:
    return ("",) * 2 if side is None else (seconds(side.load), seconds(side.first))


def _verdict(result: CaseResult) -> str:
    verdict = (result.verdict or "").replace("_", " ")
    over = result.outcome is Outcome.FAILED and result.verdict != VerdictName.DISAGREES
    return f"{verdict}, {one_line(result.reason)}" if over else verdict


def _remark(result: CaseResult, latency: Latency, struck: bool) -> str:
    parts = [f"struck out: {one_line(result.message) or 'it was skipped'}"] if struck else []
    parts += [one_line(latency.why)] if latency.why else []
    for name, side in (("Burn", latency.burn), ("ONNX Runtime", latency.onnxruntime)):
        if side is not None and not side.stable:
            parts.append(f"{name} was not steady after {counted(side.warm_calls, 'call')}")
    return "; ".join(parts)


def _median(side: Side | None) -> str:
    return seconds(side.steady.median) if side else ""


def _tables(made: Sequence[Row], mark: str) -> list[tuple[Sequence[str], list[tuple[str, ...]]]]:
    """Return names and cells of each table; what does not count is marked."""
    return [
        (SPEED, [_marked(SPEED, row.speed, mark) if row.struck else row.speed for row in made]),
        (CALLS, [_marked(CALLS, row.calls, mark) if row.struck else row.calls for row in made]),
        (COST, [row.cost for row in made]),
    ]


def _marked(names: Sequence[str], cells: Sequence[str], mark: str) -> tuple[str, ...]:
    pairs = zip(names, cells, strict=True)
    return tuple(mark.format(cell) if cell and name not in _TEXTS else cell for name, cell in pairs)


def _text_table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    align = ["left" if name in _TEXTS else "right" for name in names]
    return tabulate(cells, headers=names, disable_numparse=True, colalign=align)


def _markdown_table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    return "\n".join(table(names, cells, right=[name for name in names if name not in _TEXTS]))


def _escaped(row: Row) -> Row:
    """Return a row whose cells are safe in Markdown; what is marked is marked afterwards."""
    speed, calls, cost = (tuple(map(escape, cells)) for cells in (row.speed, row.calls, row.cost))
    return replace(row, speed=speed, calls=calls, cost=cost)


def _three_digits(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"
