"""Verify and time models in every way to ship them: a row for each model and way, and the page of the rows.

usage: python tools/deploy.py run --models NAMES --out FILE.jsonl [OPTION…]
       python tools/deploy.py report FILE.jsonl… --out reports/deploy.md [--models NAMES] [--served FILE]
                                       [--startups FILE]

OPTION is `--burn-via`, `--burn-load` or `--burn-weights`, by default all of their values; a refused combination is no
row, and a model that is not built has one row. `run` goes on where FILE ends; of rows of one model and way, `report`
takes that of the first FILE. With `--models`, `report` names those of them that no FILE has. Start-up is the time from
no process to the first answer, with the compilation of WebAssembly by its host kept from an earlier start; latency is
the median of calls from this process, request included.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from tabulate import tabulate

from burn_verify.burn.program import Program
from burn_verify.burn.runner import Runner
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.result import VerdictName
from burn_verify.core.target import PROCESS, Target
from burn_verify.core.targets import refusal
from burn_verify.core.ways import FILE
from burn_verify.judge.metrics import is_float, widened
from burn_verify.reference import oracle
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.selected import asked
from burn_verify.run.steps import Built, Ended, Outputs, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

_CALLS: Final = 20
_SECONDS: Final = 5.0
_WAYS: Final = {"via": "process,http,wasm,wasm-node", "load": "file,embedded,bytes", "weights": "full,half"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A model in one way to ship it.

    Attributes:
        verdict: of the judge, or the stage that failed.
        why: the reason where it did not pass.
        apart: the greatest difference from the process that loads full weights from a file; None without both answers.
        from_process: the same from the process with the same weights, loaded in the same way; None for that process.
        from_file: the same from the same weights in a file, asked in the same way; None for a file.
        weights_bytes, program_bytes: of the files; the program's where it holds this model alone.
        startup, latency: seconds; None where it was not run.
        memory: MiB resident in all processes after the calls.
    """

    model: str
    via: str
    load: str
    weights: str
    verdict: str
    why: str = ""
    apart: float | None = None
    from_process: float | None = None
    from_file: float | None = None
    weights_bytes: int | None = None
    program_bytes: int | None = None
    startup: float | None = None
    latency: float | None = None
    memory: float | None = None

    @property
    def way(self) -> str:
        """The way in one word group, as the names of targets have it."""
        return _way(Target(via=self.via, load=self.load, weights=self.weights))


def _way(target: Target) -> str:
    return target.name.partition("flex")[2].strip() or PROCESS


def rows(
    case: Case, targets: Sequence[Target], settings: Settings, cache: Cache, seconds: float = _SECONDS
) -> Iterator[Row]:
    """Yield the rows of a model; targets that cannot be built here are rows that say so.

    What is not built as by default is built in no other way: it has that row alone.
    """
    with LongWork(sys.stderr) as work:
        pipeline = Pipeline(settings, cache, work.listen)
        try:
            plans = pipeline.prepare_all({target: [case] for target in targets})
            base: Outputs = {}
            answers: dict[tuple[str, str, str], Outputs] = {}
            for target in targets:
                own: dict[str, Any] = {
                    "model": case.id,
                    "via": target.via,
                    "load": target.load,
                    "weights": target.weights,
                }
                plan = plans[target]
                if plan.failure:
                    yield Row(**own, verdict="not run", why=plan.failure)
                    continue
                step = plan.cases[case.id]
                verified = pipeline.verify(step)
                if target == Target():
                    base = verified.outputs
                answers[target.via, target.load, target.weights] = verified.outputs
                process = answers.get((PROCESS, target.load, target.weights), {})
                file = answers.get((target.via, FILE, target.weights), {})
                result = verified.result
                yield Row(
                    **own,
                    verdict=str(result.verdict or result.stage),
                    why=result.reason,
                    apart=apart(base, verified.outputs),
                    from_process=None if target.via == PROCESS else apart(process, verified.outputs),
                    from_file=None if target.load == FILE else apart(file, verified.outputs),
                    **({} if isinstance(step, Ended) else measured(step, seconds)),
                )
                if isinstance(step, Ended) and target == Target():
                    return
        finally:
            pipeline.close()


