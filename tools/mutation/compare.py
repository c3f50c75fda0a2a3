"""Two answers of compiled Burn beside one another: the same, the same but for rounding, or not. Pure."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDINGS: Final = 4.0
"""How many units of rounding two programs may differ by and still count as the same function."""


class Difference(IntEnum):
    """How far two answers are apart, the nearer the smaller."""

    NONE = 0
    ROUNDING = 1
    REAL = 2


def difference(actual: Sequence[Array], other: Sequence[Array]) -> Difference:
    """Return how far the outputs of two programs are apart, at the worst of them.

    Rounding means ``|a - b| <= 4 u max(|b|, rms(b))`` with the dtype's spacing at one for u, for float32 and float64;
    half precision has too few digits to tell rounding from a change.
    """
    if len(actual) != len(other):
        return Difference.REAL
    return max((_of_one(a, b) for a, b in zip(actual, other, strict=True)), default=Difference.NONE)


@np.errstate(all="ignore")
def relative(actual: Sequence[Array], other: Sequence[Array]) -> float | None:
    """Return the greatest over outputs of ``rms(a - b) / rms(b)`` over finite elements; None where there is none."""
    found = []
    for a, b in zip(actual, other, strict=False):
        if a.shape != b.shape or a.dtype.kind in "OUSb" or not a.size:
            continue
        one, two = a.astype(np.float64), b.astype(np.float64)
        finite = np.isfinite(one) & np.isfinite(two)
        if finite.any() and (scale := _rms(two[finite])) > 0:
            found.append(_rms(one[finite] - two[finite]) / scale)
    return max(found, default=None)


@np.errstate(all="ignore")
def near(actual: Sequence[Array], reference: Sequence[Array]) -> bool:
    """Tell roughly whether compiled Burn and its reference mean the same: values on which they do not, show nothing."""
    if len(actual) != len(reference):
        return False
    return all(_near(a, b) for a, b in zip(actual, reference, strict=True))


def _of_one(a: Array, b: Array) -> Difference:
    if a.dtype != b.dtype or a.shape != b.shape:
        return Difference.REAL
    if a.tobytes() == b.tobytes():
        return Difference.NONE
    if a.dtype.name not in ("float32", "float64"):
        return Difference.REAL
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return Difference.REAL
    one, two = a[finite].astype(np.float64), b[finite].astype(np.float64)
    allowed = ROUNDINGS * np.finfo(a.dtype).eps * np.maximum(np.abs(two), _rms(two))
    return Difference.ROUNDING if (np.abs(one - two) <= allowed).all() else Difference.REAL


def _near(a: Array, b: Array) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind in "OUSbiu" or not a.size:
        return bool(np.array_equal(a, b))
    one, two = a.astype(np.float64), b.astype(np.float64)
    finite = two[np.isfinite(two)]
    return bool(np.allclose(one, two, rtol=0.02, atol=0.02 * _rms(finite), equal_nan=True))


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
