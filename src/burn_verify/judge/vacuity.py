"""Does an answer depend on the question? A comparison that cannot fail proves nothing.

Looks at two answers of the reference to different inputs; runs nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import is_float

Array = npt.NDArray[Any]


def insensitivity(first: Sequence[Array], second: Sequence[Array]) -> str:
    """Return why answers to two different inputs cannot tell a right program from a wrong one; empty where they can.

    One output that tells is enough: others may well be shapes or labels that stay the same.
    """
    if not first:
        return "no outputs"
    reasons = [_reason(*pair) for pair in zip(first, second, strict=False)]
    return "" if "" in reasons else reasons[0]


@np.errstate(all="ignore")
def _reason(first: Array, second: Array) -> str:
    if not first.size:
        return "the output is empty"
    if is_float(first.dtype):
        for values, what in ((np.isnan(first), "NaN"), (np.isinf(first), "infinite"), (first == 0, "zero")):
            if values.all():
                return f"the output is all {what}"
        if np.isin(np.abs(first), (0.0, 1.0)).all() and first.size > 1:
            return "the output is saturated: nothing but 0 and ±1"
    if first.shape == second.shape and first.tobytes() == second.tobytes():
        return "the output is the same for two different inputs"
    return ""
