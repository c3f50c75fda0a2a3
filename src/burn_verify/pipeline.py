"""The order of the stages: the only module that knows which follows which.

Every case that goes in comes out as exactly one `CaseResult`; what goes wrong with one case stays with that case.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from burn_verify import load, reference
from burn_verify.build import Builder, Compiled
from burn_verify.cache import Cache
from burn_verify.cases.generated import CORPUS
from burn_verify.comparison import by_tolerance, compared, timed
from burn_verify.convert import Converter
from burn_verify.errors import STAGE_ERRORS, CompareError, StageError
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.measure import Measurer
from burn_verify.options import Settings
from burn_verify.progress import Listener, Progress, silent
from burn_verify.reference import Oracle
from burn_verify.runner import Runner
from burn_verify.toolchain import Toolchain
from burn_verify.twins import compare
from burn_verify.types import (
    Case,
    CaseResult,
    ConvertedModel,
    Outcome,
    PreparedCase,
    Reference,
    RunnerBinary,
    Stage,
    Target,
    Verdict,
)
from burn_verify.wire import Array

if TYPE_CHECKING:
    from burn_verify.drawing import Drawing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A case after everything that is done for many cases at once: what is left is to run and to compare.

    Attributes:
        errors: what went wrong so far, by stage; the first stage in the order of `Stage` is where the case ends.
    """

    case: Case
    prepared: PreparedCase | None = None
    reference: Reference | None = None
    model: ConvertedModel | None = None
    binary: RunnerBinary | None = None
    errors: Mapping[Stage, StageError] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)

    @property
    def error(self) -> StageError | None:
        """What ended the case before it could run."""
        return next((self.errors[stage] for stage in Stage if stage in self.errors), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of a run, ready to be run one by one in any process.

    Attributes:
        phases: seconds of wall time by phase. The reference runs beside conversion and compilation.
    """

    cases: Mapping[str, Planned]
    phases: Mapping[str, float]


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
        self._judge = Judge(mode=settings.judge, overrides=packaged(), burn_backend=settings.burn_backend)
        self._drawing: Drawing | None = None

    def prepare(self, cases: Sequence[Case], *, answers: bool = True, doubtful: Collection[str] = ()) -> Plan:
        """Load all models, then convert and compile them in one batch while the reference is computed.

        Arguments:
            doubtful: ids of cases that most likely do not compile, see `Builder.compile`.
            answers: whether there is a reference at all; without it a case can be run but not verified.

        Raises:
            ToolchainError: nothing could be built; no case is to blame.
        """
        phases: dict[str, float] = {}
        with timed(phases, "load"):
            planned = self._each("load", [Planned(case=case) for case in cases], self._load)
        good = [one for one in planned if one.error is None]
        if not answers:
            built = self._build(good, phases, doubtful)
            return Plan(cases={one.case.id: one for one in (*planned, *built)}, phases=phases)
        with ThreadPoolExecutor(1) as beside:
            oracle = Oracle(self._cache, self._settings.timeout)
            measurer = Measurer(self._cache, oracle, self._settings.judge_timeout)
            asked = beside.submit(self._refer, oracle, measurer, good, phases)
            try:
                built = self._build(good, phases, doubtful)
                referred = asked.result()
            finally:
                # Ctrl-C and a broken toolchain must not wait for the reference: without its process it ends at once.
                asked.cancel()
                oracle.close()
        merged = {one.case.id: one for one in planned}
        for one, other in zip(built, referred, strict=True):
            merged[one.case.id] = _merge(one, other)
        return Plan(cases=merged, phases=phases)

    def verify(self, planned: Planned, *, twin: Planned | None = None, shrink: bool = True) -> CaseResult:
        """Run one case and compare; never raises for anything that is the case's own fault.

        Arguments:
            twin: another case that has to answer the same.
            shrink: whether values on which a generated graph fails are worth making small.
        """
        if planned.error is not None:
            result = _ended(planned, planned.error)
            return replace(result, details={**result.details, **self._beside(planned, twin)})
        durations = dict(planned.durations)
        details: dict[str, Any] = {"inputs": {}}
        try:
            verdict = self._compared(planned, durations, details)
            details |= self._beside(planned, twin)
            if verdict.passes and (differs := details.get("twins_differ")):
                raise CompareError(differs, "twins differ")
            if verdict.passes and self._settings.ops_examples and planned.case.corpus == CORPUS:
                with timed(durations, "examples"):
                    self.draw(planned, details, shrink=shrink)
        except StageError as error:
            result = _ended(replace(planned, durations=durations), error)
            return replace(result, details={**result.details, **details})
        result = _result(planned, Stage.COMPARE, Outcome.PASSED if verdict.passes else Outcome.FAILED)
        return replace(
            result,
            verdict=verdict.name,
            message=verdict.message,
            reason=verdict.reason,
            metrics=verdict.metrics,
            details=details,
            durations=durations,
        )

    def infer(self, planned: Planned, inputs: Sequence[Array]) -> list[Array]:
        """Run a prepared case on other inputs than its own.

        Raises:
            StageError: what ended the case, or how it failed on these inputs.
        """
        if planned.error is not None:
            raise planned.error
        runner = self._runner(_sure(planned.binary))
        return runner.infer(_sure(planned.model), inputs, self._settings.burn_backend).outputs

    def answers(self, planned: Planned) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case on its own inputs; return what came and what was expected, by data set and output.

        Raises:
            StageError: what ended the case.
        """
        if planned.error is not None:
            raise planned.error
        found = {}
        for name, data in reference.read(_sure(planned.reference)).data_sets.items():
            outputs = self.infer(planned, data.inputs)
            for spec, came, wanted in zip(_sure(planned.prepared).outputs, outputs, data.desired, strict=False):
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
            lambda inputs: self.infer(replace(_sure(compiled), errors={}), inputs),
        )

    def _infer_all(self, planned: Planned, sets: Sequence[Sequence[Array]]) -> list[list[Array]]:
        runner, model = self._runner(_sure(planned.binary)), _sure(planned.model)
        return [inference.outputs for inference in runner.infer_all(model, sets, self._settings.burn_backend)]

    def draw(self, planned: Planned, details: dict[str, Any], *, shrink: bool) -> int:
        """Compare on drawn values and return how many sets agree.

        Arguments:
            details: gets how many sets there were, and a program that shows a failure.
            shrink: whether to look for the smallest set that fails.

        Raises:
            StageError: of the smallest values found that fail.
        """
        from burn_verify.drawing import Drawing, program_of

        prepared = _sure(planned.prepared)
        if self._drawing is None:
            given = self._settings
            self._drawing = Drawing(
                self._cache, examples=given.ops_examples, seed=given.ops_seed, timeout=given.timeout
            )
        found = self._drawing.search(
            prepared,
            lambda sets: self._infer_all(planned, sets),
            lambda actual, desired: by_tolerance(prepared, actual, desired, "drawn"),
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

    def _each(self, phase: str, items: Sequence[Planned], step: Callable[[Planned], Planned]) -> list[Planned]:
        if not items:
            return []
        done = []
        for place, item in enumerate(items):
            self._listen(Progress(phase=phase, done=place, total=len(items), text=item.case.id))
            done.append(step(item))
        self._listen(Progress(phase=phase, done=len(items), total=len(items)))
        return done

    def _load(self, planned: Planned) -> Planned:
        return _attempt(planned, Stage.LOAD, lambda: {"prepared": load.prepare(planned.case, self._cache)})

    def _refer(
        self, oracle: Oracle, measurer: Measurer, cases: Sequence[Planned], phases: dict[str, float]
    ) -> list[Planned]:
        def step(one: Planned) -> dict[str, Reference]:
            prepared = _sure(one.prepared)
            return {"reference": measurer.measured(prepared, oracle.answer(prepared))}

        with timed(phases, "reference"):
            return self._each("reference", cases, lambda one: _attempt(one, Stage.REFERENCE, lambda: step(one)))

    def _build(self, cases: Sequence[Planned], phases: dict[str, float], doubtful: Collection[str]) -> list[Planned]:
        if not cases:
            return []
        toolchain = Toolchain(self._cache, self._listen, Target())
        with timed(phases, "toolchain"):
            binary = toolchain.converter()
        converter = Converter(
            self._cache,
            binary,
            toolchain.converter_fingerprint,
            simplify=self._settings.simplify,
            partition=self._settings.partition,
            timeout=self._settings.timeout,
            memory_limit=self._settings.memory_limit,
        )
        try:
            with timed(phases, "convert"):
                converted = self._each(
                    "convert",
                    cases,
                    lambda one: _attempt(one, Stage.CONVERT, lambda: {"model": converter.convert(_sure(one.prepared))}),
                )
        finally:
            converter.close()
        with timed(phases, "compile"):
            models = [one.model for one in converted if one.model is not None]
            compiled = Builder(self._cache, toolchain).compile(models, doubtful)
        return [_with_binary(one, compiled) for one in converted]

    def _compared(self, planned: Planned, durations: dict[str, float], details: dict[str, Any]) -> Verdict:
        runner, model = self._runner(_sure(planned.binary)), _sure(planned.model)
        return compared(
            _sure(planned.prepared),
            _sure(planned.reference),
            self._judge,
            lambda inputs: runner.infer(model, inputs, self._settings.burn_backend),
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


def error_of(result: CaseResult) -> StageError | None:
    """Return the exception that stands for a result, None for a pass."""
    if result.outcome is Outcome.PASSED:
        return None
    return STAGE_ERRORS[result.stage](result.message, result.reason, result.details)


def _attempt(planned: Planned, stage: Stage, step: Callable[[], Mapping[str, object]]) -> Planned:
    """Take one case one stage further, or note why that failed, and how long it took."""
    started = time.monotonic()
    try:
        gained = dict(step())
    except StageError as error:
        # An input that Burn has no value for shows while the reference is made, but it is RUN that cannot be.
        gained = {"errors": {**planned.errors, error.stage: error}}
    durations = {**planned.durations, stage.value: time.monotonic() - started}
    return replace(planned, **gained, durations=durations)  # type: ignore[arg-type]


def _with_binary(planned: Planned, compiled: Compiled) -> Planned:
    if planned.model is None:
        return planned
    if error := compiled.errors.get(planned.model.module):
        return replace(planned, errors={**planned.errors, Stage.COMPILE: error})
    return replace(planned, binary=compiled.binary)


def _merge(built: Planned, referred: Planned) -> Planned:
    return replace(
        built,
        reference=referred.reference,
        errors={**built.errors, **referred.errors},
        durations={**built.durations, **referred.durations},
    )


def _ended(planned: Planned, error: StageError) -> CaseResult:
    result = _result(planned, error.stage, Outcome.FAILED)
    refused = planned.prepared.refused if planned.prepared else None
    # Whoever ended the case, that nobody could have said what is right is worth knowing.
    silent = {"no_reference": refused} if refused else {}
    return replace(result, message=error.message, reason=error.reason, details={**error.details, **silent})


def _result(planned: Planned, stage: Stage, outcome: Outcome) -> CaseResult:
    return CaseResult(
        case_id=planned.case.id,
        corpus=planned.case.corpus,
        stage=stage,
        outcome=outcome,
        op_types=planned.prepared.op_types if planned.prepared else (),
        opset=planned.prepared.opset if planned.prepared else 0,
        subject=planned.prepared.subject if planned.prepared else None,
        note=planned.case.note,
        durations=planned.durations,
    )


def _sure(value: T | None) -> T:
    """Return what the stages before must have made."""
    assert value is not None
    return value
