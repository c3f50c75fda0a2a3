"""Check the stopwatch: against Criterion, against itself, and with a neighbour that spins on one core.

usage: python tools/check_latency.py {criterion,self,neighbour} [--runs N] [--threads N] [--pin]

`criterion` times mnist, squeezenet and mobilenetv2 with a project written by hand (tools/criterion) and with the
runner, block by block in turns, each program started anew for every run. For each model the median of the runs' ratios
has to be within 3 % of 1, or most of the runner's medians inside of Criterion's interval. `self` races ONNX Runtime
against itself: 1.00 has to be inside of the interval in at least 19 of 20 runs. `neighbour` verifies and times
squeezenet alone and beside a process that spins: the verdict has to stay, and the interval to get wider or the answer
to be "too noisy to say". Prints Markdown for reports/latency-checks.md; exit code 1 where a check fails.
"""

import argparse
import copy
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from burn_verify.core.latency import Ratio
from burn_verify.core.options import settings_from
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.report.views.latency import ratio_text, seconds
from burn_verify.run.latency import race
from burn_verify.run.latency.samples import ratio_of
from burn_verify.run.latency.stopwatch import Burn, Reference
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from by_hand import NAMES, Project, Ready, pin, project, ready

WITHIN = 0.03
_TURNS = 48


class Bench:
    """The settings of a check, and the contestants made of models."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.settings = settings_from({"latency": "on", "threads": str(threads)})
        self.cache = Cache(self.settings.cache_dir)

    def verified(self, model: Ready) -> tuple[str, Ratio]:
        """Run the model through the pipeline; return its verdict and ratio."""
        pipeline = Pipeline(self.settings, self.cache)
        try:
            result = pipeline.verify(model.step).result
        finally:
            pipeline.close()
        if result.latency is None or result.latency.ratio is None:
            sys.exit(f"{result.case_id} was not timed: {result.message}")
        return result.verdict or "", result.latency.ratio

    @contextmanager
    def burn(self, model: Ready) -> Iterator[Burn]:
        """Yield a fresh process of Burn."""
        built = model.step.built
        assert built.release is not None
        # A copy has a process of its own.
        program = copy.copy(built.release.program)
        try:
            yield Burn(program=program, model=built.model, inputs=model.inputs, burn_backend="flex")
        finally:
            program.close()

    @contextmanager
    def onnxruntime(self, model: Ready) -> Iterator[Reference]:
        """Yield a fresh process of ONNX Runtime."""
        engine = OnnxRuntime(self.cache, 120)
        try:
            yield Reference(engine=engine, model=model.step.prepared.model, inputs=model.inputs, threads=self.threads)
        finally:
            engine.close()


def against_criterion(bench: Bench, runs: int) -> bool:
    """Compare with Criterion."""
    models = ready(bench.settings, bench.cache, NAMES)
    print("| model | run | Criterion (95 %) | runner, calls | ratio | inside |")
    print("|---|---:|---:|---:|---:|---|")
    ratios: dict[str, list[float]] = {name: [] for name in NAMES}
    inside: dict[str, list[bool]] = {name: [] for name in NAMES}
    with project(bench.cache, models, bench.threads) as by_hand:
        for run in range(runs):
            for model in models:
                calls = _calls_in_turns(bench, model, by_hand)
                low, point, high = by_hand.estimate(model.name)
                ours = median(calls) / 1e9
                ratios[model.name].append(ours / point)
                inside[model.name].append(low <= ours <= high)
                print(
                    f"| {model.name} | {run + 1} | {seconds(point)} ({seconds(low)} to {seconds(high)}) | "
                    f"{seconds(ours)}, {len(calls)} | {ours / point:.3f} | "
                    f"{'yes' if inside[model.name][-1] else 'no'} |",
                    flush=True,
                )
    print()
    for name in NAMES:
        print(f"- {name}: median ratio {median(ratios[name]):.3f}, inside in {sum(inside[name])} of {runs}")
    return all(abs(median(ratios[name]) - 1) <= WITHIN or 2 * sum(inside[name]) > runs for name in NAMES)


def _calls_in_turns(bench: Bench, model: Ready, by_hand: Project) -> list[int]:
    """Let the project time a model, with a block of the runner after each turn; return the runner's calls."""
    with bench.burn(model) as burn:
        race.warm_up(burn)
        a_turn = len(burn.block(race.STEADY_PLAN).calls_ns)
        calls: list[int] = []
        with by_hand.turns(model.name, max(_TURNS * a_turn, 10)) as turn:
            while turn():
                calls.extend(burn.block(race.STEADY_PLAN).calls_ns)
    return calls


def against_itself(bench: Bench, runs: int) -> bool:
    """Race ONNX Runtime against itself."""
    (model,) = ready(bench.settings, bench.cache, ["squeezenet"])
    print("| run | ratio | 1.00 inside |")
    print("|---:|---:|---|")
    inside = 0
    for run in range(runs):
        with bench.onnxruntime(model) as one, bench.onnxruntime(model) as other:
            first, second = race.run([one, other])
        ratio = ratio_of(first.starts_ns, second.starts_ns)
        inside += ratio.low <= 1 <= ratio.high
        print(f"| {run + 1} | {ratio_text(ratio)} | {'yes' if ratio.low <= 1 <= ratio.high else 'no'} |", flush=True)
    print(f"\n{inside} of {runs}")
    return inside * 20 >= 19 * runs


def beside_a_neighbour(bench: Bench, runs: int) -> bool:
    """Verify and time alone, then beside a process that spins."""
    (model,) = ready(bench.settings, bench.cache, ["squeezenet"])
    print("| neighbour | verdict | ratio |")
    print("|---|---|---:|")
    good = True
    for _ in range(runs):
        alone = bench.verified(model)
        spinning = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
        spinning.start()
        try:
            beside = bench.verified(model)
        finally:
            spinning.terminate()
            spinning.join()
        for name, (verdict, ratio) in (("none", alone), ("one spins", beside)):
            print(f"| {name} | {verdict} | {ratio_text(ratio)} |", flush=True)
        wider = beside[1].high / beside[1].low > alone[1].high / alone[1].low
        good &= beside[0] == alone[0] and (beside[1].noisy or wider)
    return good


def _spin() -> None:
    while True:
        pass


CHECKS = {
    "criterion": against_criterion,
    "self": against_itself,
    "neighbour": beside_a_neighbour,
}


def main() -> int:
    """Run a check; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--runs", type=int, default=3, help="(default: 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="(default: one a processor)")
    parser.add_argument("--pin", action="store_true", help="use as many processors as threads (Linux)")
    arguments = parser.parse_args()
    if arguments.pin:
        pin(arguments.threads)
    load = os.getloadavg()[0]
    pinned = ", pinned" if arguments.pin else ""
    print(
        f"## {arguments.check}, {arguments.threads} threads{pinned}, load average {load:.1f} at the start\n", flush=True
    )
    good = CHECKS[arguments.check](Bench(arguments.threads), arguments.runs)
    print(f"\n{'holds' if good else 'DOES NOT HOLD'}; load average {os.getloadavg()[0]:.1f} at the end")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
