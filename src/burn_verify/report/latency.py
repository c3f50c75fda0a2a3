"""Latency beside the verdict: what was timed, and what it cost to get there, as rows and as tables.

Decides which times are shown as times: those of a case that disagrees are struck through, a fast wrong answer being no
achievement. Computes no statistics: see `burn_verify.samples`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tabulate import tabulate

from burn_verify.report.markdown import escape, table
from burn_verify.timings import CONFIDENCE, Latency, Ratio, Side
from burn_verify.types import CaseResult, Outcome
from burn_verify.words import counted, one_line

SPEED: Final = ("case", "verdict", "Burn", "ONNX Runtime", "Burn / ORT", "Burn p95", "IQR", "load", "first call")
COST: Final = (
    *("case", "codegen", "rustc", "rustc peak", "link", "lines / node", "binary", "weights"),
    *("resident", "ORT resident"),
)
_TEXT_COLUMNS: Final = 2
_NOISY: Final = "too noisy to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case in both tables; texts, each in one line.

    Attributes:
        speed, cost: in the order of `SPEED` and `COST`.
        struck: the times do not count.
        remark: why, or what else has to be said; often empty.
    """

    speed: tuple[str, ...]
    cost: tuple[str, ...]
    struck: bool
    remark: str


def rows(results: Iterable[CaseResult]) -> list[Row]:
    """Return a row a case that was measured."""
    return [_row(result, result.latency) for result in results if result.latency is not None]


def sentence(results: Iterable[CaseResult]) -> str:
    """Say how the times were taken; empty where nothing was."""
    measured = [result.latency for result in results if result.latency is not None]
    if not measured:
        return ""
    profiles = ", ".join(sorted({latency.profile for latency in measured}))
    threads = ", ".join(map(str, sorted({latency.threads for latency in measured})))
    loads = [latency.load_average for latency in measured if latency.load_average is not None]
    load = f", load average of the machine {min(loads):g} to {max(loads):g}" if loads else ""
    return (
        f"{counted(len(measured), 'case')} timed in the profile {profiles}, threads of either side: {threads}{load}; "
        f"medians, and the ratio of medians with its interval of {CONFIDENCE:.0%}"
    )


def as_text(results: Sequence[CaseResult]) -> str:
    """Render both tables for a terminal; times that do not count stand between tildes."""
    made = rows(results)
    if not made:
        return ""
    parts = [
        _text_table(SPEED, [_marked(row, "~{}~") for row in made]),
        _text_table(COST, [row.cost for row in made]),
        "\n".join([sentence(results), *(f"{row.speed[0]}: {row.remark}" for row in made if row.remark)]),
    ]
    return "\n\n".join(parts)


def as_markdown(results: Sequence[CaseResult]) -> str:
    """Render both tables in Markdown, without a title; empty where nothing was measured."""
    made = rows(results)
    if not made:
        return ""
    speed = [_marked(Row(speed=_escaped(row.speed), cost=(), struck=row.struck, remark=""), "~~{}~~") for row in made]
    remarks = [f"- {escape(row.speed[0])}: {escape(row.remark)}" for row in made if row.remark]
    parts = [
        escape(sentence(results)) + ".",
        "\n".join(table(SPEED, speed, right=SPEED[_TEXT_COLUMNS:])),
        "\n".join(table(COST, [_escaped(row.cost) for row in made], right=COST[1:])),
        *(["\n".join(remarks)] if remarks else []),
    ]
    return "\n\n".join(parts)


def seconds(value: float) -> str:
    """Say a time with three digits."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor:
            return f"{_three_digits(value / factor)} {unit}"
    return f"{_three_digits(value * 1e9)} ns"


def size(value: int | None) -> str:
    """Say a number of bytes with three digits; nothing of what is not known."""
    if value is None:
        return ""
    for factor, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= factor:
            return f"{_three_digits(value / factor)} {unit}"
    return f"{value} B"


def ratio_text(ratio: Ratio | None) -> str:
    """Say a ratio with its interval, or that it cannot be said."""
    if ratio is None:
        return ""
    interval = f"({ratio.low:.2f} to {ratio.high:.2f})"
    return f"{_NOISY} {interval}" if ratio.noisy else f"{ratio.value:.2f} {interval}"


def _row(result: CaseResult, latency: Latency) -> Row:
    burn, runtime, cost = latency.burn, latency.onnxruntime, latency.cost
    struck = result.verdict == "disagrees" or result.outcome is Outcome.SKIPPED
    return Row(
        speed=(
            one_line(result.case_id),
            _verdict(result),
            _median(burn),
            _median(runtime),
            ratio_text(latency.ratio),
            seconds(burn.steady.p95) if burn else "",
            seconds(burn.steady.iqr) if burn else "",
            seconds(burn.load) if burn else "",
            seconds(burn.first) if burn else "",
        ),
        cost=(
            one_line(result.case_id),
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


def _verdict(result: CaseResult) -> str:
    verdict = (result.verdict or "").replace("_", " ")
    over = result.outcome is Outcome.FAILED and result.verdict != "disagrees"
    return f"{verdict}, {one_line(result.reason)}" if over else verdict


def _remark(result: CaseResult, latency: Latency, struck: bool) -> str:
    said = [f"struck out: {one_line(result.message) or 'it was skipped'}"] if struck else []
    said += [one_line(latency.why)] if latency.why else []
    for name, side in (("Burn", latency.burn), ("ONNX Runtime", latency.onnxruntime)):
        if side is not None and not side.stable:
            said.append(f"{name} was not steady after {counted(side.warm_calls, 'call')}")
    return "; ".join(said)


def _median(side: Side | None) -> str:
    return seconds(side.steady.median) if side else ""


def _marked(row: Row, mark: str) -> tuple[str, ...]:
    if not row.struck:
        return row.speed
    texts, numbers = row.speed[:_TEXT_COLUMNS], row.speed[_TEXT_COLUMNS:]
    return (*texts, *(mark.format(number) if number else "" for number in numbers))


def _escaped(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(escape(cell) for cell in cells)


def _text_table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    align = ["left" if place < _TEXT_COLUMNS and names is SPEED else "right" for place in range(len(names))]
    return tabulate(cells, headers=names, disable_numparse=True, colalign=["left", *align[1:]])


def _three_digits(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"