def apart(base: Outputs, other: Outputs) -> float | None:
    """Return the greatest absolute difference of two answers; infinite where shape, dtype or special values differ."""
    greatest = None
    for name in base.keys() & other.keys():
        for one, two in zip(base[name], other[name], strict=True):
            greatest = max(greatest or 0.0, _apart(one, two))
    return greatest


@np.errstate(all="ignore")
def _apart(one: Any, two: Any) -> float:
    if one.shape != two.shape or one.dtype != two.dtype:
        return float("inf")
    if one.tobytes() == two.tobytes():
        return 0.0
    if not is_float(one.dtype):
        return float("inf")
    wide = widened(one), widened(two)
    same = (wide[0] == wide[1]) | (np.isnan(wide[0]) & np.isnan(wide[1]))
    differences = np.where(same, 0.0, np.abs(wide[0] - wide[1]))
    return float(np.max(np.nan_to_num(differences, nan=np.inf), initial=0.0))


def measured(step: Ready, most: float) -> dict[str, Any]:
    """Return sizes of files, and seconds and memory of a fresh program on the first inputs of a case.

    Arguments:
        most: seconds after which no further call is timed.
    """
    built = step.built
    inputs = next(iter(oracle.read(step.reference).data_sets.values())).inputs
    sizes: dict[str, Any] = {"weights_bytes": _size(built.model.loaded), "program_bytes": _program_bytes(built)}
    program = built.program
    try:
        program.close()
        started = time.perf_counter()
        program.infer_all(built.model, [inputs], built.target.backend)
        startup = time.perf_counter() - started
        seconds = list(_calls(program, built, inputs, most))
        return {**sizes, "startup": startup, "latency": statistics.median(seconds), "memory": _resident(program.pid)}
    except Exception as error:  # a program that does not answer has a verdict that says so
        sys.stderr.write(f"{step.case.id}: {error}\n")
        return sizes
    finally:
        program.close()


def _calls(program: Program, built: Built, inputs: Sequence[Any], most: float) -> Iterator[float]:
    begun = time.perf_counter()
    for _ in range(_CALLS):
        started = time.perf_counter()
        program.infer_all(built.model, [inputs], built.target.backend)
        yield time.perf_counter() - started
        if time.perf_counter() - begun > most:
            return


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _program_bytes(built: Built) -> int | None:
    program = built.program
    alone = isinstance(program, Runner) and program.binary.modules == {built.model.module}
    return _size(program.binary.path) if isinstance(program, Runner) and alone else None


def _resident(pid: int | None) -> float | None:
    import psutil

    if pid is None:
        return None
    process = psutil.Process(pid)
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 2**20)


def page(found: Sequence[Row], made: str, expected: Sequence[str] = ()) -> str:
    """Return the report of rows, and what has none: models and ways of `expected` and of the rows."""
    without = {model: _unbuilt(rows) for model, rows in _by_model(found).items()}
    models = [model for model, why in without.items() if why is None]
    known = {row.model: None for row in found}
    none = [[model, *why] for model, why in without.items() if why is not None]
    none += [[model, "not run", ""] for model in expected if model not in known]
    ran = [row for row in found if row.model in models]
    ways = list(dict.fromkeys(row.way for row in ran))
    at = {(row.model, row.way): row for row in ran}
    lines = ["# Ways to ship a model", "", made, "", "## Counts", "", _counts(ways, ran), ""]
    lines += ["## Combinations that are refused", "", *_refused(), ""]
    if none:
        lines += ["## Models without a row, and why", "", _escaped(none, ["model", "stage", "why"]), ""]
    missing = [f"- {way}: {', '.join(models)}" for way, models in _missing(models, at).items()]
    lines += ["## Not run", "", *missing, ""] if missing else []
    lines += ["## Verdicts", "", _table(models, ways, {key: row.verdict for key, row in at.items()}), ""]
    reasons = {f"{row.way}: {row.model}: {row.why}": None for row in ran if row.why}
    lines += ["## What did not pass", "", *(f"- {reason}" for reason in reasons), ""] if reasons else []
    texts = ["model", "way", "apart", "weights", "program", "start-up", "latency", "memory"]
    lines += ["## Measured", "", tabulate([_measures(row) for row in ran], texts, tablefmt="github"), ""]
    return "\n".join(lines)


