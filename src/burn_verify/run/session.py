"""One run: its selection, and the plans made from it.

Shared by the command line and the pytest plugin, and by pytest's workers, which join a run that their controller
opened. Writes no record (see `recorder`) and prints nothing.
"""

import contextlib
import functools
import os
import pickle
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from burn_verify.burn.checkouts import look
from burn_verify.cases import files, sized, zoo
from burn_verify.cases.conformance import suites
from burn_verify.cases.generated.corpus import CORPUS as GENERATED
from burn_verify.cases.generated.corpus import SEVERAL
from burn_verify.cases.select import Choice, Selection
from burn_verify.core.case import Case
from burn_verify.core.errors import LoadError, StageError
from burn_verify.core.option_values import ALL
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, silent
from burn_verify.core.result import CaseResult, Difference, JudgeMode
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target, Trial
from burn_verify.core.targets import neighbours
from burn_verify.expectations.match import Expectation
from burn_verify.judge import overrides
from burn_verify.record.codec import result_to_line
from burn_verify.run import differences
from burn_verify.run.explain import explained
from burn_verify.run.forecast import with_forecast
from burn_verify.run.kept_outputs import Keeper, make
from burn_verify.run.known_verdicts import MADE_BY
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.results import result_of
from burn_verify.run.samples import unwatched
from burn_verify.run.seams import Seams
from burn_verify.run.selected import Asked, Selected, asked, expected_of, part_of, shipped_by
from burn_verify.run.steps import Ended, Plan, Ready
from burn_verify.system.budget import trim
from burn_verify.system.cache import Cache, prune
from burn_verify.system.files import digest_of, write_if_changed
from burn_verify.system.notes import Notes
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from burn_verify.run.evaluate.alongside import Alongside
    from burn_verify.run.locating import Locating

_KEPT_RUNS: Final = 8
_KEPT_LOGS: Final = 60
_DAY: Final = 24 * 3600.0
_HOUR: Final = 3600.0
_WIDEST: Final = "full"
"""The profile that holds all generated graphs."""


