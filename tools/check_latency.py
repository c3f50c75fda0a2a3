"""Check the stopwatch: against Criterion, against itself, and with a neighbour that spins on one core.

usage: python tools/check_latency.py {criterion,self,neighbour} [--runs N] [--threads N]

`criterion` times mnist, squeezenet and mobilenetv2 with a project written by hand (tools/criterion) and with the
runner, in turns, and wants the runner's median within 3 % of Criterion's or the intervals to overlap. `self` races
ONNX Runtime against itself: 1.00 has to be inside of the interval in at least 19 of 20 runs. `neighbour` races Burn
against ONNX Runtime alone and beside a process that spins: the interval has to get wider, or the answer to be "too
noisy to say". Prints Markdown for reports/latency-checks.md; exit code 1 where a check fails.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from burn_verify import race, reference
from burn_verify.cache import Cache
from burn_verify.codegen import LATENCY
from burn_verify.options import settings_from
from burn_verify.pipeline import Pipeline, Planned
from burn_verify.reference import Oracle
from burn_verify.report.latency import ratio_text, seconds
from burn_verify.runner import Runner
from burn_verify.samples import ratio_of
from burn_verify.selection import Selection
from burn_verify.stopwatch import Burn, OnnxRuntime
from burn_verify.timings import CONFIDENCE, Side
from burn_verify.toolchain import Toolchain
from burn_verify.wire import Array

PROJECT = Path(__file__).parent / "criterion"
NAMES = ("mnist", "squeezenet", "mobilenetv2")
WITHIN = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A model that can be timed."""

    name: str
    planned: Planned
    inputs: Sequence[Array]


