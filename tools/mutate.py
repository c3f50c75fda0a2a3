"""Mutate generated Rust, one change a module, and count what the judge does not notice.

usage: python tools/mutate.py run --corpus node|ops|zoo [--count N] [--seed S] [--judge MODE] --out FILE [--jobs N]
                                  [--mutants FILE] [--batch N] [--batches N] [--keep DIR]
       python tools/mutate.py report FILE… [--before FILE…] --out reports/mutation.md

`run` takes every case of a corpus that agrees, draws mutants of it, compiles them in batches and has the project's own
pipeline judge them; mutants that pass are told apart by further inputs, see docs/mutation.md. It goes on where FILE
ends. `--mutants` tries exactly the mutants of another file, which is how two states of the judge are compared.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from burn_verify.burn.runner import Runner
from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from mutation import kinds, results
from mutation.batch import Apart, Batch, compiled, sweep, written
from mutation.draw import Mutant, changes_of, drawn
from mutation.originals import Originals, originals
from mutation.report import markdown
from mutation.results import End
from mutation.trial import Bench, Trial

CORPORA: Mapping[str, Mapping[str, str]] = {
    "node": {"conformance": "node"},
    "ops": {"ops": "all"},
    "zoo": {"models": "all"},
}
BATCHES: Mapping[str, int] = {"node": 600, "ops": 600, "zoo": 60}
"""Mutants that are compiled together: rustc takes minutes for some models of the zoo."""
FURTHER: Mapping[str, int] = {"node": 50, "ops": 50, "zoo": 20}
"""Further sets of values for a mutant that passes."""

_SILENT = "the case does not agree unmutated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What `run` was asked to do."""

    corpus: str
    count: int
    seed: int
    judge: str
    out: Path
    mutants: Path | None
    batch: int
    batches: int
    keep: Path | None