class Session:
    """A run in one process: its controller, or one of its workers.

    Arguments:
        folder: the folder in the cache that the processes of the run share.
        seams: the components of its pipelines.
    """

    def __init__(self, selected: Selected, folder: Path, seams: Seams = Seams()) -> None:  # noqa: B008  (immutable)
        self.selected = selected
        self.folder = folder
        self._seams = seams
        self.cache = seams.cache(selected.settings.cache_dir)
        self._plans: Mapping[Target, Plan] = {}
        self._pipeline: Pipeline | None = None

    @classmethod
    def open(
        cls,
        settings: Settings,
        listen: Listener = silent,
        targets: Sequence[Target] | None = None,
        seams: Seams = Seams(),  # noqa: B008  (immutable)
        cases: Sequence[Case] | None = None,
    ) -> "Session":
        """Select the cases and create the folder of a new run.

        Arguments:
            targets: replace the targets of the settings.
            cases: replace the selection of the settings.

        Raises:
            UsageError: a name is unknown, options are incompatible, or a file of expectations is invalid.
            ToolchainError: the cache cannot be written, or ONNX's own cases cannot be collected.
        """
        started = time.monotonic()
        cache = seams.cache(settings.cache_dir)
        runs = cache.folder("runs")
        choice = _chosen(settings, cache, listen) if cases is None else Choice(cases=tuple(cases))
        own, shard = part_of(choice.cases, settings)
        if targets is None:
            chosen = asked(settings, lambda text, project: look(cache, project, text), shipped_by(settings, listen))
        else:
            chosen = tuple(Asked(target=target, settings=settings) for target in targets)
        here = {case.id for case in own}
        alike: tuple[str, ...] = ()
        if settings.only_changed:
            from burn_verify.run.changed import changed

            found = changed(own, [one.target for one in chosen], settings, cache, seams.builder, listen)
            own, alike = found.cases, found.alike
        if settings.keep_outputs is not None:
            make(settings.keep_outputs)
        selected = Selected(
            settings=settings,
            cases=own,
            shard=shard,
            elsewhere=tuple(case.id for case in choice.cases if case.id not in here),
            alike=alike,
            left_out=choice.left_out,
            targets=chosen,
            expected=tuple(expected_of(settings, one.target) for one in chosen),
            select_seconds=time.monotonic() - started,
        )
        folder = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        folder.mkdir(exist_ok=True)
        _dump(folder / "selected.pickle", selected)
        prune(runs, keep=_KEPT_RUNS, young=_DAY)
        prune(cache.folder("logs"), keep=_KEPT_LOGS, young=_DAY)
        _trim(cache, settings.cache_size)
        return cls(selected, folder, seams)

    @classmethod
    def join(cls, folder: Path, seams: Seams = Seams()) -> "Session":  # noqa: B008  (immutable)
        """Join a run that another process opened."""
        joined = cls(_load(folder / "selected.pickle"), folder, seams)
        joined._present.parent.mkdir(exist_ok=True)
        joined._present.touch()
        return joined

    def leave(self) -> None:
        """Unregister this process, which joined the run."""
        self._present.unlink(missing_ok=True)

    def workers(self) -> list[int]:
        """Return the ids of processes on this machine that joined and did not leave."""
        return [int(path.name) for path in self._present.parent.glob("[0-9]*")]

    @property
    def _present(self) -> Path:
        return self.folder / "workers" / str(os.getpid())

    def prepare(self, trials: Iterable[Trial], listen: Listener = silent, *, share: bool = False) -> None:
        """Run all stages that process many cases at once; store the plans for the workers where there are any.

        Raises:
            ToolchainError: no target could be built and started, for a reason outside the cases.
        """
        pipeline = self._pipeline_of(listen)
        wanted: dict[Target, list[Case]] = {}
        doubtful = set()
        for trial in trials:
            wanted.setdefault(trial.target, []).append(trial.case)
            known = self.selected.expectation(trial)
            if known is not None and known.stage is Stage.COMPILE:
                doubtful.add(trial.case.id)
        try:
            plans = pipeline.prepare_all(wanted, doubtful=doubtful)
            self._plans = {target: self._rewritten(plan, target, pipeline, listen) for target, plan in plans.items()}
        finally:
            pipeline.close()
        if share:
            _dump(self.folder / "plan.pickle", self._plans)

    def _rewritten(self, plan: Plan, target: Target, pipeline: Pipeline, listen: Listener) -> Plan:
        """Return the plan of a target that is prepared with rewritten models; that of another as it is."""
        if not target.prepared:
            return plan
        # Few runs need it, and it imports onnx.
        from burn_verify.run.prepare.column import prepared_plan

        return prepared_plan(
            plan,
            target,
            pipeline,
            settings=self.selected.settings,
            cache=self.cache,
            listen=listen,
            seams=self._seams,
            folder=self.folder / "prepared",
        )

    @property
    def plans(self) -> Mapping[Target, Plan]:
        """The plans that `prepare` made, in this process or in the controller; empty before that."""
        if not self._plans and (self.folder / "plan.pickle").is_file():
            self._plans = _load(self.folder / "plan.pickle")
        return self._plans

    @functools.cached_property
    def _locator(self) -> "Locating":
        """What looks for wrong nodes, with the time it has left in this process."""
        from burn_verify.run.locating import Locating

        return Locating(self.selected.settings, self.cache, self._seams)

    def failure(self, target: Target) -> str:
        """Return why a target could not be built or started, in one line; empty where it could."""
        plan = self.plans.get(target)
        return "" if plan is None else plan.failure

    def prepared_seconds(self, trial: Trial) -> float:
        """Return the time of a case before its test: that of its stages, and its share of the batch compilation."""
        plan = self.plans.get(trial.target)
        if plan is None or trial.case.id not in plan.cases:
            return 0.0
        share = plan.phases.get("compile", 0.0) / len(plan.cases)
        return share + sum(plan.cases[trial.case.id].durations.values())

    @functools.cached_property
    def _forecasts(self) -> Notes:
        return Notes(self.cache, "forecast", MADE_BY.digest)

    @property
    def _running(self) -> Pipeline:
        """The pipeline, whose processes run until `close`."""
        if self._pipeline is None:
            self._pipeline = self._pipeline_of(silent)
        return self._pipeline

    def _pipeline_of(self, listen: Listener) -> Pipeline:
        seams = self._seams
        return Pipeline(self.selected.settings, self.cache, listen, engine=seams.engine, builder=seams.builder)

    def verify(self, trial: Trial, listen: Listener = silent) -> CaseResult:
        """Run one prepared case and compare; `listen` gets the progress over its samples."""
        case, plan = trial.case, self.plans.get(trial.target)
        if plan is None or case.id not in plan.cases:
            message = f"{case.id} was not prepared with the others: it joined the selection too late"
            return result_of(Ended(case=case, error=LoadError(message)))
        step = plan.cases[case.id]
        twin = plan.cases.get(step.prepared.twin or "") if step.prepared else None
        several, keeper = len(self.selected.targets) > 1, self._keeper(step, trial)
        # An expected failure is known already, so shrinking its values would waste time.
        shrink = self.selected.expectation(trial) is None
        watch = unwatched if keeper is None else keeper.sample
        verified = self._running.verify(step, twin=twin, shrink=shrink, keep=several, listen=listen, watch=watch)
        if several and verified.outputs:
            differences.keep(self._answers_of(trial), verified.outputs)
        if keeper is not None:
            # A reference that is damaged has ended the case.
            with contextlib.suppress(StageError):
                keeper.case(verified)
        result = verified.result
        if (note := plan.notes.get(case.id)) is not None:
            result = replace(result, details={**result.details, "prepared": dict(note)})
        if self._evaluates(step):
            result = self._alongside.with_task(step.built, trial.target, result, self._running, listen)
        found = with_forecast(step.prepared, trial.target, explained(step.prepared, result), self._forecasts)
        return self._locator.with_node(trial, found, listen) if self._locates(trial, found) else found

    @functools.cached_property
    def _alongside(self) -> "Alongside":
        """What evaluates models on the labelled data of this run."""
        from burn_verify.run.evaluate.alongside import Alongside

        return Alongside(self.selected.settings, self.cache, self._seams)

    def _evaluates(self, step: Ready | Ended) -> "TypeGuard[Ready]":
        """Return whether a case is evaluated: a model that became a program, where the user named data."""
        return self.selected.settings.evaluate is not None and isinstance(step, Ready)

    def _locates(self, trial: Trial, result: CaseResult) -> bool:
        """Return whether to look for the wrong node: of a model of several, that fails where nobody expects it."""
        expected = self.selected.expectation(trial)
        several = result.subject is None and trial.case.corpus != GENERATED
        unexpected = result.outcome is Outcome.FAILED and (expected is None or not expected.fits(result))
        return self.selected.settings.locate and several and unexpected and not trial.target.prepared

    def differences(self) -> tuple[Difference, ...]:
        """Compare the outputs of the cases on adjacent targets, and delete the outputs."""
        found = []
        for pair in neighbours([one.target for one in self.selected.targets]):
            plans = [self.plans[target].cases if target in self.plans else {} for target in (pair.before, pair.after)]
            for case_id in plans[0].keys() & plans[1].keys():
                step = plans[1][case_id]
                sides = [self._answers_of(Trial(case=step.case, target=target)) for target in (pair.before, pair.after)]
                said = differences.between(step, *sides)
                if said is not None:
                    found.append(
                        Difference(
                            case_id=case_id,
                            part=pair.part,
                            before=pair.before,
                            after=pair.after,
                            nearer=said.nearer,
                            message=said.message,
                        )
                    )
        shutil.rmtree(self.folder / "answers", ignore_errors=True)
        return tuple(sorted(found, key=lambda difference: difference.case_id))

    def _answers_of(self, trial: Trial) -> Path:
        """Return the file for the outputs of a case on a target, kept during the run."""
        place = next(place for place, one in enumerate(self.selected.targets) if one.target == trial.target)
        return self.folder / "answers" / str(place) / f"{digest_of(trial.case.id)[:24]}.safetensors"

    def answers(self, trial: Trial) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case and return the actual and the expected arrays, by data set and output.

        Raises:
            StageError: the case cannot be run.
        """
        return self._running.answers(self.plans[trial.target].cases[trial.case.id])

    def _keeper(self, step: Ready | Ended, trial: Trial) -> Keeper | None:
        """Return what writes the answers of a case for the user; None where nobody asked, or there are none."""
        folder = self.selected.settings.keep_outputs
        if folder is None or isinstance(step, Ended):
            return None
        test_id = next(test_id for test_id, one in self.selected.by_test_id.items() if one == trial)
        return Keeper(folder=folder, ready=step, test_id=test_id, engine=self._engine)

    @functools.cached_property
    def _engine(self) -> str:
        """Name and version of the engine of the reference."""
        engine = self._seams.engine(self.cache, self.selected.settings.timeout, memory_limit=0)
        try:
            return f"{engine.name} {engine.version}"
        finally:
            engine.close()

    def line(self, result: CaseResult, target: Target) -> str:
        """Return the line of the record for a result."""
        return result_to_line(result, target)

    def close(self) -> None:
        """Terminate every child process of this process."""
        if self._pipeline is not None:
            self._pipeline.close()
        if "_alongside" in self.__dict__:
            self._alongside.close()

    @property
    def _whole(self) -> frozenset[str]:
        """The corpora that were selected completely."""
        settings = self.selected.settings
        graphs = sized.CORPUS if settings.latency else GENERATED
        named = ((zoo.CORPUS, settings.models), (graphs, settings.ops))
        whole = (corpus for corpus, names in named if ALL in (name.lower() for name in names))
        return frozenset(whole).union(suites.suites_of(settings.conformance))

    def unmatched(self) -> tuple[Expectation, ...]:
        """Return the outdated expectations: those that match no case although their whole corpus was selected.

        A generated graph of a wider profile is a case too.
        """
        if not self._whole:
            return ()
        corpora = {zoo.CORPUS, files.CORPUS, GENERATED, SEVERAL, sized.CORPUS, *suites.SUITES}
        partial = corpora - self._whole
        selected = self.selected
        ids = [*(case.id for case in selected.cases), *selected.elsewhere, *selected.alike, *selected.left_out]
        found = dict.fromkeys(entry for expected in self.selected.expected for entry in expected.unmatched(ids))
        return tuple(entry for entry in found if not entry.concerns(partial) and not self._of_wider_profile(entry))

    def _of_wider_profile(self, entry: Expectation) -> bool:
        if entry.corpus != GENERATED or self.selected.settings.ops_profile == _WIDEST:
            return False
        # Needs onnx and all declarations, which a run without generated graphs does not load.
        from burn_verify.cases.generated.named import is_made

        return is_made(entry.pattern)

    def unused_overrides(
        self, results: Iterable[CaseResult], known: tuple[overrides.Override, ...] | None = None
    ) -> tuple[overrides.Override, ...]:
        """Return overrides of the bounds that no result used although every corpus was selected.

        Arguments:
            known: the overrides; None for the packaged ones.
        """
        everything = {zoo.CORPUS, *suites.SUITES} <= self._whole
        if not everything or self.selected.settings.judge is JudgeMode.ONNX:
            return ()
        used = {name for result in results for name in result.details.get("overrides", ())}
        return overrides.unused(overrides.packaged() if known is None else known, used)


def _chosen(settings: Settings, cache: Cache, listen: Listener) -> Choice:
    selection = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline, listen=listen)
    together = tuple(name for name in settings.ops if name.startswith(f"{SEVERAL}/"))
    chosen = selection.choose(
        settings.models,
        settings.conformance,
        tuple(name for name in settings.ops if name not in together),
        settings.ops_profile,
        sized=settings.latency,
        hints=settings.hints,
    )
    return replace(chosen, cases=(*chosen.cases, *_of_several(settings, together, cache, listen)))


def _of_several(settings: Settings, ids: Iterable[str], cache: Cache, listen: Listener) -> tuple[Case, ...]:
    """Return the graphs of several operators: as many as asked, and those that are named."""
    if not settings.several and not ids:
        return ()
    # The declarations and their imports are slow to load, and needed only here.
    from burn_verify.several import collection

    many = collection.cases(cache, settings.several, settings.several_seed, listen) if settings.several else ()
    named = (collection.named(cache, name, listen) for name in ids)
    return tuple({case.id: case for case in (*many, *named)}.values())


def _trim(cache: Cache, limit: int) -> None:
    """Keep the cache within its budget; at most once an hour, since scanning the whole cache is slow."""
    looked = cache.folder("locks") / "trimmed"
    if limit and not (looked.is_file() and time.time() - looked.stat().st_mtime < _HOUR):
        trim(cache, limit)
        looked.touch()


def _dump(path: Path, value: Selected | Mapping[Target, Plan]) -> None:
    """Pickle a value for the workers of the same run, which run the same program and read only this run's files."""
    write_if_changed(path, pickle.dumps(value))


def _load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())
