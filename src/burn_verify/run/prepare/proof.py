"""Proof of a step: the answers of the reference before and after it, on all data of the case."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from burn_verify.core.errors import StageError
from burn_verify.core.prepared import Grade, Proof
from burn_verify.prepare.recipe import Step
from burn_verify.prepare.rewriting import Promise
from burn_verify.reference.data_set import DataSet
from burn_verify.run.prepare.tools import EngineTools
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from collections.abc import Callable

Outputs: TypeAlias = Mapping[str, Sequence[Array]]
Judged: TypeAlias = "Callable[[Outputs], str]"
"""Returns why answers are outside the bound of the judge; empty where they are inside."""


def proofs(
    steps: Sequence[Step], data: Mapping[str, DataSet], stored: bool, tools: EngineTools, judged: Judged
) -> list[Proof]:
    """Prove every step of a recipe.

    Arguments:
        data: the data sets of the case.
        stored: whether some of them have stored answers.
        judged: judges answers by all that is known of the case before the first step.
    """
    made: list[Proof] = []
    before = None if not steps else _answers(steps[0].before, data, tools)
    for step in steps:
        after = _answers(step.after, data, tools)
        made.append(_proof(step, before, after, stored, judged))
        before = after
    return made


def _proof(step: Step, before: Outputs | str | None, after: Outputs | str, stored: bool, judged: Judged) -> Proof:
    ran = isinstance(before, Mapping)
    distance = _distance(before, after) if isinstance(before, Mapping) and isinstance(after, Mapping) else None
    grade, why = _grade(step, before if ran else None, after, stored, judged)
    return Proof(
        name=step.rewriting.name,
        reason=step.rewriting.reason,
        grade=grade,
        nodes_before=_nodes(step.before),
        nodes_after=_nodes(step.after),
        distance=distance,
        why=why,
    )


def _grade(
    step: Step, before: Outputs | str | None, after: Outputs | str, stored: bool, judged: Judged
) -> tuple[Grade, str]:
    if isinstance(after, str):
        # Nobody runs either model: the answers of Burn, which agree with the stored ones, are all there is.
        return (Grade.STORED, "") if stored and before is None else (Grade.DECLINED, after)
    if isinstance(before, Mapping) and _same(before, after):
        return Grade.SAME, ""
    if isinstance(before, Mapping) and step.rewriting.promise is Promise.SAME:
        return Grade.DECLINED, "the answers differ in bits, and were to be the same"
    if why := judged(after):
        return Grade.DECLINED, why
    return (Grade.CLOSE if isinstance(before, Mapping) else Grade.STORED), ""


def _answers(model: bytes, data: Mapping[str, DataSet], tools: EngineTools) -> Outputs | str:
    """Return the answers of the reference by data set, or why there are none."""
    from onnx import ModelProto

    try:
        found = tools.run_all(ModelProto.FromString(model), [one.inputs for one in data.values()])
    except StageError as error:
        return error.message
    return dict(zip(data, found, strict=True))


def _same(before: Outputs, after: Outputs) -> bool:
    return all(
        len(before[name]) == len(after[name])
        and all(_equal(mine, other) for mine, other in zip(before[name], after[name], strict=True))
        for name in before
    )


def _equal(mine: Array, other: Array) -> bool:
    return mine.dtype == other.dtype and mine.shape == other.shape and mine.tobytes() == other.tobytes()


@np.errstate(all="ignore")
def _distance(before: Outputs, after: Outputs) -> float | None:
    """Return the greatest absolute difference of finite numbers; None where shapes differ."""
    largest = 0.0
    for name, mine in before.items():
        for one, other in zip(mine, after[name], strict=False):
            if one.shape != other.shape:
                return None
            gap = np.abs(one.astype(np.float64) - other.astype(np.float64))
            finite = gap[np.isfinite(gap)]
            largest = max(largest, float(finite.max()) if finite.size else 0.0)
    return largest


def _nodes(model: bytes) -> int:
    from onnx import ModelProto

    return len(ModelProto.FromString(model).graph.node)
