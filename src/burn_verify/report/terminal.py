"""The table and totals shown at the end of a run.

Takes values and gives text: it measures nothing, prints nothing and does not know which expectation matched.
"""

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from burn_verify.report.evidence import End, attempted, end_of
from burn_verify.types import CaseResult, Outcome, OutputMetrics, Stage
from burn_verify.words import one_line, shortened

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
_ENDED_AT = {
    Stage.LOAD: ("could not be loaded", "could not be loaded"),
    Stage.CONVERT: ("refused by the converter", "refused by the converter"),
    Stage.COMPILE: ("does not compile", "do not compile"),
    Stage.REFERENCE: ("has no reference", "have no reference"),
    Stage.RUN: ("failed while running", "failed while running"),
    Stage.COMPARE: ("disagrees", "disagree"),
}
_PASSED_BUT = {End.RANDOM: "random", End.INSENSITIVE: "insensitive"}
_ONLY_IF_ANY = frozenset({Stage.LOAD, Stage.REFERENCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many cases ended how. `total` counts every case selected, the skipped ones included.

    Attributes:
        agree: answered, and the answer is the expected one.
        attempted: reached RUN or COMPARE, that is, the model was compiled and started.
        failed_at: failures by the stage they ended at; every stage is there.
        expected_failures: those of the failures that were expected.
        unexpected_passes: those that pass although a failure was expected.
        random: passed, but drew numbers, of which range and moments were checked; they do not agree.
        insensitive: passed, but the reference cannot tell right from wrong; they do not agree.
        loose: agree outside of the bound, in proportion to the reference's own error.
        oracle_disagrees: agree with float64 or what was stored, and ONNX Runtime does not.
    """

    total: int
    agree: int
    attempted: int
    failed: int
    skipped: int
    failed_at: Mapping[Stage, int]
    expected_failures: int = 0
    unexpected_passes: int = 0
    random: int = 0
    insensitive: int = 0
    loose: int = 0
    oracle_disagrees: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case as the reports show it: texts, each in one line."""

    cells: tuple[str, ...]
    reason: str


def summary(results: Sequence[CaseResult], expected: Mapping[str, str] | None = None) -> Totals:
    """Count the results; `expected` maps the ids of cases expected to fail to reasons."""
    expected = expected or {}
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    ends = [end_of(result) for result in results]
    stages = Counter(result.stage for result in failed)
    verdicts = Counter(result.verdict for result in results)
    return Totals(
        total=len(results),
        agree=ends.count(End.AGREES),
        attempted=sum(attempted(result) for result in results),
        failed=len(failed),
        skipped=sum(result.outcome is Outcome.SKIPPED for result in results),
        failed_at={stage: stages[stage] for stage in Stage},
        expected_failures=sum(result.case_id in expected for result in failed),
        unexpected_passes=sum(
            result.case_id in expected
            for result, end in zip(results, ends, strict=True)
            if end is End.AGREES or end in _PASSED_BUT
        ),
        random=ends.count(End.RANDOM),
        insensitive=ends.count(End.INSENSITIVE),
        loose=verdicts["loose"],
        oracle_disagrees=verdicts["oracle_disagrees"],
    )


def render_table(results: Sequence[CaseResult], expected: Mapping[str, str], width: int, verbose: bool = False) -> str:
    """Render one row a case, in the given order, then the folded skips and the totals.

    Args:
        results: what happened.
        expected: case id → why its failure is expected, see `burn_verify.expectations.expected_reasons`.
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


def totals_lines(totals: Totals) -> list[str]:
    """Say the totals in sentences, "of all" and "of attempted" side by side."""
    lines = [
        f"{totals.agree} of {totals.total} agree{percent(totals.agree, totals.total, ' of all')}, "
        f"{totals.agree} of {totals.attempted} attempted{percent(totals.agree, totals.attempted)}"
    ]
    counts = [
        f"{count} {_ENDED_AT[stage][count != 1]}"
        for stage, count in totals.failed_at.items()
        if count or stage not in _ONLY_IF_ANY
    ]
    random = [f"{totals.random} random, of which range and moments were checked"] if totals.random else []
    empty = [f"{totals.insensitive} insensitive, which verifies nothing"] if totals.insensitive else []
    lines.append(", ".join(counts + random + empty + ([f"{totals.skipped} skipped"] if totals.skipped else [])))
    remarks = [f"{totals.loose} loosely"] if totals.loose else []
    remarks += [f"{totals.oracle_disagrees} where ONNX Runtime is wrong"] if totals.oracle_disagrees else []
    if remarks:
        lines.append(f"of those that agree, {' and '.join(remarks)}")
    if totals.failed:
        are = "is" if totals.expected_failures == 1 else "are"
        lines.append(f"{totals.expected_failures} of the {totals.failed} failures {are} expected")
    if totals.unexpected_passes:
        lines.append(f"{totals.unexpected_passes} passed unexpectedly: delete what was expected of them")
    return lines


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


def outcome_of(result: CaseResult, expected: Mapping[str, str]) -> str:
    """Name the outcome in the light of what was expected."""
    if result.case_id in expected and result.outcome is Outcome.FAILED:
        return "expected failure"
    if result.case_id in expected and result.outcome is Outcome.PASSED:
        return "unexpected pass"
    return _PASSED_BUT.get(end_of(result), result.outcome.value)


def _surprises(results: Sequence[CaseResult], expected: Mapping[str, str]) -> tuple[list[CaseResult], list[str]]:
    """Return the cases that ended otherwise than expected, as many as one reads, and what to say of the others."""
    found = [result for result in results if (result.case_id in expected) != (result.outcome is Outcome.FAILED)]
    lines = []
    if len(found) > _MOST_SURPRISES:
        lines.append(f"{len(found) - _MOST_SURPRISES} more ended otherwise than expected")
    lines.append(f"{len(results) - len(found)} of {len(results)} ended as expected and are not listed")
    return found[:_MOST_SURPRISES], lines


def percent(part: int, whole: int, suffix: str = "") -> str:
    """Say how much of a whole a part is, in brackets after a blank; nothing of no whole."""
    if not whole:
        return ""
    percent = round(100 * part / whole)
    if 0 < part < whole:  # neither 0% nor 100% unless it is so
        percent = min(max(percent, 1), 99)
    return f" ({percent}%{suffix})"


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
    if outcome_of(result, expected) == "unexpected pass":
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
