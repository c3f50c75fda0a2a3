"""The page: one self-contained HTML file, made by Jinja2 from the templates beside this module.

Its content comes from `findings` (the counts), `changes_text`, `plots` and `page_data`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from burn_verify.core.targets import names
from burn_verify.core.text import plain
from burn_verify.report.summary.changes import Change, Comparison, Kind
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.findings import Counts, Findings, PastRun, counts_of
from burn_verify.report.summary.findings import sentence as headline
from burn_verify.report.summary.states import OPERATOR_STATES, STATES
from burn_verify.report.summary.tiers import TierCounts, tier_counts
from burn_verify.report.summary.totals import percent
from burn_verify.report.views import latency, pictures, plots, tasks
from burn_verify.report.views.changes_text import MEANINGS, after_of, before_of, sentence, surroundings, title
from burn_verify.report.views.page_data import as_script, evidence
from burn_verify.report.views.side_by_side import difference_text

_SHOWN: Final = 40
"""The greatest number of listed changes of one kind; the filters show the others."""

NOW: Final = "this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One number on top of the page."""

    number: str
    of: str
    text: str
    tone: str


def render(findings: Findings) -> str:
    """Render everything into one file, without a clock: the same findings give the same page."""
    columns = findings.matrix.columns
    numbers = [counts_of(column) for column in columns]
    runs = _runs(findings, numbers)
    template = _environment().get_template("page.html.j2")
    text: str = template.render(
        target=columns[0].target.label,
        columns=[
            (column, count, cards(count, tier_counts(column.record.results)), headline(column))
            for column, count in zip(columns, numbers, strict=True)
        ],
        lacking=[line for column in columns for line in column.lacking],
        comparisons=[_compared(comparison, columns) for comparison in findings.comparisons],
        between=[_compared(comparison, columns) for comparison in findings.between],
        differences=_differences(columns),
        states=STATES,
        operator_states=OPERATOR_STATES.values(),
        stages=[bar for column in columns for bar in pictures.stages(column)],
        grid=pictures.grid(columns),
        times=[(column.target.label, pictures.times(column.record.results)) for column in columns],
        headroom=[(column.target.label, plots.headroom(column.record.results)) for column in columns],
        latency=[(column.target.label, _latency(column)) for column in columns],
        tasks=[(column.target.label, tasks.told(column.record.results)) for column in columns],
        tasks_head=tasks.HEAD,
        history=plots.history(runs),
        latency_tables=(
            ("Times", "speed", latency.SPEED),
            ("Calls", "calls", latency.CALLS),
            ("Cost of the program", "cost", latency.COST),
        ),
        plots=plots,
        pictures=pictures,
        data=as_script(findings),
        evidence=evidence(findings),
        style=_text("page.css"),
        script=_text("page.js"),
    )
    return text


def cards(numbers: Counts, tiers: TierCounts) -> tuple[Card, ...]:
    """Return the numbers: operators by tier, where there are any; verified of all and of attempted, wrong, refused."""
    return (
        *_tier_cards(tiers),
        Card(
            number=percent(numbers.agree, numbers.total),
            of=f"{numbers.agree} of {numbers.total}",
            text="verified, of all",
            tone="good",
        ),
        Card(
            number=percent(numbers.agree, numbers.attempted),
            of=f"{numbers.agree} of {numbers.attempted} that became a program",
            text="verified, of attempted",
            tone="good",
        ),
        Card(
            number=str(numbers.wrong), of="cases with an answer that is not right", text="wrong numbers", tone="wrong"
        ),
        Card(
            number=str(numbers.refused),
            of=f"cases; {numbers.no_program} more do not compile, {numbers.failed} fail at run time",
            text="refused by burn-onnx",
            tone="refused",
        ),
    )


def _tier_cards(tiers: TierCounts) -> tuple[Card, ...]:
    if not tiers.operators:
        return ()
    entirely = f"{tiers.full} of {tiers.operators} entirely"
    if not tiers.with_ordinary:
        said = "of ordinary use nothing is known"
        return (Card(number=str(tiers.full), of=f"{entirely}; {said}", text="operators verified", tone="good"),)
    of = f"of {tiers.with_ordinary}; {entirely}"
    return (Card(number=str(tiers.ordinary), of=of, text="operators verified for ordinary use", tone="good"),)


def _latency(column: Column) -> dict[str, Any]:
    results = column.record.results
    return {"rows": latency.rows(results), "sentence": latency.sentence(results)}


def _runs(findings: Findings, numbers: Sequence[Counts]) -> list[PastRun]:
    now = [
        PastRun(name=NOW, label=column.target.label, agree=count.agree, total=count.total)
        for column, count in zip(findings.matrix.columns, numbers, strict=True)
    ]
    return [*findings.past, *now]


def _differences(columns: Sequence[Column]) -> list[tuple[str, str, int]]:
    """Return case, words and column of every difference between answers that is listed."""
    called = names(column.target for column in columns)
    found = [
        (difference.case_id, difference_text(difference, called), place)
        for place, column in enumerate(columns)
        for difference in column.record.differences
    ]
    return found[:_SHOWN]


def _compared(comparison: Comparison, columns: Sequence[Column]) -> dict[str, Any]:
    places = (place for place, column in enumerate(columns) if column.target == comparison.after)
    return {
        "column": next(places, 0),
        "title": title(comparison),
        "sentence": sentence(comparison),
        "surroundings": surroundings(comparison),
        "kinds": [
            {
                "text": MEANINGS[kind],
                "count": len(changes),
                "open": kind in (Kind.NEWLY_WRONG, Kind.REGRESSED),
                "rows": [_change(change) for change in changes[:_SHOWN]],
            }
            for kind in Kind
            if (changes := comparison.of(kind))
        ],
    }


def _change(change: Change) -> dict[str, str]:
    return {"case": change.case_id, "before": before_of(change), "after": after_of(change)}


def _environment() -> Any:
    # Imported here, since importing Jinja2 would slow down every start of the command line.
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("burn_verify.report.views"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = plain
    return made


def _text(name: str) -> str:
    return (resources.files("burn_verify.report.views") / "templates" / name).read_text(encoding="utf-8")
