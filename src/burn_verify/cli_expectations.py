"""The command ``burn-verify expectations``: files of expected failures, kept up to date with what happened.

Decides nothing about entries, see `revision`; this reads and writes the files and tells what changed.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from burn_verify import store
from burn_verify.commands import Commands, add_command, write_file
from burn_verify.entries import HEADER
from burn_verify.errors import UsageError
from burn_verify.expectations import packaged
from burn_verify.revision import Revision, updated
from burn_verify.store import Record

_SHOWN: Final = 5
_UPDATE: Final = """\
Make the failures of a run, its last one if the file holds several, the failures that are expected.

  a case that failed     is expected to fail at its stage; at the same stage it keeps its reason and link
  a case that passed     is not expected to fail any more
  a case that was not    keeps what was expected of it, and so does one whose failure proves nothing about Burn:
  run, or was skipped    no result, a time limit, a file that is not here
  a wildcard             stays while all it matches fails at its stage; otherwise the ids take its place

New entries explain themselves by the result's reason, and cases that share one share an entry. Reword a reason freely:
it stays from then on."""
_EXAMPLES: Final = """\
examples:
  pytest --models=all --burn-record=run.jsonl
  burn-verify expectations update run.jsonl --check             would anything change?
  burn-verify expectations update run.jsonl                     change the packaged file
  burn-verify expectations update run.jsonl --out known.toml    change a file for --burn-expectations
exit codes: 0 done, 1 --check and it would change, 2 the file cannot be written, 4 usage"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = commands.add_parser("expectations", help="bring the failures that are expected up to date")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    update = add_command(actions, "update", "expect exactly the failures of a recorded run", _UPDATE, _EXAMPLES)
    update.add_argument("record", type=Path, metavar="RECORD", help="a file written by --burn-record")
    update.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="update this file instead of the packaged one; a new one starts as a copy of it",
    )
    update.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file would change")
    update.set_defaults(run=_update)


def _update(arguments: argparse.Namespace) -> int:
    record = store.read(arguments.record)
    if not record.burn_version or not record.burn_backend:
        message = f"{arguments.record}: no result says which Burn it ran: there is nothing to expect of it"
        raise UsageError(message)
    ours = packaged(record.burn_version, record.burn_backend)
    target: Path = arguments.out or ours
    before = _text(target) if target.exists() else None
    revision = _revised(record, before if before is not None else _text(ours), target.name)
    for line in _passed_over(revision):
        sys.stderr.write(f"burn-verify: {line}\n")
    print(
        f"{revision.added} added, {revision.removed} removed, {revision.moved} moved, {revision.kept} kept "
        f"({len(record.results)} results)"
    )
    if revision.text == before:
        print(f"{target} is up to date")
        return 0
    if arguments.check:
        print(f"{target} would change")
        return 1
    write_file(target, revision.text, "; --out FILE writes elsewhere")
    print(f"wrote {target}")
    return 0


def _revised(record: Record, text: str, source: str) -> Revision:
    version = ".".join(record.burn_version.split(".")[:2])
    header = HEADER.format(version=version, backend=record.burn_backend.capitalize())
    return updated(text, source, record.results, header)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise UsageError(message) from None


def _passed_over(revision: Revision) -> Iterator[str]:
    for why, ids in revision.passed_over.items():
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        yield f"no evidence about Burn ({why}), left as it was: {', '.join(ids[:_SHOWN])}{more}"
