"""A sweep over thousands of model files in shards, one of which is killed, and one journal cut: reports/sweep.md.

    python tools/sweeping.py run --count 2000 --shards 8 --work WORK
    python tools/sweeping.py costs --work WORK
    python tools/sweeping.py report --work WORK --out reports/sweep.md

`run` writes COUNT models (stand-ins drawn again, resized ones, generated graphs whose values are renamed), sweeps them
in shards through submitit, ends the process of a shard by SIGKILL while it verifies, cuts a journal within a line, says
the same command again, and sweeps all in one run. `costs` sweeps 250 to 2,000 models that nobody compiled before, each
number with models of its own. It does nothing twice: WORK keeps what was measured.
"""

import argparse
import hashlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import psutil
from onnx import TensorProto, helper, numpy_helper
from onnx.compose import add_prefix
from tabulate import tabulate

from burn_verify.cases import manifest
from burn_verify.cases.generated.collection import Generated
from burn_verify.cases.seeded import architectures
from burn_verify.core.case import Collected
from burn_verify.core.options import settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.run.sweep import gather, journal
from burn_verify.system.cache import Cache
from json_lines import lines_of

KINDS: Final = ("stand-in", "dense", "convolution")
GENERATED: Final = "generated"
_EVERY: Final = 10
"""One model of so many is a generated graph: some of them fail, each in its way."""
TABLES: Final = ("results", "outputs")
QUESTIONS: Final = (
    "select outcome, stage, count(*) from results group by all",
    "select reason, count(*) from results where outcome = 'failed' group by all order by 2 desc limit 10",
    "select count(*) from outputs join results using (case_id, target) where elements > 10",
)
_PROGRAM: Final = (sys.executable, "-c", "import sys; from burn_verify.cli import main; sys.exit(main())")
_FACTS: Final = "facts.jsonl"
COUNTS: Final = (250, 500, 1000, 2000)
"""Numbers of models whose cost is compared."""
_LOOK: Final = 0.2
"""Seconds between two looks at the journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A command of a sweep: what it was, how it ended, and what was there then.

    Attributes:
        processor: seconds of processor time of all processes.
        load: average of the last minute, before it began.
        results: results in all journals afterwards, each model once.
        missing: models without one.
        journal: of the shard that was killed, or the one that was cut.
        begun: models of the part that was verified when the process was killed; how many of them had a result.
        had: see `begun`.
        digests: of the tables.
    """

    step: str
    words: tuple[str, ...] = ()
    code: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    load: float = 0.0
    models: int = 0
    results: int = 0
    missing: int = 0
    journal: str = ""
    begun: int = 0
    had: int = 0
    cut: int = 0
    digests: tuple[str, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.add_argument("--count", type=int, default=2000)
    running.add_argument("--shards", type=int, default=8)
    running.add_argument("--work", type=Path, required=True)
    running.set_defaults(run=run)
    costing = commands.add_parser("costs")
    costing.add_argument("--work", type=Path, required=True)
    costing.set_defaults(run=costs)
    reporting = commands.add_parser("report")
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--out", type=Path, required=True)
    reporting.set_defaults(run=report)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Take every step that was not taken yet."""
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    make(work / "models", arguments.count)
    done = {line["step"] for line in lines_of(work / _FACTS)}
    shards = ("--shards", str(arguments.shards))
    steps: tuple[tuple[str, Callable[[], Swept]], ...] = (
        ("killed", lambda: sweep(work, "killed", "sharded", *shards, kill=True)),
        ("cut", lambda: cut(work)),
        ("again", lambda: sweep(work, "again", "sharded", *shards)),
        ("one", lambda: sweep(work, "one", "one")),
    )
    for name, step in steps:
        if name not in done:
            _keep(work, asdict(step()))
    for question in QUESTIONS:
        if question not in done:
            _keep(work, {"step": question, "seconds": asked(work / "one", question)})
    return 0


def costs(arguments: argparse.Namespace) -> int:
    """Sweep each number of models that was not swept yet."""
    for place, count in enumerate(COUNTS, start=1):
        own = arguments.work / f"cost-{count}"
        own.mkdir(parents=True, exist_ok=True)
        if not any(line["step"] == f"cost {count}" for line in lines_of(arguments.work / _FACTS)):
            make(own / "models", count, first=place * 10_000)
            _keep(arguments.work, {**asdict(sweep(own, "one", "one")), "step": f"cost {count}"})
    return 0


def _keep(work: Path, line: dict[str, object]) -> None:
    with (work / _FACTS).open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line)}\n")


# ── the models ───────────────────────────────────────────────────────────────────────────────────────────────────────


def make(folder: Path, count: int, first: int = 0) -> None:
    """Write the models that are not there yet; those of another first number are others."""
    folder.mkdir(exist_ok=True)
    kinds = [KINDS[number % len(KINDS)] if number % _EVERY else GENERATED for number in range(first, first + count)]
    paths = [folder / f"{kind}-{number:05}.onnx" for number, kind in enumerate(kinds, start=first)]
    if all(path.is_file() for path in paths):
        return
    graphs = generated(kinds.count(GENERATED))
    for number, (kind, path) in enumerate(zip(kinds, paths, strict=True), start=first):
        model = onnx.load(next(graphs)) if kind == GENERATED else made(kind, number)
        renamed: onnx.ModelProto = add_prefix(model, f"v{number}_", rename_functions=False)
        path.write_bytes(renamed.SerializeToString())
        # The past: a file that is younger than a result is verified again.
        os.utime(path, (1, 1))


def generated(count: int) -> Iterator[Path]:
    """Yield so many of the generated graphs of one operator, evenly over all operators."""
    cases = Generated(Cache(settings_from({}).cache_dir)).choose(["all"], "quick")
    models = [case.source.model for case in cases if isinstance(case.source, Collected)]
    for place in range(count):
        yield models[place * len(models) // count]


def made(kind: str, number: int) -> onnx.ModelProto:
    """Return the model of a number, of a kind of `KINDS`."""
    if kind == "stand-in":
        return architectures.build("mnist", number)
    rng = np.random.default_rng(number)
    return _dense(rng) if kind == "dense" else _convolution(rng)


def _dense(rng: np.random.Generator) -> onnx.ModelProto:
    """Return a perceptron with widths of its own."""
    first, hidden, last = (int(width) for width in rng.integers(2, 17, 3))
    weights = {"a": (first, hidden), "b": (hidden,), "c": (hidden, last), "d": (last,)}
    nodes = [
        helper.make_node("Gemm", ["x", "a", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "c", "d"], ["l"]),
        helper.make_node("Softmax", ["l"], ["y"]),
    ]
    return _model(rng, nodes, (1, first), (1, last), weights)


def _convolution(rng: np.random.Generator) -> onnx.ModelProto:
    """Return two convolutions with channels and an image of its own."""
    first, middle, last = (int(channels) for channels in rng.integers(1, 6, 3))
    size = int(rng.integers(6, 13))
    weights = {"a": (middle, first, 3, 3), "b": (middle,), "c": (last, middle, 1, 1)}
    nodes = [
        helper.make_node("Conv", ["x", "a", "b"], ["h"], kernel_shape=[3, 3]),
        helper.make_node("Sigmoid", ["h"], ["s"]),
        helper.make_node("Conv", ["s", "c"], ["y"], kernel_shape=[1, 1]),
    ]
    return _model(rng, nodes, (1, first, size, size), (1, last, size - 2, size - 2), weights)


def _model(
    rng: np.random.Generator,
    nodes: Sequence[onnx.NodeProto],
    taken: tuple[int, ...],
    given: tuple[int, ...],
    weights: dict[str, tuple[int, ...]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, given)],
        [
            numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)
            for name, shape in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sweep(work: Path, step: str, out: str, *words: str, kill: bool = False) -> Swept:
    """Sweep all models into a folder; with `kill` end a shard in the middle of its models."""
    command = ["sweep", "models", "--out", out, "--burn-offline=on", *words]
    load, started, before = os.getloadavg()[0], time.perf_counter(), _processor()
    with (work / f"{step}.log").open("wb") as log:
        running = subprocess.Popen([*_PROGRAM, *command], cwd=work, stdout=log, stderr=subprocess.STDOUT)
        if kill:
            _kill_a_shard(running, work / out / "shards")
        code = running.wait()
    seconds = time.perf_counter() - started
    results, missing, models = _counts(work, out)
    path, begun, had = died(work / out / "shards") if kill else ("", 0, 0)
    return Swept(
        step=step,
        words=("burn-verify", *command),
        code=code,
        seconds=round(seconds, 1),
        processor=round(_processor() - before, 1),
        load=round(load, 1),
        models=models,
        results=results,
        missing=missing,
        journal=path,
        begun=begun,
        had=had,
        digests=tuple(_digest(work / out / f"{name}.parquet") for name in TABLES),
    )


def _processor() -> float:
    """Return the seconds of processor time of all children that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _kill_a_shard(running: "subprocess.Popen[bytes]", journals: Path) -> None:
    """Wait until the first shard has answered for some models of a part, and end its process at once."""
    while running.poll() is None:
        shards = [one for one in psutil.Process(running.pid).children(recursive=True) if _is_shard(one)]
        first = next(iter(sorted(journals.glob("0001-*.jsonl"))), None)
        if shards and first is not None and _within_a_part(first):
            # They are started in order.
            min(shards, key=lambda one: one.create_time()).kill()
            return
        time.sleep(_LOOK)
    sys.exit("sweeping.py: all shards ended before one could be killed: more models are needed")


def _is_shard(process: psutil.Process) -> bool:
    try:
        return "submitit.core._submit" in process.cmdline()
    except psutil.Error:
        return False


def _within_a_part(path: Path) -> bool:
    runs = store.every_run(path)
    return bool(runs) and unfinished(runs[-1]) and any(record.results for record in runs[-1])


def unfinished(run: Sequence[Record]) -> bool:
    """Return whether a run died: one that ended says how long it took."""
    return not any(record.phases for record in run)


def died(journals: Path) -> tuple[str, int, int]:
    """Return the journal with a run that died, how many models that run had, and how many of them a result."""
    for path in sorted(journals.glob("*.jsonl")):
        for run in store.every_run(path):
            if unfinished(run):
                return path.name, len(run[0].selection or ()), sum(len(record.results) for record in run)
    return "", 0, 0


def cut(work: Path) -> Swept:
    """Take the last third of a journal that has the most results, within a line; return what is missing then."""
    path = max((work / "sharded" / "shards").glob("*.jsonl"), key=lambda one: one.stat().st_size)
    data = path.read_bytes()
    end = len(data) * 2 // 3
    while data[end - 1 : end] == b"\n" or data[end : end + 1] == b"\n":
        end -= 1
    path.write_bytes(data[:end])
    words = ["sweep", "models", "--out", "sharded", "--burn-offline=on", "--gather"]
    code = subprocess.run([*_PROGRAM, *words], cwd=work, check=False).returncode
    results, missing, models = _counts(work, "sharded")
    return Swept(
        step="cut",
        words=("burn-verify", *words),
        code=code,
        models=models,
        results=results,
        missing=missing,
        journal=path.name,
        cut=len(data) - end,
    )


def _counts(work: Path, out: str) -> tuple[int, int, int]:
    cases = manifest.read(work / "models", Cache(settings_from({}).cache_dir))
    found = {case_id for case_id, _ in journal.read(work / out / "shards", cases).results}
    ids = {case.id for case in cases}
    return len(found & ids), len(ids - found), len(ids)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def asked(folder: Path, question: str) -> float:
    """Return how many seconds the command took to answer a question: the best of three."""
    words = [*_PROGRAM, "query", question, str(folder)]
    times = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return round(min(times), 2)


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def report(arguments: argparse.Namespace) -> int:
    """Write the page; the exit code is 1 where something was lost, or the tables are not equal."""
    lines = {line["step"]: line for line in lines_of(arguments.work / _FACTS)}
    steps = {name: _step(lines[name]) for name in ("killed", "cut", "again", "one")}
    totals = store.read(arguments.work / "one" / gather.RECORD)
    outcomes = [
        (kind, *_outcomes([one for one in totals.results if one.case_id.startswith(f"file/{kind}-")]))
        for kind in (*KINDS, GENERATED)
    ]
    answers = [(question, lines[question]["seconds"]) for question in QUESTIONS]
    spent = [_step(lines[f"cost {count}"]) for count in COUNTS if f"cost {count}" in lines]
    arguments.out.write_text(page(steps, outcomes, answers, os.cpu_count() or 1, spent), encoding="utf-8")
    return 0 if held(steps) else 1


def _step(line: dict[str, Any]) -> Swept:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in line.items()}
    return Swept(**fields)


