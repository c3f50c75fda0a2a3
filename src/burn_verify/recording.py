"""The end of a run: its record, and what is told of it.

Measures nothing and decides nothing that the results do not say.
"""

import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from burn_verify import __version__, store
from burn_verify.cache import copy_atomically
from burn_verify.cargo import rustc_version
from burn_verify.codec import environment_line, phases_line, result_from_line, selection_line
from burn_verify.errors import StoreError, UsageError
from burn_verify.expectations import Expectation, expected_reasons
from burn_verify.judge import overrides
from burn_verify.judge.overrides import Override
from burn_verify.options import Settings
from burn_verify.process import output_of
from burn_verify.report.terminal import render_table
from burn_verify.session import Selected, Session
from burn_verify.types import Case, CaseResult, Outcome, Stage
from burn_verify.versions import DEFAULT

LAST_RECORD: Final = "last-run.jsonl"
_SHOWN: Final = 10
"""Expectations out of date that are told one by one."""

_PACKAGES: Final = ("onnx", "onnxruntime", "numpy", "ml_dtypes", "pytest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What is left to tell when a run is over.

    Attributes:
        text: for a person; ends without a newline.
        problems: one line each; any of them fails the run.
        warnings: one line each.
    """

    text: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


class Recorder:
    """Collects the results of a run and writes the record: to the file asked for, and always to the cache.

    A write that fails is told at the end and never fails a run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._results: dict[str, CaseResult] = {}
        self._problem: str | None = None
        # Into the run's own folder first: two runs at once must not mix their lines.
        self._own = session.folder / "record.jsonl"
        asked = session.selected.settings.record
        self._paths = (self._own,) if asked is None else (self._own, asked)
        line = environment_line(environment(session.selected.settings) | _part(session.selected))
        try:
            for path in self._paths:
                store.append(path, [line])
        except StoreError as error:
            # Now it is a mistake to be told at once; once tests run, it is a warning.
            message = f"--burn-record: {error}"
            raise UsageError(message) from error

    def begin(self, cases: Iterable[Case]) -> None:
        """Say which cases are about to be run, so that those of a run that dies are missed."""
        self._write(selection_line(case.id for case in cases))

    def add(self, line: str) -> None:
        """Keep a result, as `Session.line` wrote it."""
        self._write(line)
        result = result_from_line(line)
        self._results[result.case_id] = result

    def note(self, case: Case, outcome: Outcome, message: str) -> None:
        """Keep what became of a case whose test ended without handing over a result."""
        if case.id not in self._results:
            result = CaseResult(
                case_id=case.id,
                corpus=case.corpus,
                stage=Stage.RUN,
                outcome=outcome,
                message=message,
                reason=f"no result: {message.strip().splitlines()[-1]}" if message.strip() else "no result",
                note=case.note,
            )
            self.add(self._session.line(result))

    def close(self, prepared: Iterable[Case], width: int, *, whole: bool, interrupted: bool) -> Closing:
        """End the record and return what to tell.

        Arguments:
            interrupted: the run stopped before its end, so a case without a result never ran.
            prepared: every case that should have a result.
            width: columns of the terminal.
            whole: nothing of the selection was left out, so an expectation that fits nothing is out of date.
        """
        missing = [case for case in prepared if case.id not in self._results]
        if not interrupted:
            # The denominator is every case: one whose process died without a word is a failure, not a gap.
            for case in missing:
                self.note(case, Outcome.FAILED, "the test ended without a word")
        order = {case.id: place for place, case in enumerate(self._session.selected.cases)}
        results = sorted(self._results.values(), key=lambda result: order.get(result.case_id, len(order)))
        self._write(phases_line({name: round(spent, 3) for name, spent in phases(self._session, results).items()}))
        if self._own.is_file():
            copy_atomically(self._own, self._session.cache.root / LAST_RECORD)
        expected = self._session.selected.expected
        lines = [render_table(results, expected_reasons(results, expected), width)] if results else []
        if left_out := self._session.selected.left_out:
            lines.append(
                f"{len(left_out)} more of the zoo were not selected: not in the mirror, not in the cache, no hub"
            )
        if interrupted and missing:
            lines.append(f"stopped early: without a result: {', '.join(case.id for case in missing)}")
        full = whole and not interrupted
        stale = self._session.unmatched() if full else ()
        idle = self._session.unused_overrides(results) if full else ()
        return Closing(
            text="\n".join(lines),
            problems=(*_stale_lines(stale), *_idle_lines(idle)),
            warnings=(self._problem,) if self._problem else (),
        )

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
    """Return seconds by phase: wall time of what is done once, sums over the cases for running and comparing."""
    plan = session.plan
    total = {"collect": session.selected.select_seconds, **(plan.phases if plan else {})}
    for name, part in (("run", "run"), ("judge", "compare")):
        total[name] = sum(result.durations.get(part, 0.0) for result in results)
    return total


def environment(settings: Settings) -> dict[str, Any]:
    """Return everything of this machine and these versions that a result may depend on."""
    return {
        "burn_verify": __version__,
        "burn": DEFAULT.burn,
        "burn_onnx": DEFAULT.burn_onnx,
        "burn_backend": settings.burn_backend,
        "simplify": settings.simplify,
        "partition": settings.partition,
        "rustc": rustc_version(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "threads": os.cpu_count(),
        "commit": _commit(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _part(selected: Selected) -> dict[str, Any]:
    """Return which part of a run this is; empty where it is the whole."""
    return {} if selected.shard is None else {"shard": asdict(selected.shard)}


def _commit() -> str | None:
    """Return the commit of a checkout of this project; a user's own repository around an installation is not it."""
    package = Path(__file__).parent
    said = output_of(["git", "-C", str(package), "rev-parse", "--show-toplevel", "HEAD"]) or ""
    top, _, commit = said.partition("\n")
    return commit if commit and Path(top, "src", package.name) == package else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
