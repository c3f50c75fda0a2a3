"""The order of the stages: the only module that knows which follows which.

Every case that goes in comes out as exactly one `CaseResult`; what goes wrong with one case stays with that case.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from burn_verify.burn.release import Release
from burn_verify.burn.runner import Inference, Runner
from burn_verify.cases import load
from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.core.case import Case
from burn_verify.core.errors import CompareError, OracleError, StageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.result import CaseResult, Verdict
from burn_verify.core.stage import FailureKind, Outcome, Reference, RunnerBinary, Stage
from burn_verify.core.target import Target
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.reference.inputs import SEEDED, make_inputs
from burn_verify.reference.measure import Measurer
from burn_verify.reference.oracle import Oracle, read, stored_inputs
from burn_verify.run.build import Built, Maker
from burn_verify.run.compare import compare, compared, of_drawn, timed
from burn_verify.run.latency.stopwatch import Stopwatch
from burn_verify.run.state import Plan, Planned, attempt, each, ended, result_of, sure, with_reference
from burn_verify.run.timing import measured, within_budget
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from burn_verify.run.examples import Drawing


Kept: TypeAlias = dict[str, list[Array]]
"""What a model answered, by data set."""


class Pipeline:
    """Takes cases through the stages.

    Arguments:
        listen: told of every step, from more than one thread.
    """

    def __init__(self, settings: Settings, cache: Cache, listen: Listener = silent) -> None:
        self._settings = settings
        self._cache = cache
        self._listen = listen
        self._runners: dict[RunnerBinary, Runner] = {}
        self._overrides = packaged()
        self._maker = Maker(settings, cache, listen)
        self._drawing: Drawing | None = None

    def prepare(
        self,
        cases: Sequence[Case],
        target: Target = Target(),  # noqa: B008  (immutable)
        *,
        answers: bool = True,
        doubtful: Collection[str] = (),
    ) -> Plan:
        """Prepare cases for one target; see `prepare_all`.

        Raises:
            ToolchainError: the target could not be built or started; no case is to blame.
        """
        return self.prepare_all({target: cases}, answers=answers, doubtful=doubtful)[target]

    def prepare_all(
        self, wanted: Mapping[Target, Sequence[Case]], *, answers: bool = True, doubtful: Collection[str] = ()
    ) -> dict[Target, Plan]:
        """Load all models, then convert and compile them in one batch a build while the reference is computed.

        A model is loaded and its reference computed once for all targets, converted once for every burn-onnx and its
        options, and compiled once for every Burn, whatever the backends.

        Arguments:
            doubtful: ids of cases that most likely do not compile, see `Builder.compile`.
            answers: whether there is a reference at all; without it a case can be run but not verified.

        Raises:
            ToolchainError: not one target could be built and started; no case is to blame.
        """
        phases: dict[str, float] = {}
        unique = {case.id: case for cases in wanted.values() for case in cases}
        with timed(phases, "load"):
            loaded = each(self._listen, "load", [Planned(case=case) for case in unique.values()], self._load)
        good = [one for one in loaded if one.error is None]
        if not answers:
            return _plans(wanted, loaded, self._maker.build_all(wanted, good, phases, doubtful), (), phases)
        with ThreadPoolExecutor(1) as beside:
            oracle = Oracle(self._cache, self._settings.timeout)
            measurer = Measurer(self._cache, oracle, self._settings.judge_timeout)
            asked = beside.submit(self._refer, oracle, measurer, good, phases)
            try:
                built = self._maker.build_all(wanted, good, phases, doubtful)
                referred = asked.result()
            finally:
                # Ctrl-C and a broken toolchain must not wait for the reference: without its process it ends at once.
                asked.cancel()
                oracle.close()
        return _plans(wanted, loaded, built, referred, phases)

    def verify(
        self, planned: Planned, *, twin: Planned | None = None, shrink: bool = True, kept: Kept | None = None
    ) -> CaseResult:
        """Run one case and compare; never raises for anything that is the case's own fault.

        Arguments:
            twin: another case that has to answer the same.
            shrink: whether values on which a generated graph fails are worth making small.
            kept: gets what the model answered, by data set, also where there was nothing to compare it with.
        """
        if planned.error is not None:
            if kept is not None and isinstance(planned.error, OracleError) and planned.binary is not None:
                kept |= self._answers_alone(planned)
            result = ended(planned, planned.error)
            return replace(result, details={**result.details, **self._beside(planned, twin)})
        durations = dict(planned.durations)
        details: dict[str, Any] = {"inputs": {}}
        try:
            verdict = self._compared(planned, durations, details, kept)
            details |= self._beside(planned, twin)
            if verdict.passes and (differs := details.get("twins_differ")):
                raise CompareError(differs, "twins differ", kind=FailureKind.MISMATCH)
            if verdict.passes and self._settings.ops_examples and planned.case.corpus == CORPUS:
                with timed(durations, "examples"):
                    self.draw(planned, details, shrink=shrink)
        except StageError as error:
            result = ended(replace(planned, durations=durations), error)
            return replace(result, details={**result.details, **details})
        result = result_of(planned, Stage.COMPARE, Outcome.PASSED if verdict.passes else Outcome.FAILED)
        result = replace(
            result,
            verdict=verdict.name,
            failure=None if verdict.passes else FailureKind.MISMATCH,
            message=verdict.message,
            reason=verdict.reason,
            metrics=verdict.metrics,
            details=details,
            durations=durations,
        )
        return result if planned.release is None else self._timed(planned, planned.release, result)

    def infer(self, planned: Planned, inputs: Sequence[Array]) -> list[Array]:
        """Run a prepared case on other inputs than its own.

        Raises:
            StageError: what ended the case, or how it failed on these inputs.
        """
        if planned.error is not None:
            raise planned.error
        runner = self._runner(sure(planned.binary))
        return runner.infer(sure(planned.model), inputs, planned.target.backend).outputs

    def answers(self, planned: Planned) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case on its own inputs; return what came and what was expected, by data set and output.

        Raises:
            StageError: what ended the case.
        """
        if planned.error is not None:
            raise planned.error
        found = {}
        for name, data in read(sure(planned.reference)).data_sets.items():
            outputs = self.infer(planned, data.inputs)
            for spec, came, wanted in zip(sure(planned.prepared).outputs, outputs, data.desired, strict=False):
                found[name, spec.name] = came, wanted
        return found

    def _beside(self, planned: Planned, twin: Planned | None) -> dict[str, str]:
        """Compare a generated graph with its twins, also where it has no reference."""
        prepared = planned.prepared
        if planned.case.corpus != CORPUS or prepared is None or planned.binary is None:
            return {}
        compiled = None if twin is None or twin.binary is None else twin
        # A graph without a reference ended there, and can be run all the same.
        return compare(
            prepared,
            lambda inputs: self.infer(replace(planned, errors={}), inputs),
            None if compiled is None else compiled.prepared,
            lambda inputs: self.infer(replace(sure(compiled), errors={}), inputs),
        )

    def _infer_all(self, planned: Planned, sets: Sequence[Sequence[Array]]) -> list[list[Array]]:
        runner, model = self._runner(sure(planned.binary)), sure(planned.model)
        return [inference.outputs for inference in runner.infer_all(model, sets, planned.target.backend)]

    def draw(self, planned: Planned, details: dict[str, Any], *, shrink: bool) -> int:
        """Compare on drawn values and return how many sets agree.

        Arguments:
            details: gets how many sets there were, and a program that shows a failure.
            shrink: whether to look for the smallest set that fails.

        Raises:
            StageError: of the smallest values found that fail.
        """
        from burn_verify.run.examples import Drawing, program_of

        prepared = sure(planned.prepared)
        if self._drawing is None:
            given = self._settings
            self._drawing = Drawing(
                self._cache,
                examples=given.ops_examples,
                seed=given.ops_seed,
                timeout=given.timeout,
                judge_timeout=given.judge_timeout,
            )
        found = self._drawing.search(
            prepared,
            lambda sets: self._infer_all(planned, sets),
            partial(of_drawn, prepared, self.judge_of(planned.target)),
            shrink=shrink,
        )
        details["examples"] = {"agree": found.examples, "no reference": found.rejected}
        if found.error is not None and found.feeds is not None:
            details["example"] = program_of(prepared, found.feeds)
            raise found.error
        return found.examples

    def close(self) -> None:
        """End every process."""
        if self._drawing is not None:
            self._drawing.close()
        for runner in self._runners.values():
            runner.close()
        self._runners.clear()

    def _load(self, planned: Planned) -> Planned:
        return attempt(planned, Stage.LOAD, lambda: {"prepared": load.prepare(planned.case, self._cache)})

    def _refer(
        self, oracle: Oracle, measurer: Measurer, cases: Sequence[Planned], phases: dict[str, float]
    ) -> list[Planned]:
        def step(one: Planned) -> dict[str, Reference]:
            prepared = sure(one.prepared)
            return {"reference": measurer.measured(prepared, oracle.answer(prepared))}

        with timed(phases, "reference"):
            return each(self._listen, "reference", cases, lambda one: attempt(one, Stage.REFERENCE, lambda: step(one)))

    def judge_of(self, target: Target) -> Judge:
        """Return what judges the answers of a target."""
        return Judge(mode=self._settings.judge, overrides=self._overrides, burn_backend=target.backend)

    def _answers_alone(self, planned: Planned) -> Kept:
        """Return the answers of a case that has no reference, nothing where it cannot be fed or fails."""
        prepared, able = sure(planned.prepared), replace(planned, errors={})
        try:
            if prepared.stored:
                return {prepared.stored[0].name: self.infer(able, stored_inputs(prepared))}
            drawn = make_inputs(prepared.case.id, prepared.inputs, prepared.case.hints)
            return {SEEDED: self.infer(able, list(drawn.values()))}
        except StageError:
            return {}

    def _timed(self, planned: Planned, release: Release, result: CaseResult) -> CaseResult:
        latency = measured(
            sure(planned.prepared),
            sure(planned.reference),
            sure(planned.model),
            release,
            Stopwatch(self._cache, self._settings, planned.target.backend),
            self.judge_of(planned.target),
            fails=result.outcome is Outcome.FAILED,
        )
        return within_budget(replace(result, latency=latency), self._settings.compile_budget)

    def _compared(
        self, planned: Planned, durations: dict[str, float], details: dict[str, Any], kept: Kept | None
    ) -> Verdict:
        runner, model = self._runner(sure(planned.binary)), sure(planned.model)
        names = iter(sure(planned.reference).data_sets)

        def infer(inputs: Sequence[Array]) -> Inference:
            inference = runner.infer(model, inputs, planned.target.backend)
            if kept is not None:
                kept[next(names)] = inference.outputs
            return inference

        return compared(
            sure(planned.prepared),
            sure(planned.reference),
            self.judge_of(planned.target),
            infer,
            durations=durations,
            details=details,
        )

    def _runner(self, binary: RunnerBinary) -> Runner:
        if binary not in self._runners:
            self._runners[binary] = Runner(
                self._cache,
                binary,
                timeout=self._settings.timeout,
                memory_limit=self._settings.memory_limit,
            )
        return self._runners[binary]


def _plans(
    wanted: Mapping[Target, Sequence[Case]],
    loaded: Sequence[Planned],
    built: Mapping[Target, Built | str],
    referred: Sequence[Planned],
    phases: Mapping[str, float],
) -> dict[Target, Plan]:
    """Put together, for each target, what was found out about its cases."""
    known = {one.case.id: one for one in loaded}
    references = {one.case.id: one for one in referred}
    plans = {}
    for target, cases in wanted.items():
        own = built[target]
        if isinstance(own, str):
            plans[target] = Plan(cases={}, phases=phases, failure=own)
            continue
        made = {}
        for case in cases:
            one = own.get(case.id) or replace(known[case.id], target=target)
            made[case.id] = with_reference(one, references[case.id]) if case.id in references else one
        plans[target] = Plan(cases=made, phases=phases)
    return plans
