"""Measure where the time of a run goes, cold and warm, and how it grows; compare with the last committed run.

usage: python tools/bench.py [NAME ...] [--output bench.json] [--commit]

Each benchmark is a selection: `zoo` the models at hand, `node` ONNX's node cases. The toolchain is the one in the cache
(built first if need be); collected cases, converted models, references and binaries start from nothing in a scratch
cache, so `cold` is what a new selection costs and `warm` the same once more. Memory is the sum of the resident sizes of
all processes of the run, taken every 0.1 s: pages that they share count more than once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tabulate import tabulate

from burn_verify.burn.workspace import Workspace
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.record.environment import environment
from burn_verify.record.store import read
from burn_verify.system.cache import Cache

REPOSITORY = Path(__file__).parents[1]
COMMITTED = REPOSITORY / "reports" / "bench.json"
PHASES = ("collect", "load", "toolchain", "reference", "convert", "compile", "run", "judge")
STAND_INS = "mnist,squeezenet,resnet50,densenet121,mobilenetv2,resnet18"
WORKERS = ("-n", "2")

# A hook of the folder, as users write them.
_LIMIT = """\
def pytest_collection_modifyitems(items):
    del items[{count}:]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A selection to measure.

    Attributes:
        arguments: of pytest.
        growth: numbers of cases to measure cold, beside all of them.
        workers: whether it is also measured in two processes, and judged by tolerance alone.
    """

    name: str
    arguments: tuple[str, ...]
    growth: tuple[int, ...]
    workers: bool = False


def find_mirror() -> Path | None:
    """Return the folder of models to measure with, if there is one."""
    folder = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or REPOSITORY.parent / "shared" / "zoo")
    return folder if (folder / "index.json").is_file() else None


def benchmarks() -> tuple[Benchmark, ...]:
    """Return what there is to measure on this machine."""
    folder = find_mirror()
    models = ("--models=all", f"--zoo-mirror={folder}") if folder else (f"--models={STAND_INS}",)
    return (
        Benchmark(name="zoo", arguments=models, growth=(5, 10, 20)),
        Benchmark(name="node", arguments=("--conformance=node",), growth=(500, 1000), workers=True),
    )


def main() -> None:
    """Run the benchmarks and print their tables."""
    known = {benchmark.name: benchmark for benchmark in benchmarks()}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all of them by default")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "bench.json", help="where the JSON goes")
    parser.add_argument("--commit", action="store_true", help=f"update {COMMITTED.name} under reports/ as well")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - known.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}: choose from {', '.join(known)}")
    toolchain = Workspace.of(Cache(None), silent, Target())
    toolchain.converter()
    before = json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.is_file() else {}
    measured = {}
    for name in arguments.names or known:
        measured[name] = measure(known[name], toolchain.folder.parent)
        print(phase_table(name, measured[name], before.get(name)))
        print(growth_table(measured[name]) + "\n")
    arguments.output.write_text(as_text(measured), encoding="utf-8")
    if arguments.commit:
        COMMITTED.write_text(as_text({**before, **measured}), encoding="utf-8")


def as_text(value: object) -> str:
    """Return a value as the JSON that is kept."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def measure(benchmark: Benchmark, toolchain: Path) -> dict[str, Any]:
    """Return what a cold and a warm run take, in one process and in two, and cold runs of growing size."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="burn-verify-bench-") as folder:
        scratch = Path(folder)
        cache = fresh_cache(scratch / "all", toolchain)
        runs = {"cold": run(cache, benchmark.arguments), "warm": run(cache, benchmark.arguments)}
        if benchmark.workers:
            # What judging by evidence costs is the difference; a verdict may be another than the one expected.
            runs["warm --judge=onnx"] = run(cache, (*benchmark.arguments, "--judge=onnx"), codes=(0, 1))
            runs["warm -n 2"] = run(cache, (*benchmark.arguments, *WORKERS))
            other = fresh_cache(scratch / "workers", toolchain)
            runs["cold -n 2"] = run(other, (*benchmark.arguments, *WORKERS))
        growth = {}
        for size in benchmark.growth:
            if size < runs["cold"]["cases"]:
                cache = fresh_cache(scratch / f"growth-{size}", toolchain)
                growth[str(size)] = run(cache, benchmark.arguments, limit=size)
    growth[str(runs["cold"]["cases"])] = runs["cold"]
    return {
        "arguments": [argument for argument in benchmark.arguments if "mirror" not in argument],
        "runs": runs,
        "growth": growth,
        "load_before": round(load, 2),
        "environment": environment([Target()]),
    }


def fresh_cache(root: Path, toolchain: Path) -> Path:
    """Make a cache that holds nothing but the compiled toolchain, by a link."""
    root.mkdir()
    (root / toolchain.name).symlink_to(toolchain)
    return root


def run(
    cache: Path, selection: Sequence[str], limit: int | None = None, codes: Collection[int] = (0,)
) -> dict[str, Any]:
    """Run pytest once, in a folder of its own, and return its wall time, phases, peak memory and outcomes.

    Arguments:
        limit: take no more cases than this.
        codes: exit codes of a run that counts.
    """
    with tempfile.TemporaryDirectory(prefix="burn-verify-bench-") as folder:
        record = Path(folder, "record.jsonl")
        if limit is not None:
            Path(folder, "conftest.py").write_text(_LIMIT.format(count=limit), encoding="utf-8")
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selection]
        argv += [f"--burn-record={record}", "--burn-offline=on", f"--burn-cache-dir={cache}"]
        started = time.monotonic()
        with peak_memory() as peak:
            done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        wall = time.monotonic() - started
        if done.returncode not in codes:
            sys.exit(f"{done.stdout}{done.stderr}\nexit code {done.returncode}: nothing was measured")
        recorded = read(record)
    return {
        "wall": round(wall, 2),
        "phases": dict(recorded.phases),
        "peak_mib": peak[0],
        "cases": len(recorded.results),
        "agree": sum(result.verdict == "agrees" for result in recorded.results),
    }


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Yield a list of one number: the greatest sum of resident sizes of all processes started here, in MiB."""
    peak = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], sum(map(resident, psutil.Process().children(recursive=True))) >> 20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def resident(process: psutil.Process) -> int:
    """Return the resident size in bytes, 0 for a process that has ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def phase_table(name: str, measured: dict[str, Any], before: dict[str, Any] | None) -> str:
    """Return seconds by phase of each kind of run, with the ratio to the committed one."""
    kinds = list(measured["runs"])
    rows = []
    for phase in (*PHASES, "wall", "peak MiB"):
        row = [phase]
        for kind in kinds:
            now = quantity(measured["runs"][kind], phase)
            then = quantity(before["runs"][kind], phase) if before and kind in before["runs"] else 0.0
            row += [f"{now:.0f}" if phase == "peak MiB" else f"{now:.2f}", f"{now / then:.2f}" if then > 0.05 else ""]
        rows.append(row)
    headers = ["phase", *(cell for kind in kinds for cell in (kind, "ratio"))]
    cold = measured["runs"]["cold"]
    head = (
        f"{name}: {cold['agree']} of {cold['cases']} agree; seconds by phase (the reference runs beside convert and "
        f"compile); load before {measured['load_before']:.2f}\n"
    )
    return head + tabulate(rows, headers=headers, disable_numparse=True)


def quantity(side: dict[str, Any], phase: str) -> float:
    """Return the seconds of a phase, the wall time, or the memory."""
    return float({"wall": side["wall"], "peak MiB": side["peak_mib"]}.get(phase, side["phases"].get(phase, 0.0)))


def growth_table(measured: dict[str, Any]) -> str:
    """Return wall time, cargo's seconds and memory of cold runs by number of cases."""
    rows = []
    for size, side in measured["growth"].items():
        wall, compiling = side["wall"], side["phases"]["compile"]
        rows.append([size, f"{wall:.2f}", f"{compiling:.2f}", f"{wall / int(size):.3f}", side["peak_mib"]])
    headers = ["cases", "wall", "compile", "wall each", "peak MiB"]
    return "\ncold, by number of cases\n" + tabulate(rows, headers=headers, disable_numparse=True)


if __name__ == "__main__":
    main()
