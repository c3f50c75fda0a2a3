"""The round trip of many cases, and whose fault those are that fail: built once, run, written as ONNX, run again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from burn_verify.core.case import Case
from burn_verify.core.located import Fault
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.run.fault import Other, Trip, decided
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.results import Verified
from burn_verify.run.round_trip import Travelled, trips
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Ready
from burn_verify.run.whose import same_on
from burn_verify.system.cache import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A case after its round trip.

    Attributes:
        trip: None where it does not run at all.
        fault: None where it passes.
    """

    result: CaseResult
    trip: Trip | None = None
    other: Other | None = None
    fault: Fault | None = None

    @property
    def line(self) -> dict[str, Any]:
        """What is kept of it, as JSON values."""
        result, other = self.result, self.other
        return {
            "case": result.case_id,
            "corpus": result.corpus,
            "op_types": list(result.op_types),
            "stage": result.stage,
            "outcome": result.outcome,
            "failure": result.failure,
            "reason": result.reason,
            "trip": None if self.trip is None else asdict(self.trip),
            "other": None
            if other is None
            else {
                "backend": other.backend,
                "stage": other.result.stage,
                "outcome": other.result.outcome,
                "reason": other.result.reason,
                "alike": other.alike,
            },
            "fault": None if self.fault is None else asdict(self.fault),
        }


def rounds(
    cases: Sequence[Case],
    settings: Settings,
    cache: Cache,
    *,
    listen: Listener,
    seams: Seams,
    target: Target,
    other: Target | None = None,
) -> list[Round]:
    """Return cases after their round trip.

    Arguments:
        other: another backend, on which those that fail are run too; None for none.

    Raises:
        ToolchainError: nothing could be built, for a reason outside the cases.
    """
    found = ran(cases, settings, cache, listen=listen, seams=seams, target=target)
    return told(found, cases, settings, cache, listen=listen, seams=seams, target=target, other=other)


def told(
    found: Mapping[str, Travelled | Verified],
    cases: Sequence[Case],
    settings: Settings,
    cache: Cache,
    *,
    listen: Listener,
    seams: Seams,
    target: Target,
    other: Target | None = None,
) -> list[Round]:
    """Return cases that were run, after their round trip; the arguments are those of `rounds`.

    Arguments:
        found: how they ran, by id.
    """
    steps = {case_id: one for case_id, one in found.items() if isinstance(one, Travelled)}
    made = _trips(steps, settings, cache, listen, seams, target)
    failing = [case for case in cases if case.id in steps and _fails(steps[case.id].verified.result)]
    others = {}
    if other is not None and failing:
        elsewhere = ran(failing, settings, cache, listen=listen, seams=seams, target=other)
        others = {case.id: _other(other.backend, steps[case.id], elsewhere[case.id]) for case in failing}
    results = {case_id: _result(one) for case_id, one in found.items()}
    return [
        Round(result=one, trip=made.get(name), other=others.get(name), fault=_fault(one, name, others, made))
        for name, one in results.items()
    ]


def _fault(result: CaseResult, case_id: str, others: dict[str, Other], made: dict[str, Trip]) -> Fault | None:
    if result.outcome is not Outcome.FAILED:
        return None
    return decided(result, others.get(case_id), made.get(case_id))


def _fails(result: CaseResult) -> bool:
    return result.outcome is Outcome.FAILED and result.stage in (Stage.RUN, Stage.COMPARE)


def _result(one: Travelled | Verified) -> CaseResult:
    return one.verified.result if isinstance(one, Travelled) else one.result


def ran(
    cases: Sequence[Case], settings: Settings, cache: Cache, *, listen: Listener, seams: Seams, target: Target
) -> dict[str, Travelled | Verified]:
    """Build and run cases; return them by id, those that cannot be run without their step.

    Raises:
        ToolchainError: nothing could be built, for a reason outside the cases.
    """
    pipeline = Pipeline(settings, cache, listen, engine=seams.engine, builder=seams.builder)
    found: dict[str, Travelled | Verified] = {}
    try:
        plan = pipeline.prepare(cases, target)
        for place, (case_id, step) in enumerate(plan.cases.items()):
            listen(Progress(phase="verify", done=place, total=len(plan.cases), text=case_id))
            verified = pipeline.verify(step, keep=True)
            found[case_id] = Travelled(step=step, verified=verified) if isinstance(step, Ready) else verified
    finally:
        pipeline.close()
    return found


def _trips(
    steps: dict[str, Travelled], settings: Settings, cache: Cache, listen: Listener, seams: Seams, target: Target
) -> dict[str, Trip]:
    if not steps:
        return {}
    pipeline = Pipeline(settings, cache, listen, engine=seams.engine, builder=seams.builder)
    engine = seams.engine(cache, settings.timeout, memory_limit=settings.memory_limit)
    exporter = seams.exporter(cache, settings, listen, target.burn)
    try:
        return dict(trips(steps, exporter, engine, lambda step, answers: pipeline.judged(step, answers, target)))
    finally:
        engine.close()
        pipeline.close()


def _other(backend: str, one: Travelled, other: Travelled | Verified) -> Other:
    verified = other.verified if isinstance(other, Travelled) else other
    both = [name for name in one.verified.outputs if name in verified.outputs]
    alike = same_on(both, one.verified, verified, one.step) if both else None
    return Other(backend=backend, result=verified.result, alike=alike)
