"""Faults that one draw at one size does not show: each is written into generated Rust, and a run has to find it.

Models of the zoo, and small ones of `planting.own`, are prepared and verified with the default options; then each fault
of `planting.inputs` is written into the Rust of its model, all are compiled together, and verified as the model was.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import Final, TypeAlias

import onnx
from tabulate import tabulate

from burn_verify.burn.runner import Runner
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress
from burn_verify.core.stage import Outcome
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.steps import Ended, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from mutation.batch import Apart, compiled, sweep, written
from mutation.boundary import Answered
from mutation.draw import Mutant
from planting import own
from planting.inputs import FAULTS, Fault

_WIDTH: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a fault.

    Attributes:
        end: ``found``, ``missed``, or why nothing can be said.
        stage: where the run ended.
        said: the run's sentence.
    """

    fault: Fault
    end: str
    stage: str = ""
    said: str = ""


def plant(*, own_only: bool) -> list[Tried]:
    """Plant every fault, one at a time, and verify each model with the default options.

    Arguments:
        own_only: leave the models of the zoo out.
    """
    faults = [fault for fault in FAULTS if fault.own or not own_only]
    with LongWork(sys.stderr) as work, tempfile.TemporaryDirectory(prefix="plant-") as folder:
        bench = _Bench(work, Path(folder))
        try:
            return list(bench.tried(faults))
        finally:
            bench.close()


_Mutant: TypeAlias = tuple[Fault, Mutant]


class _Bench:
    """Verifies models as they are, and with a fault.

    Arguments:
        folder: for models, and for Rust with faults.
    """

    def __init__(self, work: LongWork, folder: Path) -> None:
        self._work = work
        self._folder = folder
        self._settings = settings_from({})
        self._cache = Cache(self._settings.cache_dir)
        self._pipeline = Pipeline(self._settings, self._cache, work.listen)
        self._apart = Apart(self._cache, folder)

    def close(self) -> None:
        """End all processes, and remove what was compiled."""
        self._pipeline.close()
        sweep(self._apart, self._work.listen)

    def tried(self, faults: Sequence[Fault]) -> Iterator[Tried]:
        """Yield what comes of each fault."""
        steps = self._pipeline.prepare(self._cases(faults)).cases
        ready: dict[str, Ready] = {}
        for case, step in steps.items():
            if isinstance(step, Ready) and self._pipeline.verify(step).result.outcome is Outcome.PASSED:
                ready[case] = step
        mutants = dict(self._mutants(faults, ready))
        models = {
            one: written(mutant, ready[fault.case].built.model, Answered(inputs=(), outputs=()), self._folder / "rust")
            for one, (fault, mutant) in mutants.items()
        }
        known = [fault for fault, _ in mutants.values()]
        yield from (Tried(fault=fault, end=_why_not(fault, steps)) for fault in faults if fault not in known)
        for batch in compiled(self._apart, self._work.listen, models):
            for one, why in batch.errors.items():
                yield Tried(fault=mutants[one][0], end=f"does not compile: {why}")
            if batch.binary is not None:
                timeout, memory_limit = self._settings.timeout, self._settings.memory_limit
                program = Runner(self._cache, batch.binary, timeout=timeout, memory_limit=memory_limit)
                for place, (one, model) in enumerate(batch.models.items()):
                    fault = mutants[one][0]
                    self._work.listen(Progress(phase="verify", done=place, total=len(batch.models), text=one))
                    step = ready[fault.case]
                    built = replace(step.built, model=model, program=program)
                    yield self._judged(fault, replace(step, built=built))

    def _judged(self, fault: Fault, step: Ready) -> Tried:
        result = self._pipeline.verify(step, shrink=False).result
        end = "found" if result.outcome is Outcome.FAILED else "missed"
        return Tried(fault=fault, end=end, stage=str(result.stage), said=result.message.partition("\n")[0])

    def _cases(self, faults: Sequence[Fault]) -> list[Case]:
        """Return the models of some faults; those of the zoo that are not at hand are left out."""
        names = list(dict.fromkeys(fault.model for fault in faults if not fault.own))
        selection = Selection(self._cache, mirror=self._settings.zoo_mirror, offline=True)
        cases = list(selection.choose(names).cases) if names else []
        for name in dict.fromkeys(fault.model for fault in faults if fault.own):
            path = self._folder / f"{name}.onnx"
            onnx.save(own.model(name), path)
            cases.append(Case(id=f"file/{name}", corpus="file", source=ModelFile(path=path)))
        return cases

    def _mutants(self, faults: Sequence[Fault], ready: Mapping[str, Ready]) -> Iterator[tuple[str, "_Mutant"]]:
        """Yield each fault of a model that agrees, and the change of its Rust, by the change's id."""
        for fault in faults:
            if fault.case in ready:
                text = ready[fault.case].built.model.rust.read_text(encoding="utf-8")
                mutant = Mutant(case_id=fault.case, change=fault.change(text))
                yield mutant.id, (fault, mutant)


def _why_not(fault: Fault, steps: Mapping[str, Ready | Ended]) -> str:
    step = steps.get(fault.case)
    if step is None:
        return "not at hand"
    return "the model does not pass" if isinstance(step, Ready) else f"the model ends at {step.error.stage}"


def report(tried: Sequence[Tried]) -> str:
    """Return the page: every fault, whether it was found, and the sentence."""
    planted = [one for one in tried if one.end in ("found", "missed")]
    found = sum(one.end == "found" for one in planted)
    only = " --own" if all(one.fault.own for one in tried) else ""
    rows = [
        [one.fault.kind, one.fault.case, one.end, one.stage, shorten(one.said, _WIDTH, placeholder=" …")]
        for one in sorted(tried, key=lambda one: FAULTS.index(one.fault))
    ]
    head = ["fault", "model", "end", "stage", "what the run says"]
    return "\n".join(
        [
            "# Planted faults that one draw at one size does not show",
            "",
            f"Made by `python tools/plant.py inputs{only}`: a fault at a time in the Rust that burn-onnx generated,",
            f"verified with the default options. {found} of {len(planted)} were found.",
            "",
            tabulate([[cell.replace("|", "\\|") for cell in row] for row in rows], headers=head, tablefmt="github"),
            "",
        ]
    )
