"""A test evaluates its model too: the result has metrics, flips and pictures, and fails where the task got worse."""

import base64
from dataclasses import replace
from typing import Any, Final

from burn_verify.core.errors import OracleError, StageError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.reference.engine import Engine
from burn_verify.report.views.drawn import pictured
from burn_verify.report.views.evaluation import EVALUATION, comparison_json, evaluated_json
from burn_verify.run.evaluate.evaluation import (
    Evaluation,
    Subject,
    Wish,
    by_burn,
    by_engine,
    check_limits,
    check_usable,
    doubts,
    subject_of,
)
from burn_verify.run.evaluate.written import panels_of
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Built
from burn_verify.system.cache import Cache
from burn_verify.task.detection import Detecting
from burn_verify.task.evaluated import Comparison, Evaluated, compared

_NAMED: Final = 20
"""The greatest number of lines and flips that a record holds."""
_PICTURES: Final = 2


class Alongside:
    """Evaluates built cases of a run; the engine answers once for all targets.

    Arguments:
        settings: name the data, the task and the limits.
    """

    def __init__(self, settings: Settings, cache: Cache, seams: Seams) -> None:
        assert settings.evaluate is not None
        self._settings = settings
        self._cache = cache
        self._seams = seams
        self._engine: Engine | None = None
        self._known: dict[str, tuple[Subject, Evaluated]] = {}
        self._wish = Wish(data=settings.evaluate, task=settings.task, max_drop=settings.limits)

    def with_task(
        self, built: Built, target: Target, result: CaseResult, run: Pipeline, listen: Listener
    ) -> CaseResult:
        """Return a result with its evaluation; a pass is a failure where the task got worse.

        Arguments:
            run: the pipeline that runs the built case.
        """
        try:
            subject, before = self._reference(built, listen)
            check_usable(before, subject.task)
            check_limits(self._wish.max_drop, before)
            after = by_burn(subject, built, target, run, listen)
        except UsageError as error:
            return _failed(result, Stage.LOAD, FailureKind.USAGE, f"evaluation: {error}", "wrong data")
        except OracleError as error:
            return _failed(result, Stage.REFERENCE, error.kind, f"evaluation: {error.message}", error.reason)
        except StageError as error:
            return _failed(result, error.stage, error.kind, f"evaluation: {error.message}", error.reason)
        compare = compared(before, after, subject.task, limits=self._wish.max_drop, seed=self._wish.seed)
        said = _said(subject, before, after, compare)
        found = replace(result, details={**result.details, EVALUATION: said})
        if compare.passes:
            return found
        why = f"evaluation of {subject.task.name}: {'; '.join(compare.exceeded)}"
        return _failed(found, Stage.COMPARE, FailureKind.MISMATCH, why, f"{subject.task.name} got worse")

    def close(self) -> None:
        """Terminate the engine."""
        if self._engine is not None:
            self._engine.close()

    def _reference(self, built: Built, listen: Listener) -> tuple[Subject, Evaluated]:
        key = built.case.id
        if key not in self._known:
            subject = subject_of(built.prepared, self._wish, key.rpartition("/")[2])
            if self._engine is None:
                given = self._settings
                self._engine = self._seams.engine(self._cache, given.timeout, memory_limit=given.memory_limit)
            self._known[key] = subject, by_engine(subject, self._engine, listen)
        return self._known[key]


def _failed(result: CaseResult, stage: Stage, kind: FailureKind, message: str, reason: str) -> CaseResult:
    """Return a result that failed; one that failed already stays as it is."""
    if result.outcome is not Outcome.PASSED:
        return result
    return replace(result, outcome=Outcome.FAILED, stage=stage, failure=kind, message=message, reason=reason)


def _said(subject: Subject, before: Evaluated, after: Evaluated, compare: Comparison) -> dict[str, Any]:
    """Return the field of the record; JSON values only."""
    found = comparison_json(compare)
    if (flips := found["flips"]) is not None:
        flips["decisions"], flips["samples"] = flips["decisions"][:_NAMED], flips["samples"][:_NAMED]
    sides = [evaluated_json(one) for one in (before, after)]
    for side in sides:
        side.pop("details")
        side["unreadable"], side["unanswered"] = side["unreadable"][:_NAMED], side["unanswered"][:_NAMED]
    return {
        "task": subject.task.name,
        "dataset": {
            "name": subject.data.name,
            "digest": subject.digest,
            "unreadable": len(after.unreadable),
            "doubts": list(doubts(subject, before)),
        },
        "evaluations": sides,
        "comparison": found,
        "pictures": _pictures(subject, before, after, compare),
    }


def _pictures(subject: Subject, before: Evaluated, after: Evaluated, compare: Comparison) -> list[dict[str, str]]:
    """Return the images on which both differ most, small, as JPEG in base64; only of detections."""
    if not isinstance(subject.task, Detecting):
        return []
    whole = Evaluation(subject=subject, evaluated=(before, after), baselines=(), comparisons=(compare,))
    found = []
    for entry, panels in panels_of(whole, after, subject.task)[:_PICTURES]:
        if data := pictured(entry, panels):
            found.append({"sample": entry.name, "jpeg": base64.b64encode(data).decode("ascii")})
    return found
