"""Verification of one prepared case: run, compare, collect more evidence, time. Builds nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from burn_verify.burn.program import Inference, Program
from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.core.case import Case
from burn_verify.core.errors import CompareError, StageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.result import JudgeMode, VerdictName
from burn_verify.core.stage import DrawnData, FailureKind, Stage
from burn_verify.core.target import Target
from burn_verify.core.ways import BURNPACK, FULL
from burn_verify.judge import merge
from burn_verify.judge.evidence import Measured
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.reference import stored_half
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Engine, Engines
from burn_verify.reference.inputs import SEEDED, make_inputs
from burn_verify.reference.measure import Measurer, read_measures
from burn_verify.reference.oracle import read, stored_inputs
from burn_verify.reference.second import SecondOpinion
from burn_verify.run import varied
from burn_verify.run.compare import answered, compared, of_drawn, verdict_on
from burn_verify.run.known_verdicts import KnownVerdicts
from burn_verify.run.latency.stopwatch import Stopwatch
from burn_verify.run.results import Verified, result_of
from burn_verify.run.samples import SampleRun, Watch, of_sample, unwatched, watching
from burn_verify.run.stages import apply
from burn_verify.run.steps import Answered, Built, Compared, Ended, Outputs, Ready, Referred
from burn_verify.run.timing import measured, within_budget
from burn_verify.run.twins import Twins, with_twins
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from burn_verify.run.examples import Drawn, ExampleSearch


class Verifier:
    """Runs and compares prepared cases; its child processes run until it is closed.

    Arguments:
        engine: creates the engine that runs on drawn values, and the one that programs are timed against.
    """

    def __init__(self, settings: Settings, cache: Cache, engine: Engines) -> None:
        self._settings = settings
        self._cache = cache
        self._engine = engine
        self._asked: dict[int, Program] = {}
        self._overrides = packaged()
        self._known = KnownVerdicts(cache)
        self._drawing: ExampleSearch | None = None
        self._samples: SampleRun | None = None
        self._measuring: Engine | None = None
        self._measurer: Measurer | None = None
        self._moved: tuple[object, Mapping[str, Mapping[int, Array]]] | None = None
        self._second = SecondOpinion(cache, settings.judge_timeout, settings.memory_limit)

    def verify(
        self,
        step: Ready | Ended,
        *,
        twin: Ready | Ended | None = None,
        shrink: bool = True,
        keep: bool = False,
        listen: Listener = silent,
        watch: Watch = unwatched,
    ) -> Verified:
        """Run one case and compare; a failure of the case is returned, not raised.

        Arguments:
            twin: another case that must have the same outputs.
            shrink: whether to shrink the values on which a generated graph fails.
            keep: whether to return outputs also where there is no reference.
            listen: gets the progress where there are many samples.
            watch: gets every further sample that Burn answered.
        """
        if isinstance(step, Ended):
            alone = self._alone(step, twin, keep=keep)
            return Verified(result=result_of(alone), outputs=alone.outputs)
        ran = apply(Stage.RUN, step, self._run)
        made = ran if isinstance(ran, Ended) else self._judged(ran, twin, listen, watch, shrink=shrink)
        result = within_budget(result_of(made), self._settings.compile_budget)
        own = {name: answer for name, answer in ran.outputs.items() if not step.prepared.is_varied(name)}
        return Verified(result=result, outputs=own)

    def _judged(
        self, step: Answered, twin: Ready | Ended | None, listen: Listener, watch: Watch, *, shrink: bool
    ) -> Compared | Ended:
        """Compare, then collect more evidence while none is against the case, then time it."""
        made = apply(Stage.COMPARE, step, self._compare)
        if isinstance(made, Compared) and made.answered.ready.prepared.samples:
            made = apply(Stage.COMPARE, made, partial(self._compare_samples, listen=listen, watch=watch), "samples")
        if isinstance(made, Compared):
            made = apply(Stage.COMPARE, made, partial(self._compare_twins, twin=twin), "twins")
        if isinstance(made, Compared) and made.verdict.passes and self._draws(made.case):
            made = apply(Stage.COMPARE, made, partial(self._compare_drawn, shrink=shrink), "examples")
        if isinstance(made, Compared) and step.ready.built.release is not None:
            made = apply(Stage.RUN, made, self._time, "latency")
        return made

    def infer(self, step: Built | Ready | Ended, inputs: Sequence[Array]) -> list[Array]:
        """Run a built case on given inputs.

        Raises:
            StageError: the error that ended the case, or its failure on these inputs.
        """
        if isinstance(step, Ended):
            raise step.error
        return self._infer(step.built if isinstance(step, Ready) else step, inputs).outputs

    def answers(self, step: Ready | Ended) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case on its own inputs; return the actual and the expected arrays, by data set and output.

        Raises:
            StageError: the error that ended the case.
        """
        if isinstance(step, Ended):
            raise step.error
        found = {}
        for name, data in read(step.reference).data_sets.items():
            outputs = self.infer(step, data.inputs)
            for spec, came, wanted in zip(step.prepared.outputs, outputs, data.desired, strict=False):
                found[name, spec.name] = came, wanted
        return found

    def judged(self, step: Referred, answers: Mapping[str, Sequence[Array]], target: Target) -> str:
        """Return why answers by data set are not those of a case; empty where they are."""
        known, measures = read(step.reference), read_measures(step.reference)
        for name, answer in answers.items():
            data = known.data_sets[name]
            verdict = verdict_on(step.prepared, name, data, measures.data_sets[name], answer, self.judge_of(target))
            if not verdict.passes:
                return verdict.message
        return ""

    def draw(self, built: Built, *, shrink: bool) -> "Drawn":
        """Compare a generated graph on drawn values.

        Arguments:
            shrink: whether to search for the smallest failing set.
        """
        if self._drawing is None:
            from burn_verify.run.examples import ExampleSearch

            given = self._settings
            self._drawing = ExampleSearch(
                self._cache,
                self._new_engine(),
                examples=given.ops_examples,
                seed=given.ops_seed,
                judge_timeout=given.judge_timeout,
            )
        return self._drawing.search(
            built.prepared,
            lambda sets: [inference.outputs for inference in self._infer_all(built, sets)],
            partial(of_drawn, built.prepared, self.judge_of(built.target)),
            shrink=shrink,
        )

    def judge_of(self, target: Target) -> Judge:
        """Return the judge for the outputs of a target."""
        return Judge(mode=self._settings.judge, overrides=self._overrides, burn_backend=target.backend)

    def close(self) -> None:
        """Terminate every process."""
        self._second.close()
        for searching in (self._drawing, self._samples, self._measuring):
            if searching is not None:
                searching.close()
        for one in self._asked.values():
            one.close()
        self._asked.clear()

    def _infer(self, built: Built, inputs: Sequence[Array]) -> Inference:
        return self._infer_all(built, [inputs])[0]

    def _infer_all(self, built: Built, sets: Sequence[Sequence[Array]]) -> list[Inference]:
        self._asked[id(built.program)] = built.program
        return built.program.infer_all(built.model, sets, built.target.backend)

    def _run(self, ready: Ready) -> Answered | Ended:
        made = answered(ready, partial(self._infer, ready.built), partial(self._second.differs, ready.prepared))
        if isinstance(made, Ended):
            return made
        made = self._known.recalled(made, self.judge_of(ready.built.target))
        if made.recalled is not None or self._settings.judge is JudgeMode.ONNX:
            # ONNX's own tests know the stored data alone.
            return made
        return varied.asked(made, partial(self._infer_all, ready.built), self._further(ready).doubt)

    def _compare(self, step: Answered) -> Compared | Ended:
        ready, judge = step.ready, self.judge_of(step.ready.built.target)
        if step.known_verdict is not None:
            verdict, evidence = step.known_verdict
            return Compared(
                answered=step, verdict=verdict, evidence={**step.evidence, **evidence}, varied=step.recalled
            )
        doubt = partial(self._second.differs, ready.prepared)
        if ready.built.target.weights == FULL:
            made = compared(step, judge, doubt, self._further(ready))
            self._known.keep(made, judge)
            return made
        sets = {name: step.known.data_sets[name].inputs for name in step.outputs if not ready.prepared.is_varied(name)}
        made = compared(step, judge, doubt, self._further(ready), self._moves(ready, sets))
        return replace(made, evidence={**made.evidence, "weights": _stored(ready)})

    def _moves(self, ready: Ready, sets: Mapping[str, Sequence[Array]]) -> Mapping[str, Mapping[int, Array]]:
        """Measure how far half weights move the outputs, once for all ways in which a model is asked."""
        every = ready.built.target.record != BURNPACK
        key = ready.prepared.model, ready.reference.path, tuple(sets), every
        if self._moved is None or self._moved[0] != key:
            self._moved = key, stored_half.deviations(self._beside(), ready.prepared.model, sets, every=every)
        return self._moved[1]

    def _further(self, ready: Ready) -> varied.Further:
        doubt = partial(self._second.differs, ready.prepared, numbers=True)
        return varied.Further(doubt=doubt, measure=partial(self._measure, ready))

    def _measure(self, ready: Ready, name: str, data: DataSet) -> Measured:
        """Measure a data set, with an engine that is started once it is needed."""
        if self._measurer is None:
            self._measurer = Measurer(self._cache, self._beside(), self._settings.judge_timeout)
        return self._measurer.of_varied(ready.prepared, ready.reference, name, data)

    def _beside(self) -> Engine:
        """Return the engine for what is measured while cases run, started once it is needed."""
        if self._measuring is None:
            self._measuring = self._new_engine()
        return self._measuring

    def _compare_twins(self, step: Compared, twin: Ready | Ended | None) -> Compared | Ended:
        found = self._twins(step.answered.ready.built, twin)
        made = replace(step, evidence={**step.evidence, **found.evidence})
        if found.differ and step.verdict.passes:
            return made.ended(CompareError(found.differ, "twins differ", kind=FailureKind.MISMATCH))
        return made

    def _compare_samples(self, step: Compared, listen: Listener, watch: Watch) -> Compared | Ended:
        built = step.answered.ready.built
        if self._samples is None:
            self._samples = SampleRun(self._new_engine(), self._cache, self._settings.judge_timeout)
        judged = watching(partial(of_sample, built.prepared, self.judge_of(built.target)), watch)
        found = self._samples.run(built.prepared, step.verdict, partial(self.infer, built), judged, listen)
        verdict = merge([step.verdict, *found.verdicts])
        evidence = {**step.evidence, **found.evidence}
        if verdict.name is not VerdictName.INSENSITIVE:
            evidence.pop("insensitive", None)
        made = replace(step, verdict=verdict, evidence=evidence)
        return made if found.error is None else made.ended(found.error)

    def _new_engine(self) -> Engine:
        return self._engine(self._cache, self._settings.timeout, memory_limit=self._settings.memory_limit)

    def _compare_drawn(self, step: Compared, *, shrink: bool) -> Compared | Ended:
        found = self.draw(step.answered.ready.built, shrink=shrink)
        made = replace(step, evidence={**step.evidence, **found.evidence})
        return made if found.error is None else made.ended(found.error)

    def _time(self, step: Compared) -> Compared:
        ready = step.answered.ready
        assert ready.built.release is not None
        settings = self._settings
        engine = partial(self._engine, self._cache, settings.timeout, memory_limit=settings.memory_limit)
        stopwatch = Stopwatch(engine, settings.timing_threads)
        judge = self.judge_of(ready.built.target)
        latency = measured(ready, ready.built.release, stopwatch, judge, fails=not step.verdict.passes)
        return replace(step, latency=latency)

    def _twins(self, built: Built, twin: Ready | Ended | None) -> Twins:
        """Compare a generated graph with its twins; other graphs have none."""
        if built.case.corpus != CORPUS:
            return Twins()
        other = None if twin is None else twin.built
        return with_twins(
            built.prepared,
            partial(self.infer, built),
            None if other is None else other.prepared,
            lambda inputs: [] if other is None else self.infer(other, inputs),
            partial(self._second.takes, built.prepared),
        )

    def _draws(self, case: Case) -> bool:
        return bool(self._settings.ops_examples) and case.corpus == CORPUS

    def _alone(self, end: Ended, twin: Ready | Ended | None, *, keep: bool) -> Ended:
        """Add the outputs of a case that was built but ended, and their comparison with its twins."""
        if end.built is None:
            return end
        built = end.built

        def function(end: Ended) -> Ended:
            outputs = self._without_reference(built) if keep and end.stage is Stage.REFERENCE else end.outputs
            return replace(end, outputs=outputs, evidence={**end.evidence, **self._twins(built, twin).evidence})

        return apply(end.stage, end, function, "alone")

    def _without_reference(self, built: Built) -> Outputs:
        """Return the outputs of a case without a reference; empty where it has no inputs or fails."""
        prepared = built.prepared
        try:
            if inputs := stored_inputs(prepared):
                name = next(one.name for one in (*prepared.fed, *prepared.stored) if not isinstance(one, DrawnData))
                return {name: self.infer(built, inputs)}
            hints, limit = prepared.case.hints, self._settings.memory_limit
            drawn = make_inputs(prepared.digest, prepared.inputs, hints, memory_limit=limit)
            return {SEEDED: self.infer(built, list(drawn.values()))}
        except StageError:
            return {}


def _stored(ready: Ready) -> dict[str, int]:
    """Return the bytes of the weights as they are stored, and as they are in full where both are at hand."""
    model = ready.built.model
    files = {"bytes": model.loaded, **({"full_bytes": model.weights} if model.halves else {})}
    return {name: path.stat().st_size for name, path in files.items() if path.is_file()}
