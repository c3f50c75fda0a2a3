"""Detect vacuous comparisons: outputs for which no answer would be judged wrong. Such a comparison proves nothing.

Uses the expected outputs only: derives wrong outputs from them, and lets the judge decide which of these would pass.
Runs no model.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import is_float

Array: TypeAlias = npt.NDArray[Any]

Passing: TypeAlias = Callable[[Sequence[Array]], Sequence[bool]]
"""Maps outputs, in the order of the graph, to whether each of them would pass the judge."""


def says_nothing(desired: Sequence[Array], other: Sequence[Array] | None, passing: Passing) -> tuple[str, ...]:
    """Return, for each output, why no output could have been judged wrong; empty where one could.

    Arguments:
        desired: the expected outputs.
        other: the reference's outputs for other inputs, which must not pass; None where they were not computed. Then
            zeros, and the same elements in another order, must not pass.
    """
    reasons = [_hollow(array, stored=other is None) for array in desired]
    wrong = _invented(desired) if other is None else iter([("the output is the same for two different inputs", other)])
    for why, answers in wrong:
        if all(reasons):
            break
        # The judge requires an array for each output. A generated one that equals the expected output is not evidence.
        given = [array if answer is None else answer for array, answer in zip(desired, answers, strict=True)]
        for place, passes in enumerate(passing(given)):
            if passes and answers[place] is not None:
                reasons[place] = reasons[place] or _how(why, desired[place], given[place])
    return tuple(reasons)


def _how(why: str, desired: Array, answer: Array) -> str:
    same = desired.shape == answer.shape and desired.tobytes() == answer.tobytes()
    return why if same else f"{why}, within what is allowed"


def _invented(desired: Sequence[Array]) -> Iterator[tuple[str, Sequence[Array | None]]]:
    """Yield a description and wrong outputs; None replaces an output that would be correct."""
    yield "zeros would pass", [np.zeros_like(array) if array.dtype != np.object_ else None for array in desired]
    rolled = [np.roll(array.reshape(-1), 1).reshape(array.shape) if array.size > 1 else None for array in desired]
    yield "the elements of the output are alike", rolled


@np.errstate(all="ignore")
def _hollow(desired: Array, *, stored: bool) -> str:
    """Return why an expected output is no evidence under any bound; empty where it may be."""
    if not desired.size:
        return "the output is empty"
    # Integers and booleans that are zero may differ for other inputs, so those decide where they are available.
    if desired.dtype != np.object_ and (stored or is_float(desired.dtype)) and not desired.astype(np.bool_).any():
        return "the output is all zero"
    if is_float(desired.dtype):
        for values, what in ((np.isnan(desired), "NaN"), (np.isinf(desired), "infinite")):
            if values.all():
                return f"the output is all {what}"
        if not stored and desired.size > 1 and np.isin(np.abs(desired), (0.0, 1.0)).all():
            return "the output is saturated: nothing but 0 and ±1"
    if stored and desired.size > 1 and (desired == desired.reshape(-1)[0]).all():
        return "the output is one value throughout"
    return ""
