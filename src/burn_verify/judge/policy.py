"""The verdict over one data set by evidence: structure, then numbers against the best available reference.

The order is that of docs/numerics.md. Defines no tolerance itself.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Guilty, JudgeMode, Mismatch, OutputMetrics, Verdict, VerdictName
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.allowance import Allowance, allowance_of, equal_to, shaped_as
from burn_verify.judge.discrete import rule_for
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.fixed import WORST_FIRST, check_names, judge, where_of
from burn_verify.judge.metrics import is_float, widened
from burn_verify.judge.numbers import difference_text, incomparable, measure
from burn_verify.judge.overrides import Override
from burn_verify.judge.own import tolerance_of, weighed_by
from burn_verify.judge.structure import Problem, Words, count_problem, structural_problem
from burn_verify.judge.task_metrics import least_iou, top_agreement
from burn_verify.judge.tolerance import Bound
from burn_verify.judge.tolerated import Question, by_position, by_tolerance, rules_of
from burn_verify.judge.weigh import Weighed, weigh

Array = npt.NDArray[Any]

INSENSITIVE: Final = VerdictName.INSENSITIVE
_CLASSES: Final = 10
"""Minimum number of columns for a matrix of floats to be interpreted as class scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides whether outputs agree.

    Attributes:
        overrides: exceptions; the first that applies is used.
        burn_backend: the Burn backend, which exceptions may depend on.
    """

    mode: JudgeMode = JudgeMode.DEFAULT
    overrides: tuple[Override, ...] = ()
    burn_backend: str = ""

    def verdict(
        self, subject: Question, names: Sequence[str], actual: Sequence[Array], evidence: Evidence, data_set: str
    ) -> Verdict:
        """Compare the actual outputs with the evidence, output by output in the order of the graph.

        Args:
            subject: the case that is judged.
            names: names of the outputs.
            actual: arrays of any dtype and shape.
            evidence: the evidence of this data set.
            data_set: stored in the metrics; named in the message unless it is ``seeded``.

        Raises:
            ValueError: `names` and the desired outputs differ in length.
        """
        if self.mode is JudgeMode.ONNX:
            return by_tolerance(subject, names, actual, evidence, data_set)
        if subject.random:
            drawn = by_tolerance(replace(subject, steady=()), names, actual, evidence, data_set)
            return _with_steady(self, drawn, subject, names, actual, evidence, data_set) if drawn.passes else drawn
        return _by_evidence(self, subject, names, actual, evidence, data_set)

    def passing(
        self, subject: Question, names: Sequence[str], answers: Sequence[Array], evidence: Evidence
    ) -> tuple[bool, ...]:
        """Return, for each output, whether the given arrays would pass; arguments as for `verdict`."""
        if self.mode is JudgeMode.ONNX:
            alone = zip(names, answers, evidence.desired, strict=True)
            rules = rules_of(subject)
            return tuple(judge([name], [came], [wanted], "", "", **rules).passes for name, came, wanted in alone)
        if (found := _discrete(names, answers, evidence, "")) is not None:
            return (found.passes,) * len(names)
        return tuple(_passes(self, subject, place, name, answers, evidence) for place, name in enumerate(names))

    def allowances(
        self, subject: Question, names: Sequence[str], actual: Sequence[Array], evidence: Evidence
    ) -> tuple[Allowance, ...]:
        """Return what is allowed for each output, given outputs that passed; arguments as for `verdict`."""
        if not subject.random and _discrete(names, actual, evidence, "") is not None:
            return tuple(equal_to(answer) for answer in actual)
        return tuple(
            shaped_as(actual[place])
            if subject.random and name not in subject.steady
            else allowance_of(actual[place], _weighed(self, subject, place, name, actual[place], evidence)[0])
            for place, name in enumerate(names)
        )

    def override(self, subject: Question, evidence: Evidence, output: str, dtype: str) -> Override | None:
        """Return the exception for an output, None where there is none."""
        lone = evidence.measured.lone
        return next(
            (
                override
                for override in self.overrides
                if override.fits(
                    op_type="" if lone is None else lone.facts.op_type,
                    case=subject.case_id,
                    output=output,
                    dtype=dtype,
                    burn_backend=self.burn_backend,
                )
            ),
            None,
        )


def used_overrides(metrics: Iterable[OutputMetrics], overrides: Iterable[Override]) -> list[str]:
    """Return the names of exceptions that were applied to outputs, in the order of the file."""
    used = {entry.override for entry in metrics}
    return [override.name for override in overrides if override.name in used]


def insensitive(verdict: Verdict, why: str) -> Verdict:
    """Return the verdict over a case whose reference cannot distinguish a correct program from an incorrect one."""
    if not why or not verdict.passes:
        return verdict
    return replace(verdict, name=INSENSITIVE, message="", reason=f"{INSENSITIVE}: {why}")


def _by_evidence(
    rules: Judge,
    subject: Question,
    names: Sequence[str],
    actual: Sequence[Array],
    evidence: Evidence,
    data_set: str,
) -> Verdict:
    desired = evidence.desired
    check_names(names, desired)
    where = where_of(subject.case_id, data_set)
    if (problem := count_problem(len(actual), len(desired))) is not None:
        return Verdict(
            name=VerdictName.DISAGREES,
            message=f"{problem.words}, {VerdictName.DISAGREES}, guilty: {Guilty.BURN} [{where}]",
            reason=problem.kind.value,
            mismatch=problem.kind,
            metrics=tuple(
                incomparable(name, wanted, problem.kind, data_set) for name, wanted in zip(names, desired, strict=True)
            ),
            guilty=Guilty.BURN,
            difference=problem.words.neutral,
        )
    found = [_output(rules, subject, place, names[place], actual, evidence, data_set) for place in range(len(names))]
    if not found:
        return Verdict(name=VerdictName.AGREES, message="", metrics=())
    if (verdict := _discrete(names, actual, evidence, where)) is not None:
        metrics = tuple(replace(one.metrics, guilty=verdict.guilty) for one in found)
        if all(one.metrics.problem is None for one in found):
            return replace(verdict, metrics=metrics)
    return _of_worst(_worst(found), tuple(one.metrics for one in found), where)


def _with_steady(
    rules: Judge,
    drawn: Verdict,
    subject: Question,
    names: Sequence[str],
    actual: Sequence[Array],
    evidence: Evidence,
    data_set: str,
) -> Verdict:
    """Judge the outputs of a random model that are not random, and return the verdict over all of them."""
    found = {
        place: _output(rules, subject, place, name, actual, evidence, data_set)
        for place, name in enumerate(names)
        if name in subject.steady
    }
    if not found:
        return drawn
    metrics = tuple(found[place].metrics if place in found else one for place, one in enumerate(drawn.metrics))
    worst = _worst(found.values())
    if worst.name is not VerdictName.DISAGREES:
        return replace(drawn, metrics=metrics)
    return _of_worst(worst, metrics, where_of(subject.case_id, data_set))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """The verdict over one output."""

    name: VerdictName
    text: str = ""
    mismatch: Mismatch | None = None
    guilty: Guilty = Guilty.NONE
    difference: str = ""
    metrics: OutputMetrics


def _worst(found: Iterable[_Judged]) -> _Judged:
    return min(found, key=lambda one: WORST_FIRST.index(one.name))


def _of_worst(worst: _Judged, metrics: tuple[OutputMetrics, ...], where: str) -> Verdict:
    """Return the verdict over all outputs, which is that over the worst of them."""
    return Verdict(
        name=worst.name,
        message=f"{worst.text} [{where}]" if worst.text else "",
        reason="" if worst.mismatch is None else worst.mismatch.value,
        mismatch=worst.mismatch,
        metrics=metrics,
        guilty=worst.guilty,
        difference=worst.difference,
    )


def _passes(
    rules: Judge, subject: Question, place: int, name: str, answers: Sequence[Array], evidence: Evidence
) -> bool:
    """Return whether one output would pass, without generating a message."""
    came, wanted = answers[place], evidence.desired[place]
    problem = structural_problem(came, wanted, exact=False)
    if problem is not None and not problem.comparable:
        return False
    _, verdict = _weighed(rules, subject, place, name, came, evidence)
    return verdict != VerdictName.DISAGREES


def _weighed(
    rules: Judge, subject: Question, place: int, name: str, came: Array, evidence: Evidence
) -> tuple[Weighed, VerdictName]:
    if (own := tolerance_of(name, subject.own)) is not None:
        weighed = weighed_by(own, place, came, evidence)
        return weighed, weighed.name
    override = rules.override(subject, evidence, name, dtype_name(evidence.desired[place].dtype))
    weighed = weigh(place, came, evidence, widen=lambda bound: _widened(bound, override))
    return (
        weighed,
        VerdictName.DISAGREES if weighed.name == VerdictName.LOOSE and rules.mode is JudgeMode.STRICT else weighed.name,
    )


def _output(
    rules: Judge,
    subject: Question,
    place: int,
    name: str,
    actual: Sequence[Array],
    evidence: Evidence,
    data_set: str,
) -> _Judged:
    """Judge one output: first the structure, which has to be exact in any arithmetic, then the numbers."""
    came, wanted = actual[place], evidence.desired[place]
    problem = structural_problem(came, wanted, exact=False)
    if problem is not None and not problem.comparable:
        guilty = _structurally_guilty(place, wanted, evidence)
        text = f"{name}: {problem.words}, {VerdictName.DISAGREES}, guilty: {guilty}"
        return _Judged(
            name=VerdictName.DISAGREES,
            text=text,
            mismatch=problem.kind,
            guilty=guilty,
            difference=f"{name}: {problem.words.neutral}",
            metrics=replace(incomparable(name, wanted, problem.kind, data_set), guilty=guilty),
        )
    weighed, verdict = _weighed(rules, subject, place, name, came, evidence)
    metrics = _with_evidence(measure(name, came, wanted, weighed.bad, data_set), weighed, came, wanted, evidence)
    if verdict == VerdictName.AGREES:
        return _Judged(name=verdict, metrics=metrics)
    words = _words(came, wanted, weighed, problem)
    return _Judged(
        name=verdict,
        text=f"{name}: {', '.join([str(words), *_judgement(weighed, verdict, words)])}",
        mismatch=Mismatch.VALUES if verdict is VerdictName.DISAGREES else None,
        guilty=weighed.guilty,
        difference=f"{name}: {words.neutral}",
        metrics=metrics,
    )


def _words(came: Array, wanted: Array, weighed: Weighed, problem: Problem | None) -> Words:
    """Describe how the numbers differ, and the bound."""
    bound = f"bound {weighed.yardstick.bound.text}"
    if not weighed.bad.any():
        return Words(bound)
    if problem is not None and is_float(wanted.dtype):
        return problem.words
    return Words(difference_text(came, wanted, weighed.bad, bound))


def _judgement(weighed: Weighed, verdict: VerdictName, words: Words) -> Iterator[str]:
    """Yield the parts of a judgement; headroom and origin are omitted for NaN and infinities: they have no error."""
    if not words.expected:
        yield from (weighed.text,) if weighed.bad.any() and weighed.text else ()
        yield f"against {weighed.yardstick.name}"
    yield verdict
    if weighed.guilty:
        yield f"guilty: {weighed.guilty}"


def _with_evidence(
    metrics: OutputMetrics, weighed: Weighed, came: Array, wanted: Array, evidence: Evidence
) -> OutputMetrics:
    bounded = weighed.yardstick.bound.limit is not None and is_float(wanted.dtype)
    of_model = evidence.measured.lone is None and is_float(wanted.dtype)
    ranked = of_model and wanted.ndim == 2 and wanted.shape[-1] >= _CLASSES
    boxes = of_model and "box" in metrics.name.lower() and wanted.shape[-1:] == (4,)
    return replace(
        metrics,
        headroom=_headroom(came, wanted, weighed) if bounded else None,
        oracle_headroom=weighed.oracle_headroom if bounded else None,
        rounding_share=weighed.share,
        bound=weighed.yardstick.bound.text,
        reference=weighed.yardstick.name,
        guilty=weighed.guilty,
        override=weighed.yardstick.bound.override,
        metrics={
            **({"top1": top_agreement(came, wanted, 1), "top5": top_agreement(came, wanted, 5)} if ranked else {}),
            **({"iou": least_iou(came, wanted)} if boxes else {}),
        },
    )


@np.errstate(all="ignore")
def _headroom(came: Array, wanted: Array, weighed: Weighed) -> float | None:
    """Return the greatest error in units of the bound, or infinity.

    The result is infinite where a NaN or an infinity is wrong: such an element is outside of any bound.
    """
    special = weighed.bad & ~(np.isfinite(widened(came)) & np.isfinite(widened(wanted)))
    return math.inf if special.any() else weighed.headroom


def _discrete(names: Sequence[str], actual: Sequence[Array], evidence: Evidence, where: str) -> Verdict | None:
    """Return the verdict, without metrics, over an operator whose integers need not be equal; None for any other."""
    lone = evidence.measured.lone
    rule = None if lone is None else rule_for(lone.facts, evidence.measured.quotient)
    if lone is None or rule is None or None in lone.gives:
        return None
    inputs = lone.inputs(evidence.inputs)
    desired = by_position(lone, evidence.desired)
    try:
        words = rule(lone.facts, inputs, by_position(lone, actual), desired)
    except ValueError:
        # An input is a large constant of the model. Its value is not stored, so the rule cannot be applied.
        return None
    runtime = evidence.runtime
    fits = runtime is None or rule(lone.facts, inputs, by_position(lone, runtime), desired) is None
    if words is None and fits:
        return Verdict(name=VerdictName.AGREES, message="", metrics=())
    # An error of ONNX Runtime alone is grouped with other wrong values.
    reason = Mismatch.VALUES.value
    if words is None:
        message = f"{names[0]}: {VerdictName.ORACLE_DISAGREES}, guilty: {evidence.program} [{where}]"
        return Verdict(
            name=VerdictName.ORACLE_DISAGREES, message=message, reason=reason, metrics=(), guilty=evidence.program
        )
    guilty = Guilty.UNKNOWN if evidence.stored is None else Guilty.BURN if fits else Guilty.BOTH
    return Verdict(
        name=VerdictName.DISAGREES,
        message=f"{names[0]}: {words}, {VerdictName.DISAGREES}, guilty: {guilty} [{where}]",
        reason=reason,
        mismatch=Mismatch.VALUES,
        metrics=(),
        guilty=guilty,
        difference=f"{names[0]}: {words.neutral}",
    )


def _structurally_guilty(place: int, wanted: Array, evidence: Evidence) -> Guilty:
    """Return which program is wrong where dtype or shape is not the expected one."""
    runtime = evidence.runtime
    if evidence.stored is None or runtime is None or place >= len(runtime):
        return Guilty.BURN
    alike = runtime[place].shape == wanted.shape and dtype_name(runtime[place].dtype) == dtype_name(wanted.dtype)
    return Guilty.BURN if alike else Guilty.BOTH


def _widened(bound: Bound, override: Override | None) -> Bound:
    if override is None or bound.limit is None:
        return bound
    text = f"{bound.text} · {override.factor:g} (override {override.name})"
    return replace(bound.times(override.factor, ""), text=text, override=override.name)
