"""Several targets at the end of a run: a row for each case, a column for each target, totals and differences.

Takes values and returns text, as `terminal` does for one target.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tabulate import tabulate

from burn_verify.core.result import CaseResult, Difference
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.core.targets import names
from burn_verify.core.text import harmless, one_line, shortened
from burn_verify.report.summary.changes import Comparison
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.states import WRONG, State, state_of
from burn_verify.report.summary.totals import percent_after, summary
from burn_verify.report.views import changes_text
from burn_verify.report.views.terminal import MANY, shorten_name

_MOST: Final = 40
"""The greatest number of rows of a long table, and of differences, that are shown."""
_LEAST: Final = 40
_NEARER: Final = {
    "before": "{before} is nearer to the reference",
    "after": "{after} is nearer to the reference",
    "neither": "both are as near to the reference",
    "": "no reference says which is nearer",
}


def render(
    columns: Sequence[Column],
    expected: Sequence[Mapping[str, str]],
    comparisons: Sequence[Comparison],
    width: int,
) -> str:
    """Render several targets.

    Args:
        columns: one a target.
        expected: for each column, case id → why its failure is expected.
        comparisons: of neighbour targets.
        width: columns of the terminal.
    """
    called = names(column.target for column in columns)
    parts = [_table(columns, expected, called, width), _totals(columns, expected, called)]
    parts += [
        "\n".join(f"{called[column.target]} was not run: {column.failure}" for column in columns if column.failure)
    ]
    parts += ["\n".join(f"{_pair(called, one)}: {changes_text.sentence(one)}" for one in comparisons)]
    parts += ["\n".join(_differences(columns, called, width))]
    return harmless("\n\n".join(part for part in parts if part))


def difference_text(difference: Difference, called: Mapping[Target, str]) -> str:
    """Return in one line how two targets differ, and which of them is nearer to the reference."""
    before, after = (called.get(side, side.label) for side in (difference.before, difference.after))
    nearer = _NEARER[difference.nearer].format(before=before, after=after)
    return f"{before} and {after} answer differently ({nearer}): {one_line(difference.message)}"


def _pair(called: Mapping[Target, str], comparison: Comparison) -> str:
    return f"{called[comparison.before]} → {called[comparison.after]}"


def _table(
    columns: Sequence[Column], expected: Sequence[Mapping[str, str]], called: Mapping[Target, str], width: int
) -> str:
    by_id = [{result.case_id: result for result in column.record.results} for column in columns]
    ids = dict.fromkeys(
        case_id for column, results in zip(columns, by_id, strict=True) for case_id in (*results, *column.missing)
    )
    rows = {case_id: [results.get(case_id) for results in by_id] for case_id in ids}
    note = ""
    if len(rows) > MANY:
        shown = {case_id: row for case_id, row in rows.items() if _tells(case_id, row, columns, expected)}
        note = (
            f"{len(rows) - len(shown)} of {len(rows)} ended as expected, and alike on all targets: they are not listed"
        )
        if len(shown) > _MOST:
            note = f"{len(shown) - _MOST} more differ or ended otherwise than expected\n{note}"
        # A wrong answer is worse than none.
        worst_first = sorted(shown.items(), key=lambda row: WRONG not in map(state_of, row[1]))
        rows = dict(worst_first[:_MOST])
    if not rows:
        return note
    head = ["model", *(called[column.target] for column in columns)]
    table = [
        [
            shorten_name(one_line(case_id), max(_LEAST, width // 2)),
            *(
                _cell(case_id, result, column, reasons)
                for result, column, reasons in zip(row, columns, expected, strict=True)
            ),
        ]
        for case_id, row in rows.items()
    ]
    text = tabulate(table, headers=head, disable_numparse=True)
    return "\n\n".join(filter(None, [text, note]))


def _cell(case_id: str, result: CaseResult | None, column: Column, expected: Mapping[str, str]) -> str:
    state = _state(result, column)
    if case_id in expected and result is not None:
        return f"{state.word} (expected)" if result.outcome is Outcome.FAILED else f"{state.word} (unexpectedly)"
    return state.word


def _tells(
    case_id: str, row: Sequence[CaseResult | None], columns: Sequence[Column], expected: Sequence[Mapping[str, str]]
) -> bool:
    """Return whether a row is shown: targets differ, or one ended otherwise than expected."""
    # The cases of a target that did not start are not compared.
    there = [
        (result, column, reasons)
        for result, column, reasons in zip(row, columns, expected, strict=True)
        if not column.failure
    ]
    states = {_state(result, column) for result, column, _ in there}
    surprising = any(
        result is not None and (case_id in reasons) != (result.outcome is Outcome.FAILED)
        for result, _, reasons in there
    )
    return len(states) > 1 or surprising


def _state(result: CaseResult | None, column: Column) -> State:
    return state_of(result, started=not column.failure)


def _totals(columns: Sequence[Column], expected: Sequence[Mapping[str, str]], called: Mapping[Target, str]) -> str:
    rows = []
    for column, reasons in zip(columns, expected, strict=True):
        totals = summary(column.record.results, reasons)
        rows.append(
            [
                called[column.target],
                f"{totals.agree} of {column.total}{percent_after(totals.agree, column.total)}",
                f"{totals.agree} of {totals.attempted}{percent_after(totals.agree, totals.attempted)}",
                str(totals.failed),
                str(totals.expected_failures),
                str(column.total - totals.total),
            ]
        )
    head = ["target", "agree, of all", "of attempted", "failures", "expected", "not run"]
    return tabulate(rows, headers=head, disable_numparse=True)


def _differences(columns: Sequence[Column], called: Mapping[Target, str], width: int) -> Iterator[str]:
    found = [difference for column in columns for difference in column.record.differences]
    for difference in found[:_MOST]:
        yield shortened(f"{difference.case_id}: {difference_text(difference, called)}", max(_LEAST, 2 * width))
    if len(found) > _MOST:
        yield f"{len(found) - _MOST} more answer differently"
