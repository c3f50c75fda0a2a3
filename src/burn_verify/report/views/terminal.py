"""The table and totals shown at the end of a run.

Takes values and gives text: it measures nothing, prints nothing and does not know which expectation matched.
"""

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.text import harmless, one_line, shortened
from burn_verify.report.summary.forecasts import forecast_lines, forecasts_of
from burn_verify.report.summary.sizes import alone, sizes_of
from burn_verify.report.summary.totals import outcome_of, passed_unexpectedly, summary, totals_lines

COLUMNS = ("model", "stage", "outcome", "max abs", "ULP", "outputs", "sizes")
FOLD_FROM = 4
"""Fold skipped cases into one line where at least this many share a reason."""

MANY = 60
"""Above so many cases, only those are listed that ended otherwise than expected."""
_MOST_SURPRISES = 40

_GAP = 2
_LEAST_REASON = 20
_LEAST_MODEL = 20
_INDENT = "    "
_NUMBERS = frozenset({"max abs", "ULP", "outputs", "sizes"})
_ENDLESS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case as the reports show it: texts, each in one line."""

    cells: tuple[str, ...]
    reason: str


def render_table(results: Sequence[CaseResult], expected: Mapping[str, str], width: int, verbose: bool = False) -> str:
    """Render one row a case, in the given order, then the folded skips and the totals.

    Args:
        results: what happened.
        expected: case id → why its failure is expected, see `burn_verify.expectations.match.expected_reasons`.
        width: columns of the terminal; reasons are shortened to what they leave.
        verbose: show every skipped case and every reason whole.
    """
    shown, folds = (list(results), []) if verbose else fold_skipped(results)
    if len(shown) > MANY and not verbose:
        shown, more = _surprises(shown, expected)
        folds = [*more, *folds]
    parts = [_table([row_of(result, expected) for result in shown], width, verbose)] if shown else []
    tail = [*folds, *totals_lines(summary(results, expected)), *forecast_lines(forecasts_of(results))]
    parts.append("\n".join(_wrap(line, width) for line in tail))
    return harmless("\n\n".join(parts))


def fold_skipped(results: Sequence[CaseResult]) -> tuple[list[CaseResult], list[str]]:
    """Split off the skipped cases that share a reason with many others, as one line a reason."""
    counts = Counter(_skip_key(result) for result in results if result.outcome is Outcome.SKIPPED)
    folded = {key: count for key, count in counts.items() if count >= FOLD_FROM}
    shown = [result for result in results if result.outcome is not Outcome.SKIPPED or _skip_key(result) not in folded]
    more = " more" if shown else ""
    return shown, [f"{count}{more} {what}: {reason}" for (what, reason), count in folded.items()]


def row_of(result: CaseResult, expected: Mapping[str, str]) -> Row:
    """Put one result into words; the cells are in the order of `COLUMNS`."""
    cells = (
        one_line(result.case_id),
        result.stage.value,
        outcome_of(result, expected),
        _max_abs(result.metrics),
        _max_ulp(result.metrics),
        _outputs(result.metrics),
        sizes_of(result),
    )
    return Row(cells=cells, reason=_reason(result, expected))


def _surprises(results: Sequence[CaseResult], expected: Mapping[str, str]) -> tuple[list[CaseResult], list[str]]:
    """Return the cases that ended otherwise than expected, as many as one reads, and what to say of the others."""
    found = [result for result in results if (result.case_id in expected) != (result.outcome is Outcome.FAILED)]
    lines = []
    if len(found) > _MOST_SURPRISES:
        lines.append(f"{len(found) - _MOST_SURPRISES} more ended otherwise than expected")
    lines.append(f"{len(results) - len(found)} of {len(results)} ended as expected and are not listed")
    return found[:_MOST_SURPRISES], lines


def _skip_key(result: CaseResult) -> tuple[str, str]:
    what = "not available here" if result.stage is Stage.LOAD else "skipped"
    return what, one_line(result.reason or result.message.partition("\n")[0]) or "no reason given"


def _max_abs(metrics: Sequence[OutputMetrics]) -> str:
    values = [output.max_abs for output in metrics if output.max_abs is not None]
    if not values:
        return ""
    greatest = math.nan if any(math.isnan(value) for value in values) else max(values)
    return f"{greatest:.1e}" if greatest else "0"


def _max_ulp(metrics: Sequence[OutputMetrics]) -> str:
    greatest = max((output.max_ulp for output in metrics if output.max_ulp is not None), default=None)
    if greatest is None:
        return ""
    return str(greatest) if greatest < 1_000_000 else f"{greatest:.1e}"


def _outputs(metrics: Sequence[OutputMetrics]) -> str:
    return f"{sum(output.fits for output in metrics)}/{len(metrics)}" if metrics else ""


def _reason(result: CaseResult, expected: Mapping[str, str]) -> str:
    first = result.message.partition("\n")[0]
    # What differs and how far says more than that it differs.
    reason = first if first and result.stage is Stage.COMPARE else result.reason or first
    if passed_unexpectedly(result, expected):
        reason = f"expected to fail: {expected[result.case_id]}"
    elif result.case_id in expected:
        reason = reason or expected[result.case_id]
    # The note first: reasons are cut at the end.
    advice = [*alone(result), *(result.details.get("unseen") or ()), *(result.details.get("advice") or ())]
    return "; ".join(one_line(text) for text in (result.note, reason, *advice) if text and text.strip())


def _table(rows: Sequence[Row], width: int, verbose: bool) -> str:
    """Lay out the rows, with the reason in the last column, or below the row where the terminal is narrow."""
    columns = [index for index in range(len(COLUMNS)) if any(row.cells[index] for row in rows)]
    room = width - _width(rows, columns) - _GAP
    longest = max(cell_len(row.reason) for row in rows)
    if room >= (longest if verbose else min(longest, _LEAST_REASON)):
        headers = [*(COLUMNS[index] for index in columns), *(["reason"] if longest else [])]
        table = [[*(row.cells[index] for index in columns), shortened(row.reason, room)] for row in rows]
        return "\n".join(_lines(_grid(headers, table)))
    return _table_with_reasons_below(rows, columns, width, verbose)


def _table_with_reasons_below(rows: Sequence[Row], columns: list[int], width: int, verbose: bool) -> str:
    columns = _fitting(rows, columns, width)
    others = _width(rows, columns) - _width(rows, columns[:1])
    table = [
        [
            shorten_name(row.cells[0], max(width - others, _LEAST_MODEL)),
            *(row.cells[index] for index in columns[1:]),
        ]
        for row in rows
    ]
    header, rule, *body = _lines(_grid([COLUMNS[index] for index in columns], table))
    lines = [header, rule]
    for row, line in zip(rows, body, strict=True):
        lines.append(line)
        if row.reason:
            reason = row.reason if verbose else shortened(row.reason, width - len(_INDENT))
            lines.append(_wrap(reason, width, _INDENT))
    return "\n".join(lines)


def _fitting(rows: Sequence[Row], columns: list[int], width: int) -> list[int]:
    """Drop numbers from the right until the rest fits; the first number rather costs the names some letters."""
    while len(columns) > 4 and _width(rows, columns) > width:
        columns = columns[:-1]
    spare = max(0, _width(rows, columns[:1]) - _LEAST_MODEL)
    return columns if _width(rows, columns) - spare <= width else columns[:3]


def _grid(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of one line a row, below its headers and a rule."""
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for place, header in enumerate(headers):
        # With its width given, rich need not measure a column again: that takes longer than all else.
        width = max(cell_len(cells[place]) for cells in (headers, *rows))
        table.add_column(justify="right" if header in _NUMBERS else "left", no_wrap=True, width=width)
    table.add_row(*headers)
    table.add_row(*(Rule(characters="-") for _ in headers))
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells[: len(headers)]))
    return table


def _width(rows: Sequence[Row], columns: Sequence[int]) -> int:
    """Return how many columns of a terminal the cells of rows take."""
    widths = (max(cell_len(COLUMNS[index]), *(cell_len(row.cells[index]) for row in rows)) for index in columns)
    return sum(widths) + _GAP * (len(columns) - 1)


def _lines(table: Table) -> list[str]:
    console = _console()
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().removesuffix("\n").split("\n")]


def _console() -> Console:
    """Return a console that writes plain text and never cuts: what is too wide was shortened before."""
    return Console(width=_ENDLESS, color_system=None, force_terminal=False, legacy_windows=False)


def shorten_name(text: str, room: int) -> str:
    """Shorten in the middle: names differ at both ends."""
    end = (room - 1) // 2
    return text if len(text) <= room else f"{text[: room - 1 - end]}…{text[-end:]}"


def _wrap(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        text,
        max(width, len(indent) + len(_INDENT) + 1),
        initial_indent=indent,
        subsequent_indent=indent or _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