def _by_model(found: Sequence[Row]) -> dict[str, list[Row]]:
    return {model: [row for row in found if row.model == model] for model in dict.fromkeys(row.model for row in found)}


def _unbuilt(rows: Sequence[Row]) -> tuple[str, str] | None:
    """Return stage and reason of a model that has nothing but the row that says why; None for others."""
    (first, *others) = rows
    if others or first.startup is not None or first.verdict in set(VerdictName):
        return None
    return first.verdict, first.why


def targets_of(texts: Mapping[str, Any]) -> list[Target]:
    """Return the targets of options, the default first, then those that are processes; refused ones too."""
    found = [one.target for one in asked(settings_from(texts), _no_checkout)]
    return sorted(found, key=lambda target: (target != Target(), target.via != PROCESS))


def _refused() -> Iterator[str]:
    ways: dict[str, list[str]] = {}
    for target in targets_of(_WAYS):
        if (why := refusal(target)) is not None:
            ways.setdefault(why, []).append(_way(target))
    yield "As `burn-verify` says it; none of them is a row."
    yield ""
    yield from (f"- {', '.join(own)}: {why}" for why, own in ways.items())


def _missing(models: Sequence[str], at: Mapping[tuple[str, str], Row]) -> dict[str, list[str]]:
    """Return for each way that is not refused the models that were not run in it."""
    ways = [_way(target) for target in targets_of(_WAYS) if refusal(target) is None]
    lacks = {way: [model for model in models if (model, way) not in at] for way in ways}
    return {way: own for way, own in lacks.items() if own}


def _escaped(body: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    safe = [[cell.replace("|", "\\|") for cell in row] for row in body]
    return tabulate(safe, heads, tablefmt="github", disable_numparse=True)


def served_page(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the part of the report about servers; empty without any."""
    if not found:
        return ""
    load = [
        [
            one["model"],
            ", ".join(f"{count} of {status}" for status, count in one["statuses"].items()),
            one["differing"],
            f"{one['per_second']:.0f}",
            *(f"{seconds * 1e3:.0f} ms" for seconds in one["percentiles"]),
            "" if one["forward"] is None else f"{one['forward'] * 1e3:.1f} ms",
            " → ".join("" if some is None else f"{some:.0f} MiB" for some in one["resident"]),
            " and ".join(f"{seconds:.1f} s" for seconds in one["startup"]),
        ]
        for one in found
    ]
    heads = ["model", "answers by status", "differ from the first", "a second", "p50", "p95", "p99", "in the model"]
    lines = ["## Load", "", tabulate(load, [*heads, "memory", "two start-ups"], tablefmt="github"), ""]
    bad = [[row[0], row[1], row[2], row[3]] for row in found[0]["malformed"]]
    lines += [f"## Malformed requests, {found[0]['model']}", ""]
    lines += [tabulate(bad, ["request", "status", "code", "message"], tablefmt="github"), ""]
    usual = {row[0]: row[1] for row in bad}
    unlike = [
        f"{one['model']}, {row[0]}: {row[1]} {row[2]}".strip()
        for one in found
        for row in one["malformed"]
        if row[1] != usual.get(row[0])
    ]
    after = [one["model"] for one in found if not one["answers_after"]]
    lines += [f"Other statuses of other models: {'; '.join(unlike) or 'none'}."]
    lines += [f"Models that did not answer a good request afterwards: {', '.join(after) or 'none'}.", ""]
    return "\n".join(lines)


def startups_page(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the part of the report about start-ups of `serve`; empty without any."""
    if not found:
        return ""
    body = [[one["model"], one["state"], *(f"{seconds:.1f} s" for seconds in one["seconds"])] for one in found]
    most = max(len(one["seconds"]) for one in found)
    heads = ["model", "compiled before the first start", *(f"start {place + 1}" for place in range(most))]
    return "\n".join(["## Start-up of serve", "", tabulate(body, heads, tablefmt="github", disable_numparse=True), ""])


def _counts(ways: Sequence[str], found: Sequence[Row]) -> str:
    body = []
    for way in ways:
        own = [row for row in found if row.way == way]
        ran = [row for row in own if row.apart is not None]
        passed = sum(row.verdict == "agrees" for row in own)
        equal = (_equal([row.from_process for row in own]), _equal([row.from_file for row in own]))
        body.append([way, len(own), passed, len(ran), sum(row.apart == 0 for row in ran), *equal])
    heads = ["way", "models", "agree", "answered", "bit-equal to process", "bit-equal to the process of these weights"]
    return tabulate(body, [*heads, "bit-equal to the file load of this way and weights"], tablefmt="github")


def _equal(distances: Sequence[float | None]) -> str:
    known = [one for one in distances if one is not None]
    return f"{sum(one == 0 for one in known)} of {len(known)}" if known else ""


def _table(models: Sequence[str], ways: Sequence[str], texts: Mapping[tuple[str, str], str]) -> str:
    body = [[model, *(texts.get((model, way), "") for way in ways)] for model in models]
    return tabulate(body, ["model", *ways], tablefmt="github")


def _measures(row: Row) -> list[str]:
    def text(value: float | None, factor: float, unit: str) -> str:
        return "" if value is None else f"{value * factor:.3g} {unit}"

    sizes = [text(row.weights_bytes, 1e-6, "MB"), text(row.program_bytes, 1e-6, "MB")]
    times = [text(row.startup, 1, "s"), text(row.latency, 1e3, "ms"), text(row.memory, 1, "MiB")]
    return [row.model, row.way, "" if row.apart is None else f"{row.apart:.3g}", *sizes, *times]


def measure(arguments: argparse.Namespace) -> None:
    """Run and time what has no row yet."""
    chosen = {name: getattr(arguments, name) for name in _WAYS}
    settings = settings_from({"models": arguments.models, **chosen})
    cache = Cache(settings.cache_dir)
    targets = [target for target in targets_of(chosen) if refusal(target) is None]
    known = read(arguments.out) if arguments.out.is_file() else []
    done = {(row.model, row.way) for row in known}
    refused = {model for model, own in _by_model(known).items() if _unbuilt(own) is not None}
    ways = [_way(target) for target in targets]
    for case in cases_of(settings, cache):
        if case.id in refused or all((case.id, way) in done for way in ways):
            continue
        for row in rows(case, targets, settings, cache, arguments.seconds):
            if (row.model, row.way) not in done:
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(asdict(row))}\n")


def cases_of(settings: Settings, cache: Cache) -> Sequence[Case]:
    """Return the models that are chosen."""
    return Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline).choose(settings.models).cases


