"""The command ``burn-verify query``: a question in SQL to the results of a sweep or of any record."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tabulate import tabulate

from burn_verify.cli.common import Commands, add_command, add_options, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.text import harmless
from burn_verify.record import history, parquet
from burn_verify.record.codec import Record
from burn_verify.record.parquet import Answer
from burn_verify.run.recorder import LAST_RECORD
from burn_verify.run.sweep.gather import RECORD
from burn_verify.system.cache import Cache

_TEXT: Final = """\
Ask results in SQL, by DuckDB: the folder of a sweep, records, or the last run where none is named. Needs DuckDB:
pip install 'burn-verify[sweep]'.

Tables: results (a row for each model and target), outputs (one for each output and data set), runs (seconds and
messages). A model without a result has the outcome 'missing'."""
_EXAMPLES: Final = """\
examples:
  burn-verify query "select outcome, stage, count(*) from results group by all" swept
  burn-verify query "select reason, count(*) n from results where outcome = 'failed' group by all order by n desc" swept
  burn-verify query "select case_id, max_ulp from results order by max_ulp desc limit 5" run.jsonl --csv
exit codes: 0 answered, 4 usage, such as wrong SQL"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "query", "ask the results of a sweep, or of records, in SQL", _TEXT, _EXAMPLES)
    command.add_argument("sql", metavar="SQL", help="such as: select * from results")
    command.add_argument("places", nargs="*", type=Path, metavar="PLACE", help="the folder of a sweep, or records")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="as CSV")
    form.add_argument("--json", action="store_true", help="as JSON, an object a row")
    add_options(command, ("cache_dir",))
    command.set_defaults(run=_query)


def _query(arguments: argparse.Namespace) -> int:
    places: list[Path] = arguments.places or [Cache(settings_from(typed(arguments)).cache_dir).root / LAST_RECORD]
    answer = _ask(arguments.sql, places)
    if arguments.json:
        objects = (dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
        print(json.dumps(list(objects), indent=1, default=str))
    elif arguments.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([answer.columns, *answer.rows])
    else:
        rows = [[_cell(value) for value in row] for row in answer.rows]
        print(harmless(tabulate(rows, headers=answer.columns, disable_numparse=True)))
    return 0


def _ask(sql: str, places: list[Path]) -> Answer:
    """Ask the tables of one sweep, or tables made of records."""
    if len(places) == 1 and places[0].is_dir():
        folder = places[0]
        record = folder / RECORD
        if record.is_file() and parquet.are_fresh(folder, record):
            return parquet.ask(sql, folder=folder)
    return parquet.ask(sql, records=_records(places))


def _records(places: Iterable[Path]) -> list[Record]:
    found: list[Record] = []
    for place in places:
        record = place / RECORD if place.is_dir() else place
        if place.is_dir() and not record.is_file():
            message = f"{place}: there is no {RECORD} in it: burn-verify sweep MANIFEST --out {place} --gather makes it"
            raise UsageError(message)
        found += history.records(record)
    return found


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
