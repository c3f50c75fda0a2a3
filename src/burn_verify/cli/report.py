"""The commands that read records only: ``report``, ``diff`` and ``history``.

Runs no model. The room `report` decides about results; this reads and writes the files and prints their paths.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tabulate import tabulate

from burn_verify.cli.common import Commands, add_command, typed, write_file
from burn_verify.core.errors import RecordError, UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.text import one_line
from burn_verify.expectations import match
from burn_verify.record import history
from burn_verify.record.codec import Record
from burn_verify.record.history import KeptRun
from burn_verify.report.files import files
from burn_verify.report.summary import changes
from burn_verify.report.summary.columns import Column, Matrix, merge
from burn_verify.report.summary.findings import Findings, PastRun, counts_of
from burn_verify.report.summary.gate import Gate, gate
from burn_verify.report.summary.lifted import Lifted, from_text
from burn_verify.report.summary.states import state_of
from burn_verify.report.summary.trails import trails_of
from burn_verify.report.views import changes_text, comment, matrix, side_by_side, terminal
from burn_verify.run.recorder import LAST_RECORD
from burn_verify.run.selected import expected_of
from burn_verify.system.cache import Cache

_PREPARED: Final = "prepare.json"
_PAST: Final = 30
"""The greatest number of kept runs in a report, the newest: each of them has to be read."""

_REPORT: Final = """\
Show a record again, or make a page and tables of one or several records.

Records of several versions of Burn or backends become columns; those of one target, such as the shards of a run,
become one column. An absent shard, or a selected case without a result, is shown as missing. A record of a machine
that could not do the work is left out, and the report says so."""
_REPORT_EXAMPLES: Final = """\
examples:
  burn-verify report --last                                the table of the last run
  burn-verify report run.jsonl --out site                  a page to look at: site/index.html
  burn-verify report shard-*.jsonl --out site --history kept    and what changed since the last run in kept/