def _outcomes(results: Sequence[CaseResult]) -> tuple[int, int]:
    return len(results), sum(one.outcome is Outcome.PASSED for one in results)


def held(steps: dict[str, Swept]) -> bool:
    """Return whether nothing was lost: every model has a result, and the tables are those of one run."""
    complete = all(steps[name].missing == 0 for name in ("killed", "again", "one"))
    return (
        complete
        and steps["killed"].begun > 0
        and steps["cut"].missing > 0
        and steps["again"].digests == steps["one"].digests
    )


def page(
    steps: dict[str, Swept],
    outcomes: Sequence[tuple[str, int, int]],
    answers: Sequence[tuple[str, float]],
    processors: int,
    spent: Sequence[Swept] = (),
) -> str:
    """Return the page as Markdown.

    Arguments:
        outcomes: models, and those that agree, by kind.
        answers: seconds by question.
        spent: sweeps of different numbers of models.
    """
    killed, after, again, one = (steps[name] for name in ("killed", "cut", "again", "one"))
    same = "the same bytes" if again.digests == one.digests else "NOT THE SAME bytes"
    rows = [
        ("in shards, one of which is killed", killed),
        ("a journal is cut, `--gather`", after),
        ("the same command again", again),
        ("all in one run, in another folder", one),
    ]
    table = [
        (
            what,
            f"`{' '.join(step.words)}`",
            step.code,
            f"{step.seconds:.0f} s" if step.seconds else "",
            step.load or "",
            step.results,
            step.missing,
        )
        for what, step in rows
    ]
    return (
        "\n\n".join(
            (
                "# A sweep, a shard of which is killed",
                f"Made by `python tools/sweeping.py run --count {one.models} --work WORK` and its `report` "
                "([sweeps](../docs/sweep.md)).",
                f"{one.models} model files, on {processors} processors. All runs had one cache, with Burn compiled; "
                "what an earlier one compiled, a later one takes from it. The load was that of other work too.",
                tabulate(table, ("", "command", "code", "took", "load before", "results", "missing"), "github"),
                f"**Killed.** While a shard verified a part of {killed.begun} models, {killed.had} of which had a "
                f"result (`{killed.journal}`), its process was ended by SIGKILL. The same command started the shard "
                f"again, alone, after all others: {killed.missing} models are missing at its end.",
                f"**Cut.** The last {after.cut} bytes of `{after.journal}` were taken, within a line. The results of "
                f"{after.missing} models were gone, which `--gather` says, with exit code {after.code}; the same "
                "command verified these again.",
                f"**Equal.** `results.parquet` and `outputs.parquet` of both folders are {same}.",
                "Exit code 1 of a complete sweep: models among them fail, as they do alone.",
                "## The models",
                tabulate(outcomes, ("kind", "models", "agree"), "github"),
                "*generated*: graphs of one operator, whose values have other names; *stand-in*: the architecture of "
                "mnist with other weights; *dense*, *convolution*: small networks of many sizes.",
                *_growth(spent),
                "## Questions",
                tabulate([(f"`{text}`", f"{took:.2f} s") for text, took in answers], ("query", "took"), "github"),
                "The best of three, with the start of the command.",
            )
        )
        + "\n"
    )


def exponent(spent: Sequence[Swept]) -> float:
    """Return the power of the number of models with which processor time grows, by least squares of the logarithms."""
    models, seconds = ([math.log(getattr(one, name)) for one in spent] for name in ("models", "processor"))
    return statistics.linear_regression(models, seconds).slope


def _growth(spent: Sequence[Swept]) -> tuple[str, ...]:
    """Return the section about costs; nothing where they were not measured."""
    if len(spent) < 2:
        return ()
    rows = [(one.models, one.results, f"{one.processor:.0f} s", f"{one.seconds:.0f} s", one.load) for one in spent]
    return (
        "## Cost against number of models",
        "By `python tools/sweeping.py costs --work WORK`: models of the same kinds that nobody compiled before, each "
        "number with its own, in one run.",
        tabulate(rows, ("models", "results", "processor time", "took", "load before"), "github"),
        f"Processor time grows with the power {exponent(spent):.2f} of the number of models.",
    )


if __name__ == "__main__":
    sys.exit(main())
