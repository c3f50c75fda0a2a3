"""The unmutated cases: taken through the pipeline first, as only what agrees can be mutated."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from burn_verify.core.case import Case
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import ConvertedModel, Outcome, PreparedCase
from burn_verify.reference import oracle
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.selected import Selected
from burn_verify.run.session import Session
from burn_verify.run.steps import Ended, Outputs, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from mutation.boundary import Answered

_EVIDENT: Final = frozenset({VerdictName.AGREES, VerdictName.LOOSE, VerdictName.ORACLE_DISAGREES})
"""Verdicts that say Burn is right; a pass without evidence says nothing that a mutant could disprove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A case that answers.

    Attributes:
        ready: what is run.
        agrees: whether the judge says so, and by evidence; else a mutant of it can be compiled, not tried.
        twin: the case that has to answer the same, where there is one.
        answers: what compiled Burn answered, by data set.
    """

    ready: Ready
    agrees: bool
    twin: Ready | Ended | None
    answers: Outputs

    @property
    def model(self) -> ConvertedModel:
        """What burn-onnx made of it."""
        return self.ready.built.model

    @property
    def prepared(self) -> PreparedCase:
        """The model in ONNX."""
        return self.ready.prepared

    @property
    def text(self) -> str:
        """The generated Rust."""
        return self.model.rust.read_text(encoding="utf-8")

    @property
    def answered(self) -> Answered:
        """Inputs and Burn's answer of the first data set."""
        name, outputs = next(iter(self.answers.items()))
        return Answered(inputs=oracle.read(self.ready.reference).data_sets[name].inputs, outputs=outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Originals:
    """All cases of a corpus.

    Attributes:
        answering: by case id, those that can be mutated and compiled.
        results: of all that were run, by case id.
    """

    answering: Mapping[str, Original]
    results: Mapping[str, CaseResult]

    @property
    def agreeing(self) -> dict[str, Original]:
        """By case id, those whose mutants can be tried."""
        return {one: original for one, original in self.answering.items() if original.agrees}

    @property
    def alarms(self) -> tuple[str, ...]:
        """Ids of cases that fail though no failure is expected of them."""
        return tuple(one for one, result in self.results.items() if result.outcome is Outcome.FAILED)


def originals(settings: Settings, cache: Cache, work: LongWork, named: Collection[str] = ()) -> Originals:
    """Run every case of a selection of which no failure is expected.

    Arguments:
        named: ids of cases that are run in any case.
    """
    selected = Session.open(settings, work.listen).selected
    pipeline = Pipeline(settings, cache, work.listen)
    try:
        plan = pipeline.prepare(_hopeful(selected, named)).cases
        return _verified(pipeline, plan, work.listen)
    finally:
        pipeline.close()


def _hopeful(selected: Selected, named: Collection[str]) -> list[Case]:
    expected = selected.expectations_of(selected.targets[0].target)
    return [case for case in selected.cases if case.id in named or expected.of(case.id) is None]


def _verified(pipeline: Pipeline, plan: Mapping[str, Ready | Ended], listen: Listener) -> Originals:
    answering, results = {}, {}
    for place, (case_id, step) in enumerate(plan.items()):
        listen(Progress(phase="verify", done=place, total=len(plan), text=case_id))
        twin = plan.get(step.prepared.twin or "") if step.prepared else None
        verified = pipeline.verify(step, twin=twin, shrink=False)
        result = results[case_id] = verified.result
        agrees = result.verdict in _EVIDENT and result.outcome is Outcome.PASSED
        if isinstance(step, Ready) and not step.prepared.random and verified.outputs:
            answering[case_id] = Original(ready=step, agrees=agrees, twin=twin, answers=verified.outputs)
    return Originals(answering=answering, results=results)
