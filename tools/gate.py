"""Change burn-onnx, one change at a time, and tell whether `--only-changed` misses any case that it changes.

usage: python tools/gate.py run --out FILE [--only WORD…] [--work DIR] [--sources DIR]
       python tools/gate.py report FILE --out FILE.md

Each change (`gating.changes`) is planted in a copy of the sources that cargo downloaded, and the same selection is run
with both copies: by the gate, then completely. Two releases are compared in the same way, on one Burn. A run goes on
where FILE ends.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from burn_verify.core.errors import UsageError
from burn_verify.core.versions import version_of_onnx
from burn_verify.record import store
from burn_verify.system.files import write_if_changed
from gating.changes import CHANGES, CRATES, MANIFEST, RELEASES, VERSION, Change, Releases, plant
from gating.rows import Row, Said, page, said
from json_lines import lines_of

_OPERATORS: Final = "--ops=Add,ArgMax,Concat,Gemm,Greater,LeakyRelu,MatMul,Neg,ReduceMean,Softmax,Transpose"
_PRODUCT: Final = "several/0/01122"
"""A graph that multiplies two constants; others multiply what the simplifier does not compute, or by one."""
SELECTION: Final = (
    "resnet8",
    "resnet20",
    f"{_OPERATORS},{_PRODUCT}",
    "--ops-several=500",
    "--conformance=pytorch",
)
"""Every change is reached by some of it: the patterns of the simplifier by graphs of several operators, the weights of
Gemm by models, since no generated graph of Gemm has such."""
WIDE: Final = (_OPERATORS, "--ops-several=300", "--conformance=node")
"""For two releases, which differ in much more."""
_COMMAND: Final = str(Path(sys.executable).with_name("burn-verify"))
_WARM: Final = "--ops=op/Neg-13/float32/default"
_HOW: Final = (
    "Written by `python tools/gate.py report` (docs/gate.md says what the gate is), on Flex: generated graphs of the "
    "operators that are changed, graphs of several, and cases of ONNX."
)


def main() -> int:
    """Plant the changes, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--only", nargs="*", default=[], metavar="WORD", help="changes whose name has one of the words")
    run.add_argument("--work", type=Path, metavar="DIR", help="for the copies; kept (default: a temporary folder)")
    run.add_argument("--sources", type=Path, metavar="DIR", help="of crates (default: those that cargo downloaded)")
    report = commands.add_parser("report")
    report.add_argument("file", type=Path)
    report.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    known = [row_from(line) for line in lines_of(arguments.out if arguments.command == "run" else arguments.file)]
    every: list[Change | Releases] = [*CHANGES, *RELEASES]
    if arguments.command == "report":
        arguments.out.write_text(page(known, _HOW, [one.name for one in every]), encoding="utf-8")
        return 0
    done = {row.name for row in known}
    wanted = [one for one in every if not arguments.only or any(word in one.name for word in arguments.only)]
    wanted = [one for one in wanted if one.name not in done]
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        work = (arguments.work or Path(scratch)).resolve()
        for one in wanted:
            make(one, arguments.sources, work)
            row = compared(one, work)
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
    return 0


def make(one: Change | Releases, sources: Path | None, work: Path) -> None:
    """Make the checkouts before and after a change."""
    before, after = (one.before, one.after) if isinstance(one, Releases) else (VERSION, VERSION)
    for version, name in ((before, "before"), (after, "after")):
        fresh(sources or downloaded(version), work / name, version)
    if isinstance(one, Change):
        plant(one, work / "after")


def downloaded(version: str) -> Path:
    """Return the folder into which cargo unpacked a burn-onnx.

    Raises:
        SystemExit: it is not there; the first run of burn-verify downloads it.
    """
    home = Path(os.environ.get("CARGO_HOME", "~/.cargo")).expanduser()
    found = next(home.glob(f"registry/src/*/{CRATES[0]}-{version}"), None)
    if found is None:
        burn = version_of_onnx(version).burn
        how = f"burn-verify verify --models mnist --burn-version {burn}"
        sys.exit(f"gate.py: cargo has not downloaded {CRATES[0]} {version} yet: {how}")
    return found.parent


def fresh(sources: Path, workspace: Path, version: str = VERSION) -> None:
    """Make a workspace of the crates as they are, and of nothing else.

    Only files whose content differs are written, with the time of now: cargo goes by the time, and would take a change
    that is taken back for one that is still there, if the file were as old as before.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    write_if_changed(workspace / "Cargo.toml", MANIFEST)
    for crate in CRATES:
        folder = sources / f"{crate}-{version}"
        for old in (workspace / crate).rglob("*"):
            if old.is_file() and not (folder / old.relative_to(workspace / crate)).is_file():
                old.unlink()
        for path in folder.rglob("*"):
            copy = workspace / crate / path.relative_to(folder)
            if path.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            elif not copy.is_file() or copy.read_bytes() != path.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())


def compared(one: Change | Releases, work: Path) -> Row:
    """Run the gate and the complete run of a change."""
    load = os.getloadavg()[0]
    sides = [f"--burn-onnx-path={work / 'before'},{work / 'after'}"]
    selection = WIDE if isinstance(one, Releases) else SELECTION
    if isinstance(one, Releases):
        sides.append(f"--burn-version={one.burn}")
    row = partial(Row, name=one.name, part=one.part, selection=" ".join(selection), load=load)
    markdown = ""
    try:
        building = _run([_WARM, *sides], work / "warm.jsonl")
        runs: list[Said] = []
        for name, more in (("gate", ["--only-changed"]), ("complete", [])):
            record = work / f"{name}.jsonl"
            seconds = _run([*selection, *sides, *more], record)
            comment = _output(["diff", str(record), "--comment"])
            if isinstance(one, Releases) and not markdown:
                markdown = comment
            first = comment.partition("\n")[0].lstrip("# ").removeprefix("burn-verify: ")
            runs.append(said(store.read_run(record), seconds, first))
    except (UsageError, ValueError, OSError) as error:
        return row(error=str(error))
    gate, complete = runs
    return row(building=building, gate=gate, complete=complete, markdown=markdown)


def row_from(line: Mapping[str, Any]) -> Row:
    """Return a row that was written to a file."""
    runs = {name: None if line[name] is None else Said(**line[name]) for name in ("gate", "complete")}
    return Row(**{**line, **runs})


def _run(words: Sequence[str], record: Path) -> float:
    """Run a selection anew, and return the seconds that it took.

    Raises:
        ValueError: there is no result, since burn-onnx could not be built, for instance.
    """
    record.unlink(missing_ok=True)
    started = time.monotonic()
    done = subprocess.run(
        [_COMMAND, "verify", *words, "--burn-record", str(record)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        message = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ValueError(message)
    return time.monotonic() - started


def _output(words: Sequence[str]) -> str:
    return subprocess.run([_COMMAND, *words], capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main())
