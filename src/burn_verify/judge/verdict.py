"""The verdict over one data set, the verdict over several, and the words for it.

Knows no number of its own: what has to be exact is in `structure`, what is allowed comes from a `BoundRule`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import first_index, flat, is_float, max_abs, max_ulp, mismatches, worst_index
from burn_verify.judge.structure import (
    WRONG_VALUES,
    Problem,
    count_problem,
    show_count,
    show_index,
    show_tensor,
    structural_problem,
)
from burn_verify.judge.tolerance import Bound, BoundRule, bound
from burn_verify.schema import dtype_name
from burn_verify.types import OutputMetrics, Verdict

AGREES: Final = "agrees"
DISAGREES: Final = "disagrees"
NONDETERMINISTIC: Final = "nondeterministic"
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
        The verdict; its message is the first disagreement, its metrics cover every output of the right dtype and
        shape, also on agreement. The message speaks of the differing elements, the metrics of all.

    Raises:
        ValueError: `names` and `desired` are not of one length.
    """
    if len(names) != len(desired):
        msg = f"{len(names)} names for {len(desired)} desired outputs"
        raise ValueError(msg)
    where = case_id if data_set == _USUAL_DATA_SET else f"{case_id}, {data_set}"
    if (problem := count_problem(len(actual), len(desired))) is not None:
        return Verdict(name=DISAGREES, message=f"{problem.text} [{where}]", reason=problem.reason, metrics=())
    found: list[tuple[str, str]] = []
    metrics: list[OutputMetrics] = []
    for name, came, wanted in zip(names, actual, desired, strict=True):
        problem, measured = _compare(name, came, wanted, data_set, bound_rule)
        if problem is not None:
            found.append((f"{name}: {problem.text} [{where}]", problem.reason))
        if measured is not None:
            metrics.append(measured)
    message, reason = found[0] if found else ("", "")
    return Verdict(name=DISAGREES if found else AGREES, message=message, reason=reason, metrics=tuple(metrics))


def judge_random(
    names: Sequence[str],
    actual: Sequence[npt.NDArray[Any]],
    desired: Sequence[npt.NDArray[Any]],
    data_set: str,
    case_id: str,
) -> Verdict:
    """Compare what is no matter of chance where an operator draws numbers: count, dtypes and shapes of the outputs."""
    verdict = judge(names, actual, desired, data_set, case_id)
    if verdict.reason in ("", WRONG_VALUES):
        return replace(verdict, name=NONDETERMINISTIC, message="", reason="")
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
    worst = min(verdicts, key=lambda verdict: (verdict.passes, verdict.agrees))
    return replace(worst, metrics=metrics)


def _compare(
    name: str, actual: npt.NDArray[Any], desired: npt.NDArray[Any], data_set: str, bound_rule: BoundRule
) -> tuple[Problem | None, OutputMetrics | None]:
    """Compare one output: what is wrong, if anything, and the metrics, where elements can be measured."""
    allowed = bound_rule(desired)
    problem = structural_problem(actual, desired, exact=allowed.limit is None)
    if problem is not None and not problem.comparable:
        return problem, None
    # Most answers to small cases are the same to the last bit, and measuring takes ten times as long as seeing that.
    same = problem is None and desired.size > 0 and is_float(desired.dtype) and _same_numbers(actual, desired)
    bad = np.zeros(desired.shape, dtype=np.bool_) if same else mismatches(actual, desired, allowed.limit)
    measured = OutputMetrics(
        data_set=data_set,
        name=name,
        dtype=dtype_name(desired.dtype),
        shape=tuple(map(int, desired.shape)),
        elements=int(desired.size),
        mismatching=int(np.count_nonzero(bad)),
        max_abs=0.0 if same else max_abs(actual, desired),
        max_ulp=0 if same else max_ulp(actual, desired),
        first_bad=first_index(bad),
    )
    if problem is not None:
        return problem, measured
    if not measured.mismatching:
        return None, measured
    text = _tolerance_text(actual, desired, bad, allowed)
    return Problem(reason=WRONG_VALUES, text=text, comparable=True), measured


@np.errstate(all="ignore")
def _same_numbers(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> bool:
    """Return whether two arrays of floats are equal and finite."""
    return bool(np.array_equal(actual, desired)) and bool(np.isfinite(desired).all())


def _tolerance_text(
    actual: npt.NDArray[Any], desired: npt.NDArray[Any], bad: npt.NDArray[np.bool_], allowed: Bound
) -> str:
    """Write how far the differing elements are off; the others may be further off and still be allowed."""
    place = worst_index(actual, desired, bad)
    came, wanted = flat(actual)[flat(bad)], flat(desired)[flat(bad)]
    parts = [f"{show_tensor(desired)} {show_count(bad)}"]
    if (greatest := max_abs(came, wanted)) is not None and place is not None:
        parts.append(f"max_abs={greatest:.1e} at {show_index(place)}")
    if (steps := max_ulp(came, wanted)) is not None:
        parts.append(f"{steps} ULP")
    return ", ".join([*parts, allowed.text])
