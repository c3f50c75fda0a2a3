"""One shard of a sweep: its models, part by part, through the run that there is; resumed where it stopped."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from burn_verify.cases import manifest, shards
from burn_verify.core.case import Case
from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.options import Settings, options_given
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import environment_line, phases_line, result_to_line, selection_line
from burn_verify.record.costs import costs_of
from burn_verify.record.environment import environment
from burn_verify.record.targets import recorded
from burn_verify.run.every import verified
from burn_verify.run.recorder import Recorder
from burn_verify.run.seams import Seams
from burn_verify.run.session import Session
from burn_verify.run.sweep import journal
from burn_verify.run.sweep.journal import Journal
from burn_verify.system.files import read_json, write_json

JOURNALS: Final = "shards"
_ABOUT: Final = "sweep.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A sweep: every model of a list, on some targets, into a folder.

    Attributes:
        cases: of the whole list, in the order in which they are to be run.
        targets: as a record names them.
        costs: of each case, in any unit; a case without one costs the mean.
        part: models that are verified together.
    """

    settings: Settings
    folder: Path
    cases: tuple[Case, ...]
    targets: tuple[Target, ...]
    costs: Mapping[str, float]
    part: int = journal.PART

    @property
    def journals(self) -> Path:
        """The folder with a journal for each shard."""
        return self.folder / JOURNALS

    def read(self) -> Journal:
        """Read what was done so far."""
        return journal.read(self.journals, self.cases)


def costs(cases: tuple[Case, ...], record: Path | None) -> dict[str, float]:
    """Return the cost of cases: seconds of an earlier record, else what the sizes of their files suggest."""
    return costs_of(store.read_run(record)) if record is not None else manifest.sizes(cases)


def _apart(before: Set[tuple[str, str]], now: Set[tuple[str, str]]) -> str:
    """Return by which options a sweep differs from the folder's: those not said now, and those that are new."""
    lacking = [f"with {flag} {value}" for flag, value in sorted(before - now)]
    flags = {flag for flag, _ in before}
    more = [f"without {flag}" for flag, _ in sorted(now - before) if flag not in flags]
    return " and ".join((*lacking, *more)) or "by another version of burn-verify"


def begin(sweep: Sweep, *, new: bool = True) -> None:
    """Create the folder of a sweep, or check that it is one of the same options.

    Arguments:
        new: it need not be there yet.

    Raises:
        UsageError: it is of a sweep with other options, or of something else, or cannot be written, or is not there.
    """
    if not new and not sweep.journals.is_dir():
        message = f"--out {sweep.folder}: no sweep was begun there: run its shards first, or check the path"
        raise UsageError(message)
    about = {"sweep": 1, "options": [list(pair) for pair in options_given(sweep.settings)]}
    place = sweep.folder / _ABOUT
    found = read_json(place)
    if found is None and sweep.folder.is_dir() and any(sweep.folder.iterdir()) and not sweep.journals.is_dir():
        message = f"--out {sweep.folder}: the folder holds something else than a sweep: name another one"
        raise UsageError(message)
    if found is not None and found != about:
        before = {(flag, value) for flag, value in found.get("options", ())}
        now = set(options_given(sweep.settings))
        message = f"--out {sweep.folder} was begun {_apart(before, now)}: say the same, or name another folder"
        raise UsageError(message)
    try:
        sweep.journals.mkdir(parents=True, exist_ok=True)
        if found is None:
            write_json(place, about)
    except OSError as error:
        message = f"--out {sweep.folder}: cannot be written: {error.strerror or error}"
        raise UsageError(message) from error


def own(sweep: Sweep, index: int, count: int) -> tuple[Case, ...]:
    """Return the cases of a shard, counted from 1."""
    return shards.divide(sweep.cases, index, count, sweep.costs)[0]


def unfinished(sweep: Sweep, count: int) -> list[int]:
    """Return the numbers of the shards in which a model has no result yet; a shard without models is none of them."""
    place = shards.places(sweep.cases, count, sweep.costs)
    return sorted({place[case.id] for case in sweep.read().left(sweep.cases, sweep.targets)})


def run(sweep: Sweep, index: int, count: int, seams: Seams, listen: Listener = silent) -> int:
    """Verify what is left of a shard; return how many models that were.

    Raises:
        ToolchainError: Burn cannot be built or started.
        UsageError: a journal is damaged.
        StoreError: the journal cannot be written: nothing is verified that nobody would know of.
    """
    mine = own(sweep, index, count)
    before = sweep.read()
    left = before.left(mine, sweep.targets)
    given_up = before.exhausted(left)
    path = sweep.journals / f"{index:04}-of-{count:04}.jsonl"
    if given_up:
        _give_up(given_up, sweep, path)
    ids = {case.id for case in given_up}
    todo = [case for case in left if case.id not in ids]
    done = len(mine) - len(todo)
    for part in before.parts(todo, sweep.part):
        listen(Progress(phase="sweep", done=done, total=len(mine), text=part[0].id))
        _part(part, replace(sweep.settings, models=(), shard=None, shard_costs=None, record=path), seams, listen)
        done += len(part)
    return len(todo)


def _part(cases: Sequence[Case], settings: Settings, seams: Seams, listen: Listener) -> None:
    """Verify some models as one run, whose record is appended to the journal."""
    session = Session.open(settings, listen, seams=seams, cases=cases)
    recorder = Recorder(session)
    trials = session.selected.trials
    recorder.begin(trials)
    interrupted = True
    try:
        for _ in verified(session, recorder, listen):
            pass
        interrupted = False
    finally:
        session.close()
        closing = recorder.close(trials, 80, whole=False, interrupted=interrupted)
    if closing.warnings:
        raise StoreError(closing.warnings[0])


def _give_up(cases: Iterable[Case], sweep: Sweep, path: Path) -> None:
    """Record cases as failed whose process died again and again; a crash is a result, not a gap."""
    message = f"the process that verified this model alone died {journal.ENOUGH} times"
    lost = [
        CaseResult(
            case_id=case.id,
            corpus=case.corpus,
            stage=Stage.RUN,
            outcome=Outcome.FAILED,
            message=message,
            reason="no result: the process died",
            failure=FailureKind.NO_RESULT,
        )
        for case in cases
    ]
    store.append(
        path,
        [
            environment_line(environment(sweep.targets)),
            selection_line(one.case_id for one in lost),
            *(result_to_line(one, target) for one in lost for target in sweep.targets),
            phases_line({"collect": 0.0}),
        ],
    )


def as_recorded(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Return targets as a record names them."""
    return tuple(map(recorded, targets))
