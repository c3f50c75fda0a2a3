"""Measure what compiled-in backends cost a selection: processor seconds for the same models, with one and with several.

usage: python tools/bench_backends.py [--models all | --conformance node] [--backends flex,ndarray,wgpu] [--rounds 3]

Burn itself is compiled first if need be, and not timed. In each round every model gets a name that it never had, so
that all of them are compiled; the two sides take turns. Seconds are those of the processors, of cargo and all that
it starts: another run on the machine changes the wall time, not these. Models that rustc refuses are left out.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from bench import REPOSITORY, find_mirror
from burn_verify.burn.batch import BatchCompiler
from burn_verify.burn.convert import Converter
from burn_verify.burn.workspace import Workspace
from burn_verify.cases import load
from burn_verify.cases.select import Selection
from burn_verify.core.errors import StageError
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", default="all", help="as for pytest --models")
    parser.add_argument("--conformance", default="", help="as for pytest --conformance, instead of models")
    parser.add_argument("--backends", default="flex,ndarray,wgpu", help="the other side has the first of them alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "bench-backends.json", help="where the JSON goes")
    parser.add_argument("--cache-dir", type=Path, default=None)
    arguments = parser.parse_args()
    cache = Cache(arguments.cache_dir)
    every = arguments.backends.split(",")
    sides = {"one": every[:1], "all": every}
    suites = tuple(filter(None, arguments.conformance.split(",")))
    models = accepted(cache, converted(cache, () if suites else arguments.models.split(","), suites), every)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, backends in sides.items():
            seconds[name].append(compiled(cache, models, backends))
            print(f"{name}: {seconds[name][-1]:.2f} s", file=sys.stderr, flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["all"] / medians["one"]
    rows = [
        [", ".join(sides[name]), f"{medians[name]:.2f}", " ".join(f"{value:.2f}" for value in seconds[name])]
        for name in sides
    ]
    print(f"{len(models)} models, processor seconds; load {os.getloadavg()[0]:.2f}")
    print(tabulate(rows, headers=["backends", "median", "rounds"], disable_numparse=True))
    print(f"all over one: {ratio:.2f}")
    measured = {
        "models": len(models),
        "backends": every,
        "seconds": seconds,
        "ratio": round(ratio, 3),
        "load": os.getloadavg()[0],
    }
    arguments.output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def accepted(cache: Cache, models: Sequence[ConvertedModel], backends: Collection[str]) -> list[ConvertedModel]:
    """Return the models that rustc takes."""
    modules = {model.module: model for model in models}
    compiled = BatchCompiler(cache, Workspace.of(cache, silent, Target(), backends)).compile(list(modules.values()))
    return [model for module, model in modules.items() if module not in compiled.errors]


def converted(cache: Cache, names: Sequence[str], suites: Sequence[str]) -> list[ConvertedModel]:
    """Return the models that burn-onnx takes."""
    toolchain = Workspace.of(cache, silent, Target())
    converter = Converter(
        cache,
        toolchain.converter(),
        toolchain.converter_fingerprint,
        simplify=True,
        partition=True,
        timeout=120,
        memory_limit=0,
    )
    models = []
    try:
        for case in Selection(cache, mirror=find_mirror(), offline=True).choose(names, tuple(suites)).cases:
            try:
                models.append(converter.convert(load.prepare(case, cache)))
            except StageError as error:
                if not suites:
                    print(f"left out: {case.id}: {error.reason}", file=sys.stderr)
    finally:
        converter.close()
    return models


def compiled(cache: Cache, models: Sequence[ConvertedModel], backends: Collection[str]) -> float:
    """Return the processor seconds for models that were never compiled under these names."""
    toolchain = Workspace.of(cache, silent, Target(), backends)
    toolchain.converter()
    stamp = str(time.monotonic_ns())
    with tempfile.TemporaryDirectory(prefix="burn-verify-bench-") as folder:
        renamed = []
        for model in models:
            module = f"m_{digest_of(stamp, model.module)[:24]}"
            rust = Path(folder, f"{module}.rs")
            rust.write_bytes(model.rust.read_bytes())
            renamed.append(replace(model, module=module, rust=rust))
        before = os.times()
        BatchCompiler(cache, toolchain).compile(renamed)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    main()