def _no_checkout(text: str, project: str) -> Any:
    msg = f"no checkouts here: {text} of {project}"
    raise ValueError(msg)


def read(path: Path) -> list[Row]:
    """Return the rows of a file."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--models", required=True)
    run.add_argument("--out", type=Path, required=True)
    for name, default in _WAYS.items():
        run.add_argument(f"--burn-{name}", dest=name, default=default)
    run.add_argument("--seconds", type=float, default=_SECONDS, help="after which no further call of a way is timed")
    run.set_defaults(call=measure)
    report = commands.add_parser("report")
    report.add_argument("rows", type=Path, nargs="+")
    report.add_argument("--out", type=Path, required=True)
    report.add_argument("--models", default="", help="models that have to be told of")
    report.add_argument("--served", type=Path, help="a file of tools/serving.py")
    report.add_argument("--startups", type=Path, help="a file of tools/startup.py")
    report.add_argument("--note", default="", help="what is to be known of the machine")
    report.set_defaults(call=_report)
    arguments = parser.parse_args()
    arguments.call(arguments)


def _report(arguments: argparse.Namespace) -> None:
    every = {(row.model, row.way): row for path in reversed(arguments.rows) for row in read(path)}
    models = {row.model: None for path in arguments.rows for row in read(path)}
    found = [row for model in models for row in every.values() if row.model == model]
    made = f"By tools/deploy.py on {datetime.now(UTC):%Y-%m-%d}. {arguments.note}".strip()
    served = [] if arguments.served is None else json.loads(arguments.served.read_text(encoding="utf-8"))
    lines = [] if arguments.startups is None else arguments.startups.read_text(encoding="utf-8").splitlines()
    settings = settings_from({"models": arguments.models})
    expected = [case.id for case in cases_of(settings, Cache(settings.cache_dir))]
    parts = [page(found, made, expected), served_page(served), startups_page([json.loads(line) for line in lines])]
    arguments.out.write_text("\n".join(filter(None, parts)), encoding="utf-8")


if __name__ == "__main__":
    main()
