"""Bound for an output of a graph, from the deviation that noise of the size of rounding errors has caused.

Runs no model: the caller passes the deviation by element. An output has to be near the reference at each element, and
in root mean square over all elements; the second detects a small error that all elements share.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.judge.roundoff import smallest_normal, unit_roundoff
from burn_verify.judge.tolerance import Bound

DEVIATIONS: Final = 4.0
"""Greatest error of one element in deviations: one normal number of 16,000 exceeds it, and no sample is normal."""

_FEW: Final = 16_000
_SAMPLES: Final = 8

LEAST_SHARE: Final = 0.01
"""Lower bound of an element's deviation as a share of the mean: eight samples may all miss it by chance."""


def deviations(elements: int) -> float:
    """Return the greatest error of one of so many elements, in deviations.

    The deviation of an element comes from eight samples, so that an error divided by it has the t distribution of eight
    degrees of freedom: its tail falls with the eighth power, and of more elements one exceeds the bound by chance.
    """
    return DEVIATIONS * float(max(1.0, elements / _FEW) ** (1 / _SAMPLES))


def luck(elements: int) -> float:
    """Return the greatest root mean square of so many normal numbers in deviations: 1 plus 3 of its own deviations."""
    return 1 + 3 / math.sqrt(2 * max(1, elements))


@np.errstate(all="ignore")
def explained(reference: npt.NDArray[np.float64], sigma: npt.NDArray[np.float64], dtype: str) -> Bound:
    """Return the bound of rounding errors around a reference.

    With s = √(sigma² + (u · reference)²) and its root mean square m, the bound of one element is
    4 · max(s, m / 100, smallest normal number), above 16,000 elements times (n/16,000)^⅛, and that of all n elements is
    m · (1 + 3 / √2n) in root mean square.
    Elements that are not finite have to be equal.

    Args:
        reference: any shape.
        sigma: the deviation that rounding causes, of the reference's shape.
        dtype: dtype name of the output.
    """
    finite = np.isfinite(reference)
    rounded = np.where(finite, unit_roundoff(dtype) * reference, 0.0)
    scale = np.hypot(np.where(finite, sigma, 0.0), rounded)
    tiny = smallest_normal(dtype)
    mean = max(root_mean_square(scale[finite]), tiny)
    count = int(np.count_nonzero(finite))
    most = deviations(count)
    limit = np.where(finite, most * np.maximum(np.maximum(scale, LEAST_SHARE * mean), tiny), 0.0)
    together = mean * luck(count)
    return Bound(limit=limit, mean=together, deviation=mean, text=f"{most:.2g} deviations of rounding, rms {mean:.1e}")


def root_mean_square(values: npt.NDArray[Any]) -> float:
    """Return the root mean square of finite numbers, 0 without any."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
