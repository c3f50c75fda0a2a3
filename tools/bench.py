"""Measure where the time of a run goes, cold and warm, and how it grows; compare with the last committed run.

usage: python tools/bench.py [--models NAMES] [--output bench.json] [--commit]

The toolchain is the one in the cache (built first if need be, and timed on its own); converted models, references and
binaries start from nothing in a scratch cache, so `cold` is what a new selection costs and `warm` the same once more.
What judging by evidence costs is measured on ONNX's node cases, in the ordinary cache, against judging by tolerance.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from burn_verify.cache import Cache
from burn_verify.options import Settings
from burn_verify.process import stream
from burn_verify.progress import silent
from burn_verify.recording import environment
from burn_verify.store import read
from burn_verify.toolchain import Toolchain

REPOSITORY = Path(__file__).parents[1]
COMMITTED = REPOSITORY / "reports" / "bench.json"
PHASES = ("collect", "load", "toolchain", "reference", "convert", "compile", "run", "judge")
GROWTH = (5, 10, 20)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", help="names for --models; the default is all of the mirror, else the stand-ins")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "bench.json", help="where the JSON goes")
    parser.add_argument("--commit", action="store_true", help=f"write {COMMITTED.name} under reports/ as well")
    arguments = parser.parse_args()
    mirror = find_mirror()
    names = arguments.models or ("all" if mirror else "mnist,squeezenet,resnet50,densenet121,mobilenetv2,resnet18")
    toolchain = Toolchain(Cache(None), silent)
    toolchain.converter()
    with tempfile.TemporaryDirectory(prefix="burn-verify-bench-") as scratch:
        measured = measure(Path(scratch), toolchain.folder, names, mirror)
        measured["judging"] = judging(Path(scratch))
    before = json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.is_file() else None
    print(phase_table(measured, before))
    print(growth_table(measured))
    print(judging_table(measured["judging"]))
    text = json.dumps(measured, indent=1, sort_keys=True) + "\n"
    arguments.output.write_text(text, encoding="utf-8")
    if arguments.commit:
        COMMITTED.write_text(text, encoding="utf-8")


def find_mirror() -> Path | None:
    """Return the folder of models to measure with, if there is one."""
    folder = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or REPOSITORY.parent / "shared" / "zoo")
    return folder if (folder / "index.json").is_file() else None


def measure(scratch: Path, toolchain: Path, names: str, mirror: Path | None) -> dict[str, Any]:
    """Return seconds by phase of a cold and a warm run, and of cold runs of growing size."""
    cold = run(fresh_cache(scratch / "all", toolchain), names, mirror)
    warm = run(scratch / "all", names, mirror)
    growth = {}
    agreeing = sorted(case_id.removeprefix("zoo/").removesuffix("@seeded") for case_id in cold.pop("agree"))
    for size in GROWTH:
        if size <= len(agreeing):
            cache = fresh_cache(scratch / f"growth-{size}", toolchain)
            growth[str(size)] = run(cache, ",".join(agreeing[:size]), mirror)["phases"]["compile"]
    del warm["agree"]
    load = list(os.getloadavg())
    return {
        "names": names,
        "cold": cold,
        "warm": warm,
        "compile_growth": growth,
        "load": load,
        "environment": environment(Settings()),
    }


def judging(scratch: Path) -> dict[str, Any]:
    """Return what judging all node cases costs by tolerance and by evidence, everything else being in the cache."""
    measured: dict[str, Any] = {}
    # The first run only fills the cache.
    for mode in ("default", "onnx", "default"):
        record = scratch / "judging.jsonl"
        record.unlink(missing_ok=True)
        options = ["--conformance=node", f"--judge={mode}", f"--burn-record={record}"]
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        stream(argv, cwd=scratch, env=os.environ, on_stdout=list[str]().append, on_stderr=list[str]().append)
        recorded = read(record)
        spent = {name: recorded.phases[name] for name in ("judge", "reference")}
        compared = sum(result.stage == "compare" for result in recorded.results)
        measured[mode] = {**spent, "compared": compared}
    return measured


def judging_table(measured: dict[str, Any]) -> str:
    """Return seconds of judging by tolerance and by evidence."""
    rows = [[mode, spent["compared"], spent["judge"], spent["reference"]] for mode, spent in sorted(measured.items())]
    return "\njudging ONNX's node cases, references in the cache\n" + tabulate(
        rows, headers=["--judge", "compared", "judge", "reference"]
    )


def fresh_cache(root: Path, toolchain: Path) -> Path:
    """Make a cache that holds nothing but the compiled toolchain, by a link."""
    root.mkdir()
    (root / toolchain.name).symlink_to(toolchain)
    return root


def run(cache: Path, names: str, mirror: Path | None) -> dict[str, Any]:
    """Run pytest once, in a folder of its own, and return its wall time, phases and agreeing results."""
    record = cache / "bench-record.jsonl"
    record.unlink(missing_ok=True)
    folder = cache / "empty"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--models",
        names,
        "--burn-record",
        str(record),
        "--burn-offline",
        "on",
    ]
    argv += ["--burn-cache-dir", str(cache), *(["--zoo-mirror", str(mirror)] if mirror else [])]
    said: list[str] = []
    started = time.monotonic()
    code = stream(argv, cwd=folder, env=os.environ, on_stdout=said.append, on_stderr=said.append)
    wall = time.monotonic() - started
    if code != 0:
        sys.exit("\n".join([*said, f"the run failed with exit code {code}: nothing was measured"]))
    recorded = read(record)
    agree = [result.case_id for result in recorded.results if result.verdict == "agrees"]
    return {"wall": round(wall, 2), "phases": dict(recorded.phases), "agree": agree}


def phase_table(measured: dict[str, Any], before: dict[str, Any] | None) -> str:
    """Return seconds by phase, cold and warm, each with its ratio to the committed run."""
    rows = [row(name, [(measured[kind], before and before[kind]) for kind in ("cold", "warm")]) for name in PHASES]
    rows.append(row("wall", [(measured[kind], before and before[kind]) for kind in ("cold", "warm")]))
    load = ", ".join(f"{value:.2f}" for value in measured["load"])
    head = f"{measured['names']}: seconds by phase (the reference runs beside convert and compile); load {load}\n"
    return head + tabulate(rows, headers=["phase", "cold", "ratio", "warm", "ratio"], disable_numparse=True)


def row(name: str, sides: Sequence[tuple[dict[str, Any], dict[str, Any] | None]]) -> list[str]:
    """Return one line of the table."""
    cells = [name]
    for now, then in sides:
        cells.append(f"{seconds(now, name):.2f}")
        cells.append(f"{seconds(now, name) / seconds(then, name):.2f}" if then and seconds(then, name) > 0.05 else "")
    return cells


def seconds(side: dict[str, Any], name: str) -> float:
    """Return the seconds of a phase, or the wall time."""
    return float(side["wall"] if name == "wall" else side["phases"].get(name, 0.0))


def growth_table(measured: dict[str, Any]) -> str:
    """Return cargo's seconds by number of models, from nothing each time."""
    rows = [[size, f"{spent:.2f}", f"{spent / int(size):.2f}"] for size, spent in measured["compile_growth"].items()]
    return "\ncompile, cold, by number of models\n" + tabulate(rows, headers=["models", "seconds", "each"])


if __name__ == "__main__":
    main()
