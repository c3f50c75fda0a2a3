"""The command ``burn-verify expectations``: files of expected failures, kept up to date with what happened.

`expectations.update` decides about entries; this reads and writes the files and prints the changes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from burn_verify.cli.common import Commands, add_command, write_file
from burn_verify.core.errors import UsageError
from burn_verify.expectations import packaged
from burn_verify.expectations.document import HEADER
from burn_verify.expectations.update import Revision, updated
from burn_verify.record import store
from burn_verify.record.codec import Record

_SHOWN: Final = 5
_UPDATE: Final = """\
Make the failures of a run, its last one if the file holds several, the failures that are expected.

  a case that failed     is expected to fail at its stage; at the same stage it keeps its reason and link
  a case that passed     is not expected to fail any more
  a case that was not    keeps what was expected of it, and so does one whose failure proves nothing about Burn:
  run, or was skipped    no result, a time limit, a file that is not here
  a wildcard             stays while all it matches fails at its stage; otherwise the ids take its place

A run on several targets updates the file of each. A new file inherits from the one of the default backend, or of a
neighbour version, and holds only what is different.

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
        help="write what the packaged file does not say into this one, for --burn-expectations. For a run on several "
        "targets a folder, with a file each",
    )
    update.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file would change")
    update.set_defaults(run=_update)


def _update(arguments: argparse.Namespace) -> int:
    chosen, others = _chosen(store.read_run(arguments.record))
    if not chosen:
        message = f"{arguments.record}: no result says which Burn it ran: there is nothing to expect of it"
        raise UsageError(message)
    if len(chosen) > 1 and arguments.out is not None and not arguments.out.is_dir():
        message = (
            f"{arguments.record} is of {len(chosen)} targets, a file each: --out has to name a folder that is there"
        )
        raise UsageError(message)
    for why in others:
        sys.stderr.write(f"burn-verify: {why}\n")
    # Files that others inherit from come first, so that the others see their new content.
    return max(_update_one(record, arguments, several=len(chosen) > 1) for record in chosen)


def _chosen(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Return the records to update from, one for each file, and in one line each why others are left out."""
    by_file: dict[Path, Record] = {}
    others = []
    # Default conversion and published releases come first.
    for record in sorted(records, key=lambda record: len(record.target.name)):
        file = packaged.file_of(record.target)
        if record.failure:
            others.append(f"{record.target.label} was not run: {record.failure}")
        elif not record.results or not record.target.burn or not record.target.backend:
            continue
        elif file in by_file:
            others.append(f"{record.target.label} is passed over: {file.name} is for {by_file[file].target.label}")
        else:
            by_file[file] = record
    return sorted(by_file.values(), key=lambda record: packaged.rank_of(record.target)), others


def _update_one(record: Record, arguments: argparse.Namespace, *, several: bool) -> int:
    ours = packaged.file_of(record.target)
    target: Path = ours if arguments.out is None else arguments.out / ours.name if several else arguments.out
    before = _text(target) if target.exists() else None
    revision = _revised(record, before or "", target.name, own=arguments.out is None)
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


def _revised(record: Record, text: str, source: str, *, own: bool) -> Revision:
    """Return a packaged file after a run, or one of the user's, who is told of the packaged ones before it is read."""
    target = record.target
    version = ".".join(target.burn.split(".")[:2])
    header = HEADER.format(version=version, backend=target.backend.capitalize())
    if not own:
        known = (*packaged.load(target), *packaged.inherited(text, source))
        return updated(text, source, record.results, header, known)
    if not text and (parent := packaged.parent_of(target)):
        text = f'{header}\n\ninherits = "{parent}"\n'
    return updated(text, source, record.results, header, packaged.inherited(text, source))


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
