"""The verdict over one data set by fixed tolerances, and the verdict over several data sets by any rule.

Knows no number of its own: what has to be exact is in `structure`, what is allowed comes from a `BoundRule`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Mismatch, OutputMetrics, Verdict
from burn_verify.judge.metrics import mismatches
from burn_verify.judge.numbers import difference_text, incomparable, measure, same_numbers
from burn_verify.judge.structure import Problem, Words, count_problem, structural_problem
from burn_verify.judge.tolerance import BoundRule, bound
from burn_verify.judge.weigh import AGREES, DISAGREES, LOOSE, NONDETERMINISTIC, ORACLE_DISAGREES

WORST_FIRST: Final = (DISAGREES, ORACLE_DISAGREES, NONDETERMINISTIC, LOOSE, AGREES)
"""The verdicts over a data set, the one that speaks for a case of several first."""

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
    """Compare what came with what was expected, output by output in the order of the graph.

    Args:
        names: names of the desired outputs.
        actual, desired: arrays of any dtype and shape, text as object arrays of `str`.
        data_set: kept in the metrics; named in the message unless it is ``seeded``.
        case_id: named in the message.
        bound_rule: what is allowed for an output, from the desired array.

    Returns:
        The verdict; its message is the first disagreement, its metrics cover every output, also on agreement. The
        message speaks of the differing elements, the metrics of all.

    Raises:
        ValueError: `names` and `desired` are not of one length.
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
        return Verdict(name=AGREES, message="", metrics=tuple(metrics))
    return _disagrees(*found[0], where, metrics)


def _disagrees(output: str, problem: Problem, where: str, metrics: Sequence[OutputMetrics]) -> Verdict:
    return Verdict(
        name=DISAGREES,
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
) -> Verdict:
    """Compare what is no matter of chance where an operator draws numbers: count, dtypes and shapes of the outputs."""
    verdict = judge(names, actual, desired, data_set, case_id)
    if verdict.mismatch in (None, Mismatch.VALUES):
        return replace(verdict, name=NONDETERMINISTIC, message="", reason="", mismatch=None, difference="")
    return verdict


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """Join the verdicts over a case's data sets: all must agree; the message is that of the first that does not.

    Raises:
        ValueError: there is no verdict; nothing compared is no agreement.
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
        ValueError: they are not of one length.
    """
    if len(names) != len(desired):
        msg = f"{len(names)} names for {len(desired)} desired outputs"
        raise ValueError(msg)


def where_of(case_id: str, data_set: str) -> str:
    """Return what a message calls a data set of a case."""
    return case_id if data_set == _USUAL_DATA_SET else f"{case_id}, {data_set}"


def _compare(
    name: str, actual: npt.NDArray[Any], desired: npt.NDArray[Any], data_set: str, bound_rule: BoundRule
) -> tuple[Problem | None, OutputMetrics]:
    """Compare one output: what is wrong, if anything, and the metrics."""
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
