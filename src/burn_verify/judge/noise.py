"""What rounding explains of an output of a graph: a bound from the deviation that noise of its size has caused.

Walks no model: the deviation by element comes from outside. An answer has to be near at each element, and in root mean
square over all of them; the second tells a small error that all elements share.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.judge.roundoff import smallest_normal, unit_roundoff
from burn_verify.judge.tolerance import Bound

DEVIATIONS: Final = 4.0
"""How many deviations one element may be off: beyond that is one normal number of 16,000, and no sample is normal."""

LEAST_SHARE: Final = 0.01
"""An element's deviation counts as this share of the mean at least: eight samples may all miss it by luck."""


def luck(elements: int) -> float:
    """Return how many times its deviation the root mean square of so many normal numbers may be: 3 of its own more."""
    return 1 + 3 / math.sqrt(2 * max(1, elements))


@np.errstate(all="ignore")
def explained(reference: npt.NDArray[np.float64], sigma: npt.NDArray[np.float64], dtype: str) -> Bound:
    """Return what rounding explains around a reference.

    With s = √(sigma² + (u · reference)²) and its root mean square m, an element may be off by
    4 · max(s, m / 100, smallest normal number), and all n of them by m · (1 + 3 / √2n) in root mean square. What is
    not finite has to be equal.

    Args:
        reference: any shape.
        sigma: the deviation that rounding explains, of the reference's shape.
        dtype: dtype name of the output.
    """
    finite = np.isfinite(reference)
    rounded = np.where(finite, unit_roundoff(dtype) * reference, 0.0)
    scale = np.hypot(np.where(finite, sigma, 0.0), rounded)
    tiny = smallest_normal(dtype)
    mean = max(root_mean_square(scale[finite]), tiny)
    limit = np.where(finite, DEVIATIONS * np.maximum(np.maximum(scale, LEAST_SHARE * mean), tiny), 0.0)
    together = mean * luck(int(np.count_nonzero(finite)))
    return Bound(
        limit=limit, mean=together, deviation=mean, text=f"{DEVIATIONS:g} deviations of rounding, rms {mean:.1e}"
    )


def root_mean_square(values: npt.NDArray[Any]) -> float:
    """Return the root mean square of finite numbers, 0 without any."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
