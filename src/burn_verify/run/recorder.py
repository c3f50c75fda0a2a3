"""The end of a run: its record and its report.

Measures nothing; every decision follows from the results.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from burn_verify.burn.codegen import LATENCY, LATENCY_PROFILE
from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.result import CaseResult, Difference
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target, Trial
from burn_verify.expectations.match import Expectation, expected_reasons
from burn_verify.judge import overrides
from burn_verify.judge.overrides import Override
from burn_verify.record import store
from burn_verify.record.codec import (
    Record,
    difference_line,
    environment_line,
    failure_line,
    phases_line,
    result_and_target,
    selection_line,
)
from burn_verify.record.environment import environment
from burn_verify.record.targets import recorded
from burn_verify.report.summary import changes
from burn_verify.report.summary.columns import Column
from burn_verify.report.views import latency, samples, side_by_side, tasks
from burn_verify.report.views.terminal import render_table
from burn_verify.run.selected import Selected
from burn_verify.run.session import Session
from burn_verify.system.files import copy_atomically

LAST_RECORD: Final = "last-run.jsonl"
_SHOWN: Final = 10
"""Maximum number of outdated expectations that are listed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The report at the end of a run.

    Attributes:
        text: the report for the user, without a final newline.
        not_run: targets that could not be built or started, one line each; the run ends with a toolchain failure.
        problems: one line each; any of them fails the run.
        warnings: one line each.
        misused: whether a case ended since what the user said about its model is wrong: the run ends as with a wrong
            option.
    """

    text: str
    not_run: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    misused: bool = False


class Recorder:
    """Collects the results of a run and writes the record: to the file in the settings, and always to the cache.

    A failed write is reported at the end and never fails a run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._targets = {recorded(asked.target): asked.target for asked in session.selected.targets}
        self._results: dict[Target, dict[str, CaseResult]] = {target: {} for target in self._targets.values()}
        self._differences: tuple[Difference, ...] = ()
        self._problem: str | None = None
        # Written to the run's own folder first, so that concurrent runs do not mix their lines.
        self._own = session.folder / "record.jsonl"
        asked = session.selected.settings.record
        self._paths = (self._own,) if asked is None else (self._own, asked)
        found = environment(tuple(self._results)) | _timing(session.selected.settings) | _part(session.selected)
        line = environment_line(found)
        try:
            for path in self._paths:
                store.require_record(path)
            for path in self._paths:
                store.append(path, [line])
        except (StoreError, UsageError) as error:
            # Before the tests, an invalid path is a usage error; after they have started, it is a warning.
            message = f"--burn-record: {error}"
            raise UsageError(message) from error

    def begin(self, trials: Iterable[Trial]) -> None:
        """Write the trials that will be run, so that the record of a crashed run shows the missing ones."""
        ids: dict[Target, list[str]] = {target: [] for target in self._results}
        for trial in trials:
            ids[trial.target].append(trial.case.id)
        every = list(dict.fromkeys(case_id for some in ids.values() for case_id in some))
        alike = all(some == every for some in ids.values())
        self._write(selection_line(every, () if alike else ids.values()))

    def prepared(self, error: Exception | None = None) -> None:
        """Record the targets that could not be built or started: one outcome each, for any number of cases.

        Arguments:
            error: the reason, where no target could be built and started.
        """
        for target in self._results:
            if why := str(error) if error else self._session.failure(target):
                self._write(failure_line(target, why))

    def add(self, line: str) -> None:
        """Add a result, in the format of `Session.line`."""
        self._write(line)
        result, target = result_and_target(line)
        self._results[self._targets[target]][result.case_id] = result

    def note(self, trial: Trial, outcome: Outcome, message: str) -> None:
        """Add the outcome of a case whose test ended without a result, unless its target could not be started."""
        case = trial.case
        if case.id not in self._results[trial.target] and not self._session.failure(trial.target):
            result = CaseResult(
                case_id=case.id,
                corpus=case.corpus,
                stage=Stage.RUN,
                outcome=outcome,
                message=message,
                reason=f"no result: {message.strip().splitlines()[-1]}" if message.strip() else "no result",
                note=case.note,
                failure=FailureKind.NO_RESULT if outcome is Outcome.FAILED else None,
            )
            self.add(self._session.line(result, trial.target))

    def close(self, prepared: Iterable[Trial], width: int, *, whole: bool, interrupted: bool) -> Closing:
        """End the record and return the report.

        Arguments:
            interrupted: the run stopped before its end, so a case without a result never ran.
            prepared: all trials that should have a result.
            width: columns of the terminal.
            whole: whether all of the selection was run, so that an expectation without a match is out of date.
        """
        failures = {target: why for target in self._results if (why := self._session.failure(target))}
        missing = [
            trial
            for trial in prepared
            if trial.target not in failures and trial.case.id not in self._results[trial.target]
        ]
        if not interrupted:
            # Every case counts: a case whose process died without a result is a failure, not a gap in the record.
            for trial in missing:
                self.note(trial, Outcome.FAILED, "the test ended without a word")
        results = [result for found in self._results.values() for result in found.values()]
        if len(self._results) > 1:
            self._differences = self._session.differences()
            for difference in self._differences:
                self._write(difference_line(difference))
        self._write(phases_line({name: round(spent, 3) for name, spent in phases(self._session, results).items()}))
        if self._own.is_file():
            try:
                copy_atomically(self._own, self._session.cache.root / LAST_RECORD)
            except OSError as error:
                self._problem = self._problem or f"burn-verify report --last will not know this run: {error}"
        lines = [self._table(prepared, width)] if results else []
        if of_samples := samples.as_text(results):
            lines.append(of_samples)
        if of_tasks := tasks.as_text(results):
            lines.append(of_tasks)
        for target, found in self._results.items():
            if timed := latency.as_text(tuple(found.values())):
                lines += [*([f"\n{target.label}"] if len(self._results) > 1 else []), f"\n{timed}\n"]
        if left_out := self._session.selected.left_out:
            lines.append(
                f"{len(left_out)} more of the zoo were not selected: not in the mirror, not in the cache, no hub"
            )
        if alike := self._session.selected.alike:
            lines.append(f"{len(alike)} more are the same program with every checkout: they were not run")
        if interrupted and missing:
            ids = {test_id for test_id, trial in self._session.selected.by_test_id.items() if trial in set(missing)}
            lines.append(f"stopped early: without a result: {', '.join(sorted(ids))}")
        full = whole and not interrupted
        stale = self._session.unmatched() if full else ()
        idle = self._session.unused_overrides(results) if full else ()
        return Closing(
            text="\n".join(lines),
            not_run=tuple(f"{target.label} was not run: {why}" for target, why in failures.items()),
            problems=(*_stale_lines(stale), *_idle_lines(idle)),
            warnings=(self._problem,) if self._problem else (),
            misused=any(result.failure is FailureKind.USAGE for result in results),
        )

    def _table(self, prepared: Iterable[Trial], width: int) -> str:
        """Render the results: one row per case and, for several targets, one column per target."""
        selected = self._session.selected
        order = {case.id: place for place, case in enumerate(selected.cases)}
        results = {
            target: sorted(found.values(), key=lambda result: order.get(result.case_id, len(order)))
            for target, found in self._results.items()
        }
        expected = [expected_reasons(results[target], selected.expectations_of(target)) for target in results]
        if len(results) == 1:
            ((_, only),) = results.items()
            return render_table(only, expected[0], width)
        wanted: dict[Target, list[str]] = {target: [] for target in results}
        for trial in prepared:
            wanted[trial.target].append(trial.case.id)
        columns = [
            Column(
                target=target,
                record=Record(
                    results=tuple(found),
                    target=target,
                    differences=tuple(one for one in self._differences if one.after == target),
                ),
                missing=tuple(case_id for case_id in wanted[target] if case_id not in self._results[target]),
                failure=self._session.failure(target),
            )
            for target, found in results.items()
        ]
        return side_by_side.render(columns, expected, changes.between(columns), width)

    def _write(self, line: str) -> None:
        for path in self._paths:
            try:
                store.append(path, [line])
            except StoreError as error:
                self._problem = self._problem or str(error)


