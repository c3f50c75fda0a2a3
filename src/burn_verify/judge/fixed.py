"""The verdict over one data set by fixed tolerances, and the verdict over several data sets by any rule.

Defines no tolerance itself: `structure` defines what has to be exact, a `BoundRule` the allowed error.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Mismatch, OutputMetrics, Verdict, VerdictName
from burn_verify.judge.metrics import mismatches
from burn_verify.judge.numbers import difference_text, incomparable, measure, same_numbers
from burn_verify.judge.structure import Problem, Words, count_problem, structural_problem
from burn_verify.judge.tolerance import BoundRule, bound

WORST_FIRST: Final = (
    VerdictName.DISAGREES,
    VerdictName.ORACLE_DISAGREES,
    VerdictName.NONDETERMINISTIC,
    VerdictName.LOOSE,
    VerdictName.AGREES,
    VerdictName.INSENSITIVE,
)
"""The verdicts over a data set, worst first, and last the one that says nothing.

The worst one is the verdict over a case of several data sets.
"""

_USUAL_DATA_SET: Final = "seeded"


def judge(
    names: Sequence[str],
    actual: Sequence[npt.NDArray[Any]],
    desired: Sequence[npt.NDArray[Any]],
    data_set: str,
    case_id: str,
    *,
    bound_rule: BoundRule = bound,
) -> Verdict:
    """Compare the actual with the desired outputs, output by output in the order of the graph.

    Args:
        names: names of the desired outputs.
        actual, desired: arrays of any dtype and shape, text as object arrays of `str`.
        data_set: stored in the metrics; named in the message unless it is ``seeded``.
        case_id: named in the message.
        bound_rule: returns the bound for an output, from the desired array.

    Returns:
        The verdict; its message is the first disagreement, its metrics cover every output, also on agreement. The
        message covers the differing elements, the metrics cover all elements.

    Raises:
        ValueError: `names` and `desired` differ in length.
    """
    check_names(names, desired)
    where = where_of(case_id, data_set)
    if (problem := count_problem(len(actual), len(desired))) is not None:
        pairs = zip(names, desired, strict=True)
        return _disagrees(
            "", problem, where, [incomparable(name, wanted, problem.kind, data_set) for name, wanted in pairs]
        )
    found: list[tuple[str, Problem]] = []
    metrics: list[OutputMetrics] = []
    for name, came, wanted in zip(names, actual, desired, strict=True):
        problem, measured = _compare(name, came, wanted, data_set, bound_rule)
        if problem is not None:
            found.append((f"{name}: ", problem))
        metrics.append(measured)
    if not found:
        return Verdict(name=VerdictName.AGREES, message="", metrics=tuple(metrics))
    return _disagrees(*found[0], where, metrics)


def _disagrees(output: str, problem: Problem, where: str, metrics: Sequence[OutputMetrics]) -> Verdict:
    return Verdict(
        name=VerdictName.DISAGREES,
        message=f"{output}{problem.words} [{where}]",
        reason=problem.kind.value,
        mismatch=problem.kind,
        metrics=tuple(metrics),
        difference=f"{output}{problem.words.neutral}",
    )


def judge_random(
    names: Sequence[str],
    actual: Sequence[npt.NDArray[Any]],
    desired: Sequence[npt.NDArray[Any]],
    data_set: str,
    case_id: str,
    *,
    steady: Collection[str] = (),
) -> Verdict:
    """Compare the deterministic properties of random outputs: their count, dtypes and shapes.

    Args:
        steady: the outputs that are not random; these are compared by the bound.
    """
    verdict = judge(names, actual, desired, data_set, case_id)
    if verdict.mismatch not in (None, Mismatch.VALUES):
        return verdict
    places = [place for place, name in enumerate(names) if name in steady]
    alone, came, wanted = (
        [names[one] for one in places],
        [actual[one] for one in places],
        [desired[one] for one in places],
    )
    found = judge(alone, came, wanted, data_set, case_id)
    if not found.passes:
        return replace(found, metrics=verdict.metrics)
    return replace(verdict, name=VerdictName.NONDETERMINISTIC, message="", reason="", mismatch=None, difference="")


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge the verdicts over a case's data sets: the worst one counts, with its message; metrics cover all.

    Raises:
        ValueError: there is no verdict; without a comparison there is no agreement.
    """
    verdicts = tuple(verdicts)
    if not verdicts:
        msg = "no verdict to merge"
        raise ValueError(msg)
    metrics = tuple(entry for verdict in verdicts for entry in verdict.metrics)
    worst = min(verdicts, key=lambda verdict: WORST_FIRST.index(verdict.name))
    return replace(worst, metrics=metrics)


def check_names(names: Sequence[str], desired: Sequence[npt.NDArray[Any]]) -> None:
    """Check that every desired output has a name.

    Raises:
        ValueError: they differ in length.
    """
    if len(names) != len(desired):
        msg = f"{len(names)} names for {len(desired)} desired outputs"
        raise ValueError(msg)


def where_of(case_id: str, data_set: str) -> str:
    """Return the name of a case's data set in messages."""
    return case_id if data_set == _USUAL_DATA_SET else f"{case_id}, {data_set}"


def _compare(
    name: str, actual: npt.NDArray[Any], desired: npt.NDArray[Any], data_set: str, bound_rule: BoundRule
) -> tuple[Problem | None, OutputMetrics]:
    """Compare one output: return the problem, if any, and the metrics."""
    allowed = bound_rule(desired)
    problem = structural_problem(actual, desired, exact=allowed.limit is None)
    if problem is not None and not problem.comparable:
        return problem, incomparable(name, desired, problem.kind, data_set)
    same = problem is None and same_numbers(actual, desired)
    bad = np.zeros(desired.shape, dtype=np.bool_) if same else mismatches(actual, desired, allowed.limit)
    measured = measure(name, actual, desired, bad, data_set)
    if problem is not None:
        return problem, measured
    if not measured.mismatching:
        return None, measured
    text = difference_text(actual, desired, bad, allowed.text)
    return Problem(kind=Mismatch.VALUES, words=Words(text), comparable=True), measured
