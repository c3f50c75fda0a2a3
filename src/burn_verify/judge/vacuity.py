"""Could an output have been called wrong? A comparison that cannot fail proves nothing.

Looks at expected answers only, and makes wrong ones of them; the judge says which of these would pass. Runs nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import is_float

Array: TypeAlias = npt.NDArray[Any]

Passing: TypeAlias = Callable[[Sequence[Array]], Sequence[bool]]
"""From answers, in the order of the graph, to whether each of them would pass the judge."""


def says_nothing(desired: Sequence[Array], other: Sequence[Array] | None, passing: Passing) -> tuple[str, ...]:
    """Return, output by output, why no answer could have been wrong; empty where one could.

    Arguments:
        desired: the answers that count.
        other: the reference's answers to other inputs; None where nobody was asked. What moves by no more than is
            allowed tells nothing. Without them zeros, and the same elements in another order, must not pass.
    """
    reasons = [_hollow(array, stored=other is None) for array in desired]
    wrong = _invented(desired) if other is None else iter([("the output is the same for two different inputs", other)])
    for why, answers in wrong:
        if all(reasons):
            break
        # The judge wants one answer an output; an invented answer that is the right one tells nothing.
        given = [array if answer is None else answer for array, answer in zip(desired, answers, strict=True)]
        for place, passes in enumerate(passing(given)):
            if passes and answers[place] is not None:
                reasons[place] = reasons[place] or _how(why, desired[place], given[place])
    return tuple(reasons)


def _how(why: str, desired: Array, answer: Array) -> str:
    same = desired.shape == answer.shape and desired.tobytes() == answer.tobytes()
    return why if same else f"{why}, within what is allowed"


def _invented(desired: Sequence[Array]) -> Iterator[tuple[str, Sequence[Array | None]]]:
    """Yield wrong answers and what is wrong with them, None in the place of one that would be right."""
    yield "zeros would pass", [np.zeros_like(array) if array.dtype != np.object_ else None for array in desired]
    rolled = [np.roll(array.reshape(-1), 1).reshape(array.shape) if array.size > 1 else None for array in desired]
    yield "the elements of the output are alike", rolled


@np.errstate(all="ignore")
def _hollow(desired: Array, *, stored: bool) -> str:
    """Return why an answer says nothing, whatever would be allowed around it."""
    if not desired.size:
        return "the output is empty"
    # Integers and booleans that are zero may well have been something else: other inputs tell.
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