def _stale_lines(stale: Sequence[Expectation]) -> Iterator[str]:
    for entry in stale[:_SHOWN]:
        yield f"{entry.source}:{entry.line}: {entry.pattern!r} fits no case: delete the entry"
    if len(stale) > _SHOWN:
        yield f"{len(stale) - _SHOWN} more expectations fit no case: delete their entries"


def _idle_lines(idle: Sequence[Override]) -> Iterator[str]:
    for override in idle:
        yield f"{overrides.FILE}: nothing used the exception {override.name!r}: delete it"


def phases(session: Session, results: Sequence[CaseResult]) -> dict[str, float]:
    """Return seconds by phase: wall time of phases that run once, sums over the cases for running and comparing."""
    plan = next(iter(session.plans.values()), None)
    total = {"collect": session.selected.select_seconds, **(plan.phases if plan else {})}
    for name, part in (("run", "run"), ("judge", "compare")):
        total[name] = sum(result.durations.get(part, 0.0) for result in results)
    return total


def _timing(settings: Settings) -> dict[str, Any]:
    """Return the timing parameters; empty where calls are not timed."""
    if not settings.latency:
        return {}
    return {"latency": {"threads": settings.timing_threads, "profile": LATENCY, **LATENCY_PROFILE}}


def _part(selected: Selected) -> dict[str, Any]:
    """Return the shard of this run, and how many cases are the same program with every checkout."""
    shard = {} if selected.shard is None else {"shard": asdict(selected.shard)}
    # With no checkouts compared, nothing is said; with some, also where every case was run.
    return shard | ({"alike": len(selected.alike)} if selected.settings.only_changed else {})