def main() -> None:
    """Run mutants or write the report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        before = [results.read(path) for path in arguments.before]
        text = markdown([results.read(path) for path in arguments.files], before)
        arguments.out.write_text(text, encoding="utf-8")
        return
    if arguments.jobs:
        os.environ["CARGO_BUILD_JOBS"] = str(arguments.jobs)
    job = Job(
        corpus=arguments.corpus,
        count=arguments.count or (500 if arguments.mutants is None else _number_of(arguments.mutants)),
        seed=arguments.seed,
        judge=arguments.judge,
        out=arguments.out,
        mutants=arguments.mutants,
        batch=arguments.batch or BATCHES[arguments.corpus],
        batches=arguments.batches,
        keep=None if arguments.keep is None else arguments.keep.resolve(),
    )
    with LongWork(sys.stderr) as work:
        done = Run(job, work).run()
    print(done)


class Run:
    """Mutants of a corpus, tried in batches.

    Arguments:
        work: told of every step.
    """

    def __init__(self, job: Job, work: LongWork) -> None:
        self._job = job
        self._work = work
        self._settings = settings_from({**CORPORA[job.corpus], "judge": job.judge})
        self._cache = Cache(self._settings.cache_dir)
        named = {mutant.case_id for mutant in self._given()}
        self._cases = originals(self._settings, self._cache, work, named)
        self._count = 0

    def run(self) -> str:
        """Try mutants until there are enough, and return in a line what came of it."""
        job, known = self._job, results.read(self._job.out)
        if not known.about:
            results.append(job.out, [_about(job, self._cases)])
        self._count = sum(_counts(line["end"]) for line in known.mutants.values())
        wanted = (mutant for mutant in self._wanted() if mutant.id not in known.mutants)
        for _ in range(job.batches):
            # Every third or so does not compile.
            left = max(0, job.count - self._count) * 3 // 2
            some = list(islice(wanted, job.batch if job.mutants is not None else min(job.batch, left)))
            if not some:
                break
            trials = self._tried(some)
            results.append(job.out, [{"line": results.MUTANT, **trial.to_json()} for trial in trials])
            self._count += sum(_counts(trial.end) for trial in trials)
        agreeing = len(self._cases.agreeing)
        return f"{self._count} of {job.count} mutants of {job.corpus} compiled; {agreeing} cases agree unmutated"

    def _given(self) -> list[Mutant]:
        """Return the mutants of ``--mutants`` that compiled there."""
        if self._job.mutants is None:
            return []
        lines = results.read(self._job.mutants).mutants.values()
        return [Mutant.from_json(dict(line)) for line in lines if line.get("end") != End.UNCOMPILABLE]

    def _wanted(self) -> Iterator[Mutant]:
        """Yield mutants in the order in which they are tried."""
        if self._job.mutants is not None:
            yield from self._given()
            return
        agreeing = self._cases.agreeing
        changes = {one: changes_of(original.text, original.answered) for one, original in agreeing.items()}
        yield from drawn(changes, self._job.seed)

    def _tried(self, mutants: Sequence[Mutant]) -> list[Trial]:
        """Compile some mutants and try those that compile; without ``--keep`` nothing else is left of them."""
        keep = self._job.keep
        with tempfile.TemporaryDirectory(prefix="batch-", dir=self._cache.folder("mutants")) as folder:
            apart = Apart(self._cache, keep or Path(folder))
            # Constant answers change with the values that are drawn; what is kept of the others does not.
            constant = [mutant for mutant in mutants if mutant.change.kind == kinds.CONSTANT]
            others = [mutant for mutant in mutants if mutant.change.kind != kinds.CONSTANT]
            try:
                return [trial for some in (others, constant) for trial in self._compiled_and_tried(some, apart)]
            finally:
                sweep(apart, self._work.listen, keep=keep is not None)

    def _compiled_and_tried(self, mutants: Sequence[Mutant], apart: Apart) -> Iterator[Trial]:
        models, by_id = {}, {mutant.id: mutant for mutant in mutants}
        for mutant in mutants:
            original = self._cases.answering.get(mutant.case_id)
            if original is None:
                yield Trial(mutant=mutant, end=End.NOT_APPLICABLE, how=_SILENT)
                continue
            try:
                models[mutant.id] = written(mutant, original.model, original.answered, apart.folder("modules"))
            except ValueError as error:
                yield Trial(mutant=mutant, end=End.NOT_APPLICABLE, how=str(error))
        for batch in compiled(apart, self._work.listen, models) if models else []:
            for one, why in batch.errors.items():
                yield Trial(mutant=by_id[one], end=End.UNCOMPILABLE, how=why)
            yield from self._judged(batch, by_id)

    def _judged(self, batch: Batch, by_id: Mapping[str, Mutant]) -> Iterator[Trial]:
        """Try the mutants of a batch that compiled, those of a case one after the other."""
        if batch.binary is None:
            return
        job, settings = self._job, self._settings
        pipeline, engine = Pipeline(settings, self._cache), OnnxRuntime(self._cache, settings.timeout)
        program = Runner(self._cache, batch.binary, timeout=settings.timeout, memory_limit=settings.memory_limit)
        bench = Bench(pipeline, engine, job.seed, FURTHER[job.corpus])
        try:
            for place, one in enumerate(sorted(batch.models)):
                mutant = by_id[one]
                original = self._cases.answering[mutant.case_id]
                if not original.agrees:
                    yield Trial(mutant=mutant, end=End.NOT_APPLICABLE, how=_SILENT)
                    continue
                done = min(self._count + place, job.count)
                self._work.listen(Progress(phase="verify", done=done, total=job.count, text=one))
                yield bench.tried(mutant, original, batch.models[one], program)
        finally:
            pipeline.close()
            engine.close()


def _number_of(mutants: Path) -> int:
    return len(results.read(mutants).mutants)


def _counts(end: str) -> bool:
    """Tell whether a mutant that ended so was a mutant at all."""
    return end not in (End.UNCOMPILABLE, End.NOT_APPLICABLE)


def _about(job: Job, cases: Originals) -> dict[str, Any]:
    return {
        "line": results.ORIGINALS,
        "corpus": job.corpus,
        "seed": job.seed,
        "judge": job.judge,
        "cases": len(cases.results),
        "agreeing": len(cases.agreeing),
        "alarms": list(cases.alarms),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="try mutants")
    run.add_argument("--corpus", choices=sorted(CORPORA), required=True)
    run.add_argument("--count", type=int, help="mutants that compile; 500, or all of --mutants")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--judge", default="default", help="as of pytest's option --judge")
    run.add_argument("--out", type=Path, required=True, help="JSON lines; a run goes on where they end")
    run.add_argument("--jobs", type=int, default=0, help="processes of rustc, 0 for as many as cargo likes")
    run.add_argument("--mutants", type=Path, help="results of another run, whose mutants are tried again")
    run.add_argument("--batch", type=int, default=0, help="mutants that are compiled together")
    run.add_argument("--batches", type=int, default=1 << 30, help="stop after so many")
    run.add_argument("--keep", type=Path, help="a folder for what was compiled, to try the same mutants again")
    report = commands.add_parser("report", help="write Markdown")
    report.add_argument("files", type=Path, nargs="+")
    report.add_argument("--before", type=Path, nargs="*", default=[], help="results of the same mutants before")
    report.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