class Bench:
    """Models built for timing, and the contestants made of them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.settings = settings_from({"latency": "on", "threads": str(threads)})
        self.cache = Cache(self.settings.cache_dir)

    def models(self, names: Sequence[str]) -> list[Ready]:
        """Return the models, converted, compiled and with inputs."""
        selection = Selection(self.cache, mirror=self.settings.zoo_mirror, offline=True)
        cases = {name: selection.choose([name]).cases[0] for name in names}
        plan = Pipeline(self.settings, self.cache, _told).prepare(list(cases.values()))
        ready = []
        for name, case in cases.items():
            planned = plan.cases[case.id]
            if planned.error is not None or planned.reference is None:
                sys.exit(f"{case.id}: {planned.error}")
            data = next(iter(reference.read(planned.reference).data_sets.values()))
            ready.append(Ready(name=name, planned=planned, inputs=data.inputs))
        return ready

    @contextmanager
    def burn(self, model: Ready) -> Iterator[Burn]:
        """Yield a fresh process of Burn."""
        planned = model.planned
        assert planned.release is not None
        assert planned.model is not None
        runner = Runner(self.cache, planned.release.binary, timeout=120, memory_limit=0, threads=self.threads)
        try:
            yield Burn(runner=runner, model=planned.model, inputs=model.inputs, burn_backend="flex")
        finally:
            runner.close()

    @contextmanager
    def onnxruntime(self, model: Ready) -> Iterator[OnnxRuntime]:
        """Yield a fresh process of ONNX Runtime."""
        assert model.planned.prepared is not None
        oracle = Oracle(self.cache, 120)
        try:
            yield OnnxRuntime(
                oracle=oracle, model=model.planned.prepared.model, inputs=model.inputs, threads=self.threads
            )
        finally:
            oracle.close()


def _told(event: object) -> None:
    del event


def against_criterion(bench: Bench, runs: int) -> bool:
    """Compare with Criterion; each run is Criterion's, then the runner's."""
    models = bench.models(NAMES)
    print(f"| model | run | Criterion (95 %) | runner ({CONFIDENCE:.0%}) | ratio | agrees |")
    print("|---|---:|---:|---:|---:|---|")
    agreed = dict.fromkeys(NAMES, False)
    with _project(bench, models) as bench_by_hand:
        for run in range(runs):
            by_hand = bench_by_hand()
            for model in models:
                with bench.burn(model) as burn:
                    (side,) = race.run([burn])
                low, point, high = by_hand[model.name]
                ours = side.steady.median
                ends = _interval(side)
                close = abs(ours / point - 1) <= WITHIN
                overlap = ends[0] <= high and low <= ends[1]
                agreed[model.name] |= close or overlap
                said = f"within {WITHIN:.0%}" if close else "intervals overlap" if overlap else "no"
                print(
                    f"| {model.name} | {run + 1} | {seconds(point)} ({seconds(low)} to {seconds(high)}) | "
                    f"{seconds(ours)} ({seconds(ends[0])} to {seconds(ends[1])}) | {ours / point:.3f} | {said} |",
                    flush=True,
                )
    return all(agreed.values())


def _interval(side: Side) -> tuple[float, float]:
    """Return the interval of the median, in seconds: that of its ratio to one second."""
    said = ratio_of(side.rounds_ns, [[10**9]] * len(side.rounds_ns))
    return said.low, said.high


@contextmanager
def _project(bench: Bench, models: Sequence[Ready]) -> Iterator[Callable[[], dict[str, tuple[float, float, float]]]]:
    """Build the project by hand in a scratch folder; yield what runs it: low end, median, high end by model."""
    toolchain = Toolchain(bench.cache, _told)
    target = toolchain.workspace.target
    with tempfile.TemporaryDirectory(prefix="by-hand-") as name:
        folder = Path(name)
        shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
        manifest = folder / "Cargo.toml"
        pins = toolchain.workspace.folder / "pins"
        manifest.write_text(manifest.read_text().replace('"PINS"', json.dumps(str(pins))))
        shutil.copy(toolchain.workspace.folder / "Cargo.lock", folder / "Cargo.lock")
        (folder / "models").mkdir()
        for model in models:
            converted = model.planned.model
            assert converted is not None
            shutil.copy(converted.rust, folder / "models" / f"{model.name}.rs")
            shutil.copy(converted.weights, folder / "models" / f"{model.name}.bpk")
            (folder / "models" / f"{model.name}.f32").write_bytes(model.inputs[0].astype("<f4").tobytes())
        results = folder / "results"
        kept = {name: value for name, value in os.environ.items() if "RUSTFLAGS" not in name}
        env = {**kept, "CARGO_TARGET_DIR": str(target), "CRITERION_HOME": str(results)}
        env["RAYON_NUM_THREADS"] = str(bench.threads)

        def run() -> dict[str, tuple[float, float, float]]:
            command = ["cargo", "bench", "--profile", LATENCY, "--bench", "models", "--", "--noplot"]
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            return {model.name: _estimate(results / model.name / "new" / "estimates.json") for model in models}

        yield run


def _estimate(path: Path) -> tuple[float, float, float]:
    median = json.loads(path.read_text())["median"]
    ends = median["confidence_interval"]
    return ends["lower_bound"] / 1e9, median["point_estimate"] / 1e9, ends["upper_bound"] / 1e9


def against_itself(bench: Bench, runs: int) -> bool:
    """Race ONNX Runtime against itself."""
    (model,) = bench.models(["squeezenet"])
    print("| run | ratio | 1.00 inside |")
    print("|---:|---:|---|")
    inside = 0
    for run in range(runs):
        with bench.onnxruntime(model) as one, bench.onnxruntime(model) as other:
            first, second = race.run([one, other])
        ratio = ratio_of(first.rounds_ns, second.rounds_ns)
        inside += ratio.low <= 1 <= ratio.high
        print(f"| {run + 1} | {ratio_text(ratio)} | {'yes' if ratio.low <= 1 <= ratio.high else 'no'} |", flush=True)
    print(f"\n{inside} of {runs}")
    return inside * 20 >= 19 * runs


def beside_a_neighbour(bench: Bench, runs: int) -> bool:
    """Race alone, then beside a process that spins."""
    (model,) = bench.models(["squeezenet"])
    print("| neighbour | ratio |")
    print("|---|---:|")
    good = True
    for _ in range(runs):
        alone = _raced(bench, model)
        spinning = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
        spinning.start()
        try:
            beside = _raced(bench, model)
        finally:
            spinning.terminate()
            spinning.join()
        for name, ratio in (("none", alone), ("one spins", beside)):
            print(f"| {name} | {ratio_text(ratio)} |", flush=True)
        good &= beside.noisy or beside.high / beside.low > alone.high / alone.low
    return good


def _raced(bench: Bench, model: Ready):  # type: ignore[no-untyped-def]
    with bench.burn(model) as burn, bench.onnxruntime(model) as runtime:
        ours, theirs = race.run([burn, runtime])
    return ratio_of(ours.rounds_ns, theirs.rounds_ns)


def _spin() -> None:
    while True:
        pass


CHECKS = {"criterion": against_criterion, "self": against_itself, "neighbour": beside_a_neighbour}


def main() -> int:
    """Run a check; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--runs", type=int, default=3, help="(default: 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="(default: one a processor)")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"## {arguments.check}, {arguments.threads} threads, load average {load:.1f} at the start\n", flush=True)
    good = CHECKS[arguments.check](Bench(arguments.threads), arguments.runs)
    print(f"\n{'holds' if good else 'DOES NOT HOLD'}; load average {os.getloadavg()[0]:.1f} at the end")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
