"""Inject a fault into a real run, one at a time, and tell whether the run ends as it should.

usage: python tools/inject.py run --out FILE [--only WORD…] [--work DIR] [--compiled DIR]
       python tools/inject.py report FILE --out reports/faults.md

`run` warms a cache of its own with small models, then damages each kind of kept file, fills the disk below each writer,
sends signals in each phase and sets limits to memory; after each fault it runs once more, undisturbed. It goes on where
FILE ends. Burn is copied from `--compiled`, by default the user's cache. To fill a disk it mounts, which takes root.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from injection.faults import End, Fault, faults
from injection.report import Row, markdown, row
from injection.world import MODELS, OFFLINE, World, injected


def main() -> None:
    """Inject faults or write the report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        places = {one.name: place for place, one in enumerate(faults())}
        rows = sorted(_read(arguments.file), key=lambda one: places.get(one.fault, len(places)))
        arguments.out.write_text(markdown(rows, len(places)), encoding="utf-8")
        return
    known = {one.fault: one for one in _read(arguments.out)} if arguments.out.exists() else {}
    wanted = [one for one in faults() if not arguments.only or any(word in one.name for word in arguments.only)]
    wanted.sort(key=lambda one: one.turn)
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch, LongWork(sys.stderr) as work:
        world = _world(arguments.work or Path(scratch))
        work.listen(Progress(phase="disk", done=0, total=0, text="warming a cache"))
        clean = world.make(arguments.compiled or Cache(settings_from({}).cache_dir).root, _mirror())
        for place, fault in enumerate(wanted):
            work.listen(Progress(phase="verify", done=place, total=len(wanted), text=fault.name))
            if fault.name not in known:
                _append(arguments.out, _tried(world, fault, clean))


def _world(work: Path) -> World:
    for name in ("run", "saved"):
        (work / name).mkdir(parents=True, exist_ok=True)
    return World(folder=work / "run", saved=work / "saved")


def _tried(world: World, fault: Fault, clean: Mapping[tuple[str, ...], Mapping[str, str]]) -> Row:
    """Inject one fault, run with it and once more without it."""
    world.restore()
    if fault.command != "report":
        (world.folder / "record.jsonl").unlink(missing_ok=True)
    try:
        with injected(world, fault) as (told, before):
            seen = world.run(_command(fault), told, before)
            # Who made it again shows that it can be made; who reads a file makes nothing.
            made = fault.kind == "damage" and seen.code == 0 and seen.results == clean[fault.selection]
            reads = fault.end is End.USAGE
            again = replace(seen, results=clean[fault.selection]) if made or reads else world.verify(fault.selection)
    except FileNotFoundError as error:
        return Row(fault=fault.name, end=fault.end.value, said=f"not tried: nothing is at {error}")
    if fault.command == "report":
        seen = replace(seen, results={})
    return row(fault, seen, again, clean[fault.selection])


def _command(fault: Fault) -> list[str]:
    if fault.command == "report":
        return ["report", *fault.options, "--out", "site"]
    options = [*OFFLINE, *fault.options]
    if not any(option.startswith("--burn-record") for option in options):
        options.append("--burn-record=record.jsonl")
    if fault.kind == "memory":
        options.append(f"--burn-memory-limit={fault.how}")
    models = [*MODELS, *(option for option in options if not option.startswith("-"))]
    flags = [option for option in options if option.startswith("-")]
    if fault.command == "pytest":
        return ["pytest", "-p", "no:cacheprovider", "--models", ",".join(models), *flags]
    return ["verify", *models, *flags]


def _mirror() -> Path | None:
    found = os.environ.get("BURN_VERIFY_ZOO_MIRROR")
    return Path(found) if found else None


def _read(path: Path) -> list[Row]:
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _append(path: Path, found: Row) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found)) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="inject faults")
    run.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON lines")
    run.add_argument("--only", nargs="+", default=[], metavar="WORD", help="faults whose name contains this")
    run.add_argument("--work", type=Path, metavar="DIR", help="a folder that is kept")
    run.add_argument("--compiled", type=Path, metavar="DIR", help="a cache with compiled Burn")
    report = commands.add_parser("report", help="write the table")
    report.add_argument("file", type=Path)
    report.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
