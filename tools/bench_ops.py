"""Measure generated graphs: what a further one costs as they grow, a warm run, and how many drawn sets a second.

usage: python tools/bench_ops.py [--sizes 1000,3000,6000] [--examples 1000] [--output bench-ops.json]

The toolchain and the graphs are those of the cache (made first if need be, and timed on their own); conversions and
binaries start from nothing in a scratch cache for every size.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from bench import REPOSITORY, fresh_cache
from burn_verify.burn.workspace import Workspace
from burn_verify.cases.generated.collection import Generated, requested
from burn_verify.core.case import Case
from burn_verify.core.option_values import ALL
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.steps import Plan, Ready
from burn_verify.system.cache import Cache

EXAMPLES_OF = (
    "op/Tanh-13/float32/default",
    "op/Add-14/float32/default",
    "op/ReduceSum-13/float32/default",
    "op/Gather-13/float32/default",
    "op/MatMul-13/float32/default",
)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,3000,6000", help="how many graphs, each from nothing")
    parser.add_argument("--examples", type=int, default=1000, help="drawn sets a graph")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "bench-ops.json", help="where the JSON goes")
    arguments = parser.parse_args()
    cache = Cache(None)
    toolchain = Workspace.of(cache, silent, Target())
    toolchain.converter()
    started = time.monotonic()
    cases = Generated(cache).cases(requested([ALL]).operators, "nightly")
    generated = time.monotonic() - started
    drawn = examples_per_second(cache, cases, arguments.examples)
    print(json.dumps(drawn), file=sys.stderr, flush=True)
    rows = []
    for size in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="burn-verify-bench-") as scratch:
            rows.append(grown(Path(scratch), toolchain.folder.parent, spread(cases, size)))
            # The larger ones take minutes: nobody should lose what is known.
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    measured = {"graphs": len(cases), "generated": round(generated, 2), "growth": rows, "examples": drawn}
    measured["load"] = list(os.getloadavg())
    print(
        f"{len(cases)} graphs of the profile nightly, made or found in {generated:.1f} s; load {os.getloadavg()[0]:.2f}"
    )
    print(tabulate(rows, headers="keys", floatfmt=".1f"))
    print(tabulate(drawn, headers="keys", floatfmt=".0f"))
    arguments.output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def spread(cases: Sequence[Case], size: int) -> list[Case]:
    """Return so many cases, evenly out of all."""
    return [cases[place * len(cases) // size] for place in range(min(size, len(cases)))]


def grown(scratch: Path, toolchain: Path, cases: Sequence[Case]) -> dict[str, Any]:
    """Return the seconds that cases take, cold and warm, and what a graph costs."""
    cache = Cache(fresh_cache(scratch / "all", toolchain))
    cold, plan = prepared(cache, cases)
    pipeline = Pipeline(Settings(), cache)
    started = time.monotonic()
    for case in cases:
        pipeline.verify(plan.cases[case.id])
    run = time.monotonic() - started
    pipeline.close()
    warm, _ = prepared(cache, cases)
    return {
        "graphs": len(cases),
        "compiled": sum(step.built is not None for step in plan.cases.values()),
        "convert": plan.phases["convert"],
        "compile": plan.phases["compile"],
        "run and judge": run,
        "cold": cold + run,
        "warm": warm + run,
        "ms each": (cold + run) / len(cases) * 1000,
    }


def prepared(cache: Cache, cases: Sequence[Case]) -> tuple[float, Plan]:
    """Prepare cases and return the seconds that took, and the plan."""
    pipeline = Pipeline(Settings(), cache)
    started = time.monotonic()
    plan = pipeline.prepare(cases)
    pipeline.close()
    return time.monotonic() - started, plan


def examples_per_second(cache: Cache, cases: Sequence[Case], examples: int) -> list[dict[str, Any]]:
    """Return, for small graphs, how many drawn sets a second go through ONNX Runtime, Burn and the comparison."""
    chosen = [case for case in cases if case.id in EXAMPLES_OF]
    pipeline = Pipeline(Settings(ops_examples=examples), cache)
    plan = pipeline.prepare(chosen)
    rows = []
    for case in chosen:
        pipeline.verify(plan.cases[case.id])
        step = plan.cases[case.id]
        assert isinstance(step, Ready)
        started = time.monotonic()
        compared = pipeline.draw(step.built, shrink=False).agree
        rows.append({"graph": case.id, "sets": compared, "sets a second": compared / (time.monotonic() - started)})
    pipeline.close()
    return rows


if __name__ == "__main__":
    main()
