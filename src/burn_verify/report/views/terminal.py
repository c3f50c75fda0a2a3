"""The table and totals shown at the end of a run.

Takes values and gives text: it measures nothing, prints nothing and does not know which expectation matched.
"""

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.text import one_line, shortened
from burn_verify.report.summary.totals import outcome_of, passed_unexpectedly, summary, totals_lines

COLUMNS = ("model", "stage", "outcome", "max abs", "ULP", "outputs")
FOLD_FROM = 4
"""Fold skipped cases into one line where at least this many share a reason."""

MANY = 60
"""Above so many cases, only those are listed that ended otherwise than expected."""
_MOST_SURPRISES = 40

_GAP = 2
_LEAST_REASON = 20
_LEAST_MODEL = 20
_INDENT = "    "


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
    tail = [*folds, *totals_lines(summary(results, expected))]
    parts.append("\n".join(_wrap(line, width) for line in tail))
    return "\n\n".join(parts)


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
    return f"{sum(not output.mismatching for output in metrics)}/{len(metrics)}" if metrics else ""


def _reason(result: CaseResult, expected: Mapping[str, str]) -> str:
    first = result.message.partition("\n")[0]
    # What differs and how far says more than that it differs.
    reason = first if first and result.stage is Stage.COMPARE else result.reason or first
    if passed_unexpectedly(result, expected):
        reason = f"expected to fail: {expected[result.case_id]}"
    elif result.case_id in expected:
        reason = reason or expected[result.case_id]
    # The note first: reasons are cut at the end.
    return "; ".join(one_line(text) for text in (result.note, reason) if text and text.strip())


def _table(rows: Sequence[Row], width: int, verbose: bool) -> str:
    """Lay out the rows, with the reason in the last column, or below the row where the terminal is narrow."""
    columns = [index for index in range(len(COLUMNS)) if any(row.cells[index] for row in rows)]
    room = width - sum(_width(rows, index) + _GAP for index in columns)
    longest = max(len(row.reason) for row in rows)
    if room >= (longest if verbose else min(longest, _LEAST_REASON)):
        table = [[*(row.cells[index] for index in columns), shortened(row.reason, room)] for row in rows]
        return "\n".join(_lines(table, [*(COLUMNS[index] for index in columns), *(["reason"] if longest else [])]))
    return _table_with_reasons_below(rows, columns, width, verbose)


def _table_with_reasons_below(rows: Sequence[Row], columns: list[int], width: int, verbose: bool) -> str:
    columns = _fitting(rows, columns, width)
    room = width - _used(rows, columns) + _width(rows, 0)
    table = [
        [shorten_name(row.cells[0], max(room, _LEAST_MODEL)), *(row.cells[index] for index in columns[1:])]
        for row in rows
    ]
    header, rule, *body = _lines(table, [COLUMNS[index] for index in columns])
    lines = [header, rule]
    for row, line in zip(rows, body, strict=True):
        lines.append(line)
        if row.reason:
            reason = row.reason if verbose else shortened(row.reason, width - len(_INDENT))
            lines.append(_wrap(reason, width, _INDENT))
    return "\n".join(lines)


def _fitting(rows: Sequence[Row], columns: list[int], width: int) -> list[int]:
    """Drop numbers from the right until the rest fits; the first number rather costs the names some letters."""
    while len(columns) > 4 and _used(rows, columns) > width:
        columns = columns[:-1]
    spare = max(0, _width(rows, 0) - _LEAST_MODEL)
    return columns if _used(rows, columns) - spare <= width else columns[:3]


def _lines(table: Sequence[Sequence[str]], headers: Sequence[str]) -> list[str]:
    cells = [row[: len(headers)] for row in table]
    # Headers as rows: tabulate would pad real ones, and the width is already given away.
    rule = ["-" * max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    align = ["right" if header in ("max abs", "ULP", "outputs") else "left" for header in headers]
    text = tabulate([headers, rule, *cells], tablefmt="plain", disable_numparse=True, colalign=align)
    return [line.rstrip() for line in text.split("\n")]


def _width(rows: Sequence[Row], index: int) -> int:
    return max(len(COLUMNS[index]), *(len(row.cells[index]) for row in rows))


def _used(rows: Sequence[Row], columns: Sequence[int]) -> int:
    return sum(_width(rows, index) for index in columns) + _GAP * (len(columns) - 1)


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