written: index.html, compatibility-matrix.md (models), SUPPORTED-OPS.md and errors.md (ONNX's own cases), matrix.json,
junit.xml; where $GITHUB_STEP_SUMMARY names a file, a summary is appended to it
exit codes: 0 done, 1 done but something is missing, 2 the records say nothing about Burn, 4 usage"""
_DIFF: Final = """\
Show what changed from one run to another: differences of the environment first, then new wrong numbers, then cases that
agreed and fail now, lost their evidence, or use four times as much of their bound, then cases that moved, were fixed,
vanished or appeared."""
_DIFF_EXAMPLES: Final = """\
examples:
  burn-verify diff yesterday.jsonl today.jsonl
  burn-verify diff yesterday.jsonl shard-*.jsonl --markdown > changes.md
  burn-verify diff run.jsonl --comment > comment.md    of two checkouts, for their pull request (docs/gate.md)
  burn-verify diff run.jsonl                 targets of one run that differ in one thing: versions, backends, options
The first name is the old run, all others are the new one; --old adds records to the old one.
exit codes: 0 as good as before or better, 1 regressions or lost evidence, 2 not comparable: no case in common, a
record that says nothing about Burn, or a new run with gaps; 4 usage"""
_HISTORY: Final = """\
List the runs kept in a folder, or the results of one case in them."""
_HISTORY_EXAMPLES: Final = """\
examples:
  burn-verify history kept --add run.jsonl     keep a run as kept/0001_<commit>_<date>.jsonl
  burn-verify history kept                     which runs are kept, and how many cases agree in each
  burn-verify history kept zoo/mnist-12        the results of one case"""


def add_to(commands: Commands) -> None:
    """Add the commands to those of the command line."""
    report = add_command(
        commands, "report", "show records again, or write pages and tables of them", _REPORT, _REPORT_EXAMPLES
    )
    report.add_argument("records", nargs="*", type=Path, metavar="RECORD", help="a file written by --burn-record")
    report.add_argument("--last", action="store_true", help="the last run, which is always kept")
    report.add_argument("--out", type=Path, metavar="DIR", help="write everything into this folder")
    report.add_argument(
        "--previous", nargs="+", type=Path, default=[], metavar="RECORD", help="the run before, to say what changed"
    )
    report.add_argument("--history", type=Path, metavar="DIR", help="kept runs: the last one is the previous run")
    report.add_argument(
        "--prepared",
        type=Path,
        metavar="FILE",
        help="what prepare makes of failing cases, by tools/lift.py (default: prepare.json in DIR, if it is there)",
    )
    report.add_argument("--burn-cache-dir", dest="option_cache_dir", metavar="DIR", help="where --last looks")
    report.add_argument("--burn-expectations", dest="option_expectations", metavar="FILE", help="failures you expect")
    report.set_defaults(run=_report)
    diff = add_command(commands, "diff", "show what changed from one run to another", _DIFF, _DIFF_EXAMPLES)
    diff.add_argument("before", type=Path, metavar="OLD", help="a file written by --burn-record")
    diff.add_argument(
        "after",
        nargs="*",
        type=Path,
        metavar="NEW",
        help="the later run; its shards together. Without it the targets of the old run are compared with one another",
    )
    diff.add_argument(
        "--old", nargs="+", type=Path, default=[], metavar="RECORD", help="further records of the old run"
    )
    form = diff.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    form.add_argument("--comment", action="store_true", help="as a comment on a pull request: Markdown, in short")
    diff.set_defaults(run=_diff)
    past = add_command(commands, "history", "keep runs, and show the results of a case", _HISTORY, _HISTORY_EXAMPLES)
    past.add_argument("folder", type=Path, metavar="DIR", help="where runs are kept")
    past.add_argument("case", nargs="?", metavar="CASE", help="the id of a case")
    past.add_argument("--add", nargs="+", type=Path, default=[], metavar="RECORD", help="keep these as the next run")
    past.set_defaults(run=_history)


def _report(arguments: argparse.Namespace) -> int:
    if bool(arguments.records) == arguments.last:
        message = "name a record, or say --last"
        raise UsageError(message)
    if arguments.out is None and (arguments.previous or arguments.history):
        message = "--previous and --history are for --out DIR; without it: burn-verify diff OLD NEW"
        raise UsageError(message)
    if arguments.out is None and arguments.prepared:
        message = "--prepared is for --out DIR"
        raise UsageError(message)
    if arguments.out is not None and arguments.out.exists() and not arguments.out.is_dir():
        message = f"--out {arguments.out}: is not a folder"
        raise UsageError(message)
    settings = settings_from(typed(arguments))
    paths = [Cache(settings.cache_dir).root / LAST_RECORD] if arguments.last else arguments.records
    records = _records(paths)
    alone = arguments.out is None and len(records) == 1 and not records[0].failure
    if alone:
        _show(records[0], _reasons(records[0], settings))
    try:
        merged = merge(records)
    except RecordError:
        if alone:  # it was shown, and says why it says nothing about Burn
            return 0
        raise
    for line in (line for column in merged.columns for line in column.lacking):
        sys.stderr.write(f"burn-verify: missing: {line}\n")
    if alone:
        return 0 if merged.complete else 1
    expected = tuple(_reasons(column.record, settings) for column in merged.columns)
    between = changes.between(merged.columns)
    if arguments.out is None:
        print(side_by_side.render(merged.columns, expected, between, shutil.get_terminal_size((120, 40)).columns))
    else:
        kept = history.runs(arguments.history, _PAST) if arguments.history else ()
        before = _previous(_records(arguments.previous), kept, records)
        seen = [(run.name, _columns(run)) for run in kept]
        findings = Findings(
            matrix=merged,
            expected=expected,
            comparisons=changes.compare(before, merged) if before else (),
            past=tuple(_past(seen)),
            between=between,
            lifted=_lifted(arguments.prepared, arguments.out),
            trails=tuple(trails_of(column.target, seen) for column in merged.columns) if seen else (),
        )
        _write(arguments.out, files(findings))
        _summarise(findings)
    return 0 if merged.complete else 1


def _diff(arguments: argparse.Namespace) -> int:
    records = _records([arguments.before, *arguments.old])
    if arguments.comment and not arguments.after and (alike := _all_alike(records)) is not None:
        print(comment.nothing(alike), end="")
        return 0
    old = merge(records)
    new = merge(_records(arguments.after)) if arguments.after else old
    if arguments.after:
        comparisons = changes.compare(old, new)
        message = "the records have no case of one target in common: there is nothing to compare"
    else:
        comparisons = changes.between(old.columns)
        message = "one record alone has to be of several targets that differ in one thing: there is nothing to compare"
    if not comparisons:
        raise RecordError(message)
    if arguments.comment:
        print(comment.render([_gate(one, old, new) for one in comparisons]), end="")
    else:
        shown = changes_text.as_markdown if arguments.markdown else changes_text.as_text
        print("\n".join(shown(comparison) for comparison in comparisons))
    return changes.exit_code(comparisons)


def _all_alike(records: Iterable[Record]) -> int | None:
    """Return how many cases a run left out since they are the same program everywhere, where it left out all."""
    found = [record.environment.get("alike") for record in records if not record.results and not record.selection]
    return next((count for count in found if isinstance(count, int) and count), None)


def _gate(comparison: changes.Comparison, old: Matrix, new: Matrix) -> Gate:
    before = next(column for column in old.columns if column.target == comparison.before)
    after = next(column for column in new.columns if column.target == comparison.after)
    return gate(comparison, before, after)


def _history(arguments: argparse.Namespace) -> int:
    if arguments.add:
        print(f"kept as {history.keep(arguments.folder, arguments.add)}")
        if not arguments.case:
            return 0
    kept = history.runs(arguments.folder)
    rows = [row for run in kept for row in (_past_of(run, arguments.case) if arguments.case else _totals_of(run))]
    if not rows:
        message = f"no run in {arguments.folder} knows {arguments.case}" if kept else f"{arguments.folder} keeps no run"
        raise UsageError(message)
    headers = ["run", "target", *(["result"] if arguments.case else ["agree", "of all", "wrong", "refused"])]
    print(tabulate(rows, headers=headers, disable_numparse=True))
    return 0


def _records(paths: Iterable[Path]) -> list[Record]:
    return [record for path in paths for record in history.records(path)]


def _show(record: Record, reasons: Mapping[str, str]) -> None:
    print(terminal.render_table(record.results, reasons, shutil.get_terminal_size((120, 40)).columns))


def _reasons(record: Record, settings: Settings) -> dict[str, str]:
    expected = expected_of(settings, record.target)
    return match.expected_reasons(record.results, expected)


def _previous(named: Sequence[Record], kept: Sequence[KeptRun], now: Sequence[Record]) -> Matrix | None:
    """Return the previous run: the named one, else the last kept run that is not this run."""
    if named:
        return merge(named)
    started = {record.environment.get("started") for record in now}
    others = [run for run in kept if not started & {record.environment.get("started") for record in run.records}]
    return merge(others[-1].records) if others else None


def _lifted(named: Path | None, folder: Path) -> Lifted | None:
    """Return the file of `prepare` that is named, else the one in the folder of the report, if there is one.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    path = named or folder / _PREPARED
    if named is None and not path.exists():
        return None
    try:
        return from_text(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path}: {one_line(str(error))}"
        raise UsageError(message) from error


def _past(seen: Iterable[tuple[str, Sequence[Column]]]) -> Iterable[PastRun]:
    for name, columns in seen:
        for column in columns:
            numbers = counts_of(column)
            yield PastRun(name=name, label=column.target.label, agree=numbers.agree, total=numbers.total)


def _totals_of(run: KeptRun) -> Iterable[list[str]]:
    for column in _columns(run):
        counts = counts_of(column)
        cells = (counts.agree, counts.total, counts.wrong, counts.refused)
        yield [run.name, column.target.label, *map(str, cells)]


def _past_of(run: KeptRun, case_id: str) -> Iterable[list[str]]:
    for column in _columns(run):
        found = next((result for result in column.record.results if result.case_id == case_id), None)
        if found is not None or case_id in column.missing:
            text = state_of(found).word if found is None else changes_text.ending_text(found)
            yield [run.name, column.target.label, text]


def _columns(run: KeptRun) -> tuple[Column, ...]:
    try:
        return merge(run.records).columns
    except RecordError:
        return ()  # a run that says nothing about Burn has no place in its history


def _write(folder: Path, made: Mapping[str, str]) -> None:
    for name, text in made.items():
        target = folder / name
        write_file(target, text)
        print(f"wrote {target}")


def _summarise(findings: Findings) -> None:
    """Append a summary to the file that GitHub shows under a step of CI, if there is one."""
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(matrix.step_summary(findings))
        except OSError as error:
            sys.stderr.write(f"burn-verify: warning: the step summary was not written: {error}\n")
