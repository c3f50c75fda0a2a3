"""Batches of models cut or changed for a search: run, and forgotten. Decides nothing."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.run.build import Made
from burn_verify.run.models import Model, Models
from burn_verify.run.results import Verified, result_of
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Built, Ended, Ready
from burn_verify.system.cache import Cache, scratch
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What is asked whose fault a failure is, see `burn_verify.run.whose`.

    Attributes:
        backend: another backend; empty for none.
        round_trip: whether the compiled model is written as ONNX again.
    """

    backend: str = ""
    round_trip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How to run the models of a search.

    Attributes:
        deadline: in seconds of `time.monotonic`, after which no batch is begun; None for none.
        keeps: whether the references of the models stay in the cache, for a search that is repeated; they are as large
            as the values between the nodes.
        instruments: None where it is not asked whose fault the failure is.
    """

    settings: Settings
    cache: Cache
    target: Target = field(default_factory=Target)
    listen: Listener = silent
    seams: Seams = field(default_factory=Seams)
    deadline: float | None = None
    keeps: bool = False
    instruments: Instruments | None = None

    def run(self, wanted: Sequence[Model]) -> dict[str, Verified]:
        """Verify models in one batch; their inputs and answers are in temporary storage until it is done.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        with self.batch(wanted) as batch:
            return batch.judged([one.name for one in wanted])

    def failing(self, model: "ModelProto", sets: Mapping[str, Sequence[Array]]) -> tuple[str, Verified | None]:
        """Return the first data set with which a model fails, and how; the first of all where it fails with none.

        A single data set is not tried: its result is None.

        Arguments:
            sets: inputs by name of the data set, at least one.
        """
        names = list(sets)
        if len(names) == 1:
            return names[0], None
        found: dict[str, Verified] = {}
        with self.batch([Model(name=name, model=model, inputs=inputs) for name, inputs in sets.items()]) as batch:
            for name in names:
                found |= batch.judged([name])
                if found[name].result.outcome is Outcome.FAILED:
                    return name, found[name]
        return names[0], found[names[0]]

    @contextmanager
    def batch(self, wanted: Sequence[Model]) -> Iterator["Batch"]:
        """Build models in one batch, which can be judged until the end; nothing is built where there are none.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        settings = replace(self.settings, latency=False, ops_examples=0)
        with (
            nullcontext(self.cache) if self.keeps else scratch(self.cache, "reference", "measured") as cache,
            Models(settings, self.target, cache=cache, listen=self.listen, seams=self.seams) as models,
        ):
            yield Batch(models=models, made=models.build(wanted) if wanted else {})

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another batch."""
        return self.deadline is not None and time.monotonic() > self.deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Models that were built together, by name."""

    models: Models
    made: Made

    def judged(self, names: Sequence[str]) -> dict[str, Verified]:
        """Run some of the models and compare."""
        return self.models.judge({name: self.made[name] for name in names}) if names else {}

    def ready(self, names: Sequence[str]) -> dict[str, Ready | Ended]:
        """Return some of the models with their references, ready to be run."""
        return self.models.ready({name: self.made[name] for name in names}) if names else {}

    def built(self, names: Sequence[str]) -> dict[str, Verified]:
        """Return how some of the models ended before they were run; those that were built are *skipped* at RUN."""
        return {name: Verified(result=_of_build(self.made[name])) for name in names}


def _of_build(step: Built | Ended) -> CaseResult:
    if isinstance(step, Ended):
        return result_of(step)
    return CaseResult(case_id=step.case.id, corpus=step.case.corpus, stage=Stage.RUN, outcome=Outcome.SKIPPED)
