"""The command ``burn-verify latency``: times and costs in a record. Measures nothing."""

import argparse
from pathlib import Path
from typing import Final

from burn_verify.cli.common import Commands, add_command, add_options, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.record import store
from burn_verify.report.views import latency
from burn_verify.run.recorder import LAST_RECORD
from burn_verify.system.cache import Cache

_TEXT: Final = """\
Show the times of a record: Burn, ONNX Runtime and their ratio beside the verdict, then the cost of building the
program. Times of a case that disagrees are between tildes: they are not valid."""
_EXAMPLES: Final = """\
examples:
  pytest --models mnist,squeezenet --latency --burn-record=run.jsonl
  burn-verify latency run.jsonl                 the last run of the record
  burn-verify latency --last --markdown         the last run of all, as Markdown
what is counted and what is not: docs/latency.md
exit codes: 0 done, 4 usage, also where nothing was timed"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "show the times in a record: Burn, ONNX Runtime, their ratio, and the cost of the program"
    command = add_command(commands, "latency", short, _TEXT, _EXAMPLES)
    command.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="a file written by --burn-record")
    command.add_argument("--last", action="store_true", help="the last run, which is always kept")
    command.add_argument("--markdown", action="store_true", help="as Markdown")
    add_options(command, {"cache_dir"})
    command.set_defaults(run=_latency)


def _latency(arguments: argparse.Namespace) -> int:
    if (arguments.record is not None) == arguments.last:
        message = "name a record, or say --last"
        raise UsageError(message)
    cache = Cache(settings_from(typed(arguments)).cache_dir)
    path = cache.root / LAST_RECORD if arguments.last else arguments.record
    results = store.read(path).results
    shown = latency.as_markdown(results) if arguments.markdown else latency.as_text(results)
    if not shown:
        message = f"{path}: nothing was timed in that run; time it: pytest --models mnist --latency"
        raise UsageError(message)
    print(shown)
    return 0
