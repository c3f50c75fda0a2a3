"""The verdict over one data set by a fixed tolerance, and by statistical tests for random outputs.

Defines no tolerance itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from burn_verify.core.case import OutputTolerance, Tolerance
from burn_verify.core.result import Guilty, Mismatch, Verdict, VerdictName
from burn_verify.judge import chance
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.facts import LoneNode
from burn_verify.judge.fixed import judge, judge_random, where_of
from burn_verify.judge.tolerance import BoundRule, within

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The case that is judged.

    Attributes:
        random: whether an output depends on random numbers.
        steady: the outputs of a random model that do not.
        tolerance: the tolerance of the corpus, where it defines one.
        own: what the user allows, by output.
    """

    case_id: str
    random: bool = False
    steady: tuple[str, ...] = ()
    tolerance: Tolerance | None = None
    own: tuple[OutputTolerance, ...] = ()


def rules_of(subject: Question) -> dict[str, BoundRule]:
    """Return the corpus' own tolerance as a keyword argument of `judge`; empty where there is none."""
    return {} if subject.tolerance is None else {"bound_rule": within(subject.tolerance)}


def by_tolerance(
    subject: Question, names: Sequence[str], actual: Sequence[Array], evidence: Evidence, data_set: str
) -> Verdict:
    """Compare by a fixed tolerance, and check random outputs by statistical tests."""
    if not subject.random:
        return judge(names, actual, evidence.desired, data_set, subject.case_id, **rules_of(subject))
    verdict = judge_random(names, actual, evidence.desired, data_set, subject.case_id, steady=subject.steady)
    lone = evidence.measured.lone
    if not verdict.passes or lone is None or not chance.is_random(lone.facts):
        return verdict
    inputs, drawn = lone.inputs(evidence.inputs), by_position(lone, actual)
    if (text := chance.remark(lone.facts, inputs, drawn)) is not None:
        message = f"{names[0]}: {text} [{where_of(subject.case_id, data_set)}]"
        return replace(verdict, message=message, reason=f"{lone.facts.op_type} {text}")
    text = chance.check(lone.facts, inputs, drawn)
    if text is None:
        return verdict
    message = f"{names[0]}: {text}, disagrees, guilty: {Guilty.BURN} [{where_of(subject.case_id, data_set)}]"
    return replace(
        verdict,
        name=VerdictName.DISAGREES,
        message=message,
        reason=Mismatch.DISTRIBUTION.value,
        mismatch=Mismatch.DISTRIBUTION,
        guilty=Guilty.BURN,
    )


def by_position(lone: LoneNode, outputs: Sequence[Array]) -> list[Array]:
    """Return a node's outputs, ordered by their position in the node."""
    pairs = [(position, output) for position, output in zip(lone.gives, outputs, strict=True) if position is not None]
    return [output for _, output in sorted(pairs, key=lambda pair: pair[0])]
