"""Write a page about a run on several targets: what agrees on each, and what changed between neighbours, by operator.

usage: python tools/targets_report.py RECORD > reports/versions.md

Of every operator the smallest case stands for all; `burn-verify diff RECORD` lists every case. The records of the
committed pages, `reports/versions.md` and `reports/backends.md`, are made by::

    pytest --conformance=node --burn-version 0.21.0,0.22.1,0.23.0-pre.1 --burn-record=versions.jsonl
    pytest --models all --conformance=node --burn-backend flex,ndarray,wgpu --burn-record=backends.jsonl
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from burn_verify.core.result import CaseResult
from burn_verify.record import store
from burn_verify.report.summary import changes
from burn_verify.report.summary.changes import Change, Comparison, Kind
from burn_verify.report.summary.columns import Column, merge
from burn_verify.report.summary.ends import blamed_operator, smallest
from burn_verify.report.summary.states import WRONG, state_of
from burn_verify.report.views.changes_text import after_of, before_of, sentence, title
from burn_verify.report.views.markdown import escape, table

_TOLD = (Kind.NEWLY_WRONG, Kind.REGRESSED, Kind.MOVED, Kind.FIXED)


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("record", type=Path, metavar="RECORD", help="a run on several targets")
    columns = merge(store.read_run(parser.parse_args().record)).columns
    parts = ["# Targets side by side", *_introduction(columns)]
    parts += [part for comparison in changes.between(columns) for part in _comparison(comparison)]
    print("\n\n".join(parts))


def _introduction(columns: Sequence[Column]) -> Iterator[str]:
    started = columns[0].record.environment.get("started", "")
    yield (
        f"A run of {started}; `tools/targets_report.py` says how it was made, and `burn-verify diff` lists every case. "
        "An operator stands for all of its cases, of which the smallest is named."
    )
    corpora = sorted({result.corpus for column in columns for result in column.record.results})
    rows = []
    for column in columns:
        for corpus in corpora:
            states = [state_of(result) for result in column.record.results if result.corpus == corpus]
            words = [state.word for state in states]
            agree, wrong = words.count("agrees"), sum(state is WRONG for state in states)
            rows.append([escape(column.target.label), corpus, str(len(words)), str(agree), str(wrong)])
    numbers = ("cases", "agree", "wrong")
    yield "\n".join(table(["target", "corpus", *numbers], rows, right=numbers))


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield f"## {escape(title(comparison))}"
    yield f"**{escape(sentence(comparison))}**"
    for kind in _TOLD:
        groups: dict[str, list[Change]] = defaultdict(list)
        for change in comparison.of(kind):
            groups[blamed_operator(_told(change))].append(change)
        if groups:
            rows = [_row(operator, several) for operator, several in sorted(groups.items())]
            yield f"### {kind.value.capitalize()}"
            yield "\n".join(table(["operator", "cases", "smallest case", "before", "after"], rows, right=("cases",)))


def _told(change: Change) -> CaseResult:
    """Return the result that a change is about: what is fixed was about an operator before, all else is now."""
    side = change.before if change.kind is Kind.FIXED else change.after
    assert side is not None
    return side


def _row(operator: str, several: Sequence[Change]) -> list[str]:
    by_id = {change.case_id: change for change in several}
    change = by_id[smallest(map(_told, several)).case_id]
    texts = (operator, str(len(several)), change.case_id, before_of(change), after_of(change))
    return [escape(text) for text in texts]


if __name__ == "__main__":
    main()
