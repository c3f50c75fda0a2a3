"""One run: what was selected, and the plan made of it.

The same for both shells, and for pytest's workers, which join a run that their controller opened. Writes no record
(see `recording`) and prints nothing.
"""

import os
import pickle
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify import expectations, shards, store
from burn_verify.cache import Cache, prune, write_if_changed
from burn_verify.cases import conformance, files, generated, zoo
from burn_verify.codec import result_to_line
from burn_verify.errors import LoadError, UsageError
from burn_verify.expectations import Expectation, Expectations
from burn_verify.judge import overrides
from burn_verify.options import Settings
from burn_verify.pipeline import Pipeline, Plan, Planned
from burn_verify.progress import Listener, silent
from burn_verify.selection import ALL, Selection
from burn_verify.shards import Shard
from burn_verify.types import Case, CaseResult, JudgeMode, Stage
from burn_verify.versions import DEFAULT
from burn_verify.wire import Array

_KEPT_RUNS: Final = 8
_KEPT_LOGS: Final = 60
_DAY: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a run is about; fixed before anything is built, and the same in every process of the run.

    Attributes:
        left_out: see `selection.Choice`.
        shard: which part of a larger selection the cases are; None where they are all of it.
        elsewhere: ids of the cases in other shards.
    """

    settings: Settings
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]
    expected: Expectations
    select_seconds: float
    shard: Shard | None = None
    elsewhere: tuple[str, ...] = ()


class Session:
    """A run in one process: its controller, or one of its workers.

    Arguments:
        folder: where the processes of the run find one another; in the cache.
    """

    def __init__(self, selected: Selected, folder: Path) -> None:
        self.selected = selected
        self.folder = folder
        self.cache = Cache(selected.settings.cache_dir)
        self._plan: Plan | None = None
        self._pipeline: Pipeline | None = None

    @classmethod
    def open(cls, settings: Settings, listen: Listener = silent) -> "Session":
        """Select the cases and make the folder of a new run.

        Raises:
            UsageError: a name cannot be meant, or a file of expectations is wrong.
            ToolchainError: the cache cannot be written, or ONNX's own cases cannot be collected.
        """
        started = time.monotonic()
        cache = Cache(settings.cache_dir)
        runs = cache.room("runs")
        selection = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline, listen=listen)
        choice = selection.choose(settings.models, settings.conformance, settings.ops, settings.ops_profile)
        cases, shard = _part_of(choice.cases, settings)
        own = {case.id for case in cases}
        selected = Selected(
            settings=settings,
            cases=cases,
            shard=shard,
            elsewhere=tuple(case.id for case in choice.cases if case.id not in own),
            left_out=choice.left_out,
            expected=expected_of(settings, DEFAULT.burn, settings.burn_backend),
            select_seconds=time.monotonic() - started,
        )
        folder = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        folder.mkdir(exist_ok=True)
        _dump(folder / "selected.pickle", selected)
        prune(runs, keep=_KEPT_RUNS, young=_DAY)
        prune(cache.room("logs"), keep=_KEPT_LOGS, young=_DAY)
        return cls(selected, folder)

    @classmethod
    def join(cls, folder: Path) -> "Session":
        """Join a run that another process opened."""
        return cls(_load(folder / "selected.pickle"), folder)

    def prepare(self, cases: Iterable[Case], listen: Listener = silent, *, share: bool = False) -> None:
        """Do everything that is done for many cases at once; leave it for the workers where there are any.

        Raises:
            ToolchainError: nothing could be built; no case is to blame.
        """
        pipeline = Pipeline(self.selected.settings, self.cache, listen)
        chosen = list(cases)
        expected = ((case.id, self.selected.expected.of(case.id)) for case in chosen)
        doubtful = [case_id for case_id, known in expected if known is not None and known.stage is Stage.COMPILE]
        try:
            self._plan = pipeline.prepare(chosen, doubtful=doubtful)
        finally:
            pipeline.close()
        if share:
            _dump(self.folder / "plan.pickle", self._plan)

    @property
    def plan(self) -> Plan | None:
        """What `prepare` made, here or in the controller; None before that."""
        if self._plan is None and (self.folder / "plan.pickle").is_file():
            self._plan = _load(self.folder / "plan.pickle")
        return self._plan

    def verify(self, case: Case) -> CaseResult:
        """Run one prepared case and compare."""
        if self._pipeline is None:
            self._pipeline = Pipeline(self.selected.settings, self.cache)
        plan = self.plan
        if plan is None or case.id not in plan.cases:
            message = f"{case.id} was not prepared with the others: it joined the selection too late"
            return self._pipeline.verify(Planned(case=case, errors={Stage.LOAD: LoadError(message)}))
        # A failure that is expected is not worth making small.
        planned = plan.cases[case.id]
        twin = plan.cases.get(planned.prepared.twin or "") if planned.prepared else None
        return self._pipeline.verify(planned, twin=twin, shrink=self.selected.expected.of(case.id) is None)

    def answers(self, case: Case) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Run a prepared case and return what came and what was expected, by data set and output.

        Raises:
            StageError: the case cannot be run.
        """
        pipeline = Pipeline(self.selected.settings, self.cache)
        plan = self.plan
        assert plan is not None
        try:
            return pipeline.answers(plan.cases[case.id])
        finally:
            pipeline.close()

    def line(self, result: CaseResult) -> str:
        """Return the line of the record for a result."""
        return result_to_line(result, burn_version=DEFAULT.burn, burn_backend=self.selected.settings.burn_backend)

    def close(self) -> None:
        """End every process of this side."""
        if self._pipeline is not None:
            self._pipeline.close()

    def unmatched(self) -> tuple[Expectation, ...]:
        """Return expectations that fit no case although all of their corpus was selected: they are out of date."""
        settings = self.selected.settings
        whole = set(conformance.suites_of(settings.conformance))
        if ALL in (name.lower() for name in settings.models):
            whole.add(zoo.CORPUS)
        if ALL in (name.lower() for name in settings.ops):
            whole.add(generated.CORPUS)
        partial = {zoo.CORPUS, files.CORPUS, generated.CORPUS, *conformance.SUITES} - whole
        if not whole:
            return ()
        ids = [*(case.id for case in self.selected.cases), *self.selected.elsewhere, *self.selected.left_out]
        return tuple(entry for entry in self.selected.expected.unmatched(ids) if not entry.concerns(partial))

    def unused_overrides(self, results: Iterable[CaseResult]) -> tuple[overrides.Override, ...]:
        """Return exceptions from the bounds that no result used although every corpus was selected."""
        settings = self.selected.settings
        everything = set(conformance.suites_of(settings.conformance)) == set(conformance.SUITES)
        if not everything or ALL not in (name.lower() for name in settings.models) or settings.judge is JudgeMode.ONNX:
            return ()
        used = {name for result in results for name in result.details.get("overrides", ())}
        return overrides.unused(overrides.packaged(), used)


def _part_of(cases: tuple[Case, ...], settings: Settings) -> tuple[tuple[Case, ...], Shard | None]:
    if settings.shard is None:
        return cases, None
    index, count = settings.shard
    costs = shards.costs_of(store.read(settings.shard_costs)) if settings.shard_costs else None
    return shards.cut(cases, index, count, costs)


def expected_of(settings: Settings, burn_version: str, burn_backend: str) -> Expectations:
    """Return the packaged expectations of a target, then those of the user's file.

    Raises:
        UsageError: the file cannot be read, or is wrong.
    """
    packaged = expectations.load_packaged(burn_version, burn_backend)
    if settings.expectations is None:
        return Expectations(packaged)
    try:
        text = settings.expectations.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"--burn-expectations: {settings.expectations} cannot be read: {error}"
        raise UsageError(message) from None
    return Expectations(packaged + expectations.parse(text, settings.expectations.name))


def _dump(path: Path, value: Selected | Plan) -> None:
    """Pickle a value for the workers of the same run, who are this very program and read nobody else's files."""
    write_if_changed(path, pickle.dumps(value))


def _load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())
