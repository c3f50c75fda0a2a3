"""What has to be exact whatever the arithmetic: counts, dtypes, shapes, NaN, infinities, and all that is no float.

Knows no tolerance. A `Problem` is text without names: who and where is added by the verdict.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import Mask, first_index, is_float, is_integer, max_abs, mismatches, worst_index

WRONG_VALUES = "wrong values"
_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A structural disagreement.

    Attributes:
        reason: what kind of disagreement it is, without numbers, fit for grouping.
        text: what was expected and what came.
        comparable: whether the elements can still be measured against each other.
    """

    reason: str
    text: str
    comparable: bool


def count_problem(actual: int, desired: int) -> Problem | None:
    """Compare numbers of outputs."""
    if actual == desired:
        return None
    text = f"{desired} output{'s' * (desired != 1)} expected, {actual} came"
    return Problem(reason="wrong number of outputs", text=text, comparable=False)


@np.errstate(all="ignore")
def structural_problem(actual: npt.NDArray[Any], desired: npt.NDArray[Any], *, exact: bool) -> Problem | None:
    """Return the first structural disagreement of two outputs: dtype, shape, NaN, infinities, then equality.

    Equality is asked of the elements where `exact` is true, as it is for integers, booleans and text.
    """
    if dtype_name(actual.dtype) != dtype_name(desired.dtype):
        text = f"dtype {dtype_name(desired.dtype)} expected, {dtype_name(actual.dtype)} came"
        return Problem(reason="wrong dtype", text=text, comparable=False)
    if actual.shape != desired.shape:
        text = f"shape {show_index(desired.shape)} expected, {show_index(actual.shape)} came"
        return Problem(reason="wrong shape", text=text, comparable=False)
    if is_float(desired.dtype) and (place := _special_place(actual, desired)) is not None:
        return Problem(reason=WRONG_VALUES, text=_expected_came(actual, desired, place), comparable=True)
    return _equality_problem(actual, desired) if exact else None


def show_index(index: tuple[int, ...]) -> str:
    """Write an index or a shape as ``[0,2]``."""
    return f"[{','.join(map(str, index))}]"


def show_tensor(array: npt.NDArray[Any]) -> str:
    """Write dtype and shape as ``float32[2,3]``."""
    return dtype_name(array.dtype) + show_index(array.shape)


def show_count(mask: Mask) -> str:
    """Write how many elements of a mask are set as ``4/6 elements differ``."""
    return f"{np.count_nonzero(mask)}/{mask.size} elements differ"


def _special_place(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """Return the first place of a NaN without its like, or else of an infinity without one of its sign."""
    if bool(np.isfinite(actual).all()) and bool(np.isfinite(desired).all()):
        return None
    nan_moved = np.asarray(np.isnan(actual) != np.isnan(desired))
    if (place := first_index(nan_moved)) is not None:
        return place
    infinite = np.asarray(np.isinf(actual) | np.isinf(desired))
    return first_index(np.asarray(infinite & mismatches(actual, desired, None)))


def _equality_problem(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> Problem | None:
    """Compare what has to be equal; the text gives the worst place for numbers and the first one for the rest."""
    bad = mismatches(actual, desired, None)
    place = worst_index(actual, desired, bad)
    if place is None:
        return None
    text = f"{show_tensor(desired)} {show_count(bad)}, "
    if is_integer(desired.dtype):
        greatest = max_abs(actual, desired)
        text += f"max_abs={greatest:g} at {show_index(place)}, exact"
    else:
        text += _expected_came(actual, desired, place)
    return Problem(reason=WRONG_VALUES, text=text, comparable=True)


def _expected_came(actual: npt.NDArray[Any], desired: npt.NDArray[Any], place: tuple[int, ...]) -> str:
    """Write the two values at a place."""
    wanted, came = _show_value(desired, place), _show_value(actual, place)
    return f"{wanted} at {show_index(place)} expected, {came} came"


def _show_value(array: npt.NDArray[Any], place: tuple[int, ...]) -> str:
    """Write one element, long text cut."""
    value = array[place]
    if is_float(array.dtype):
        return "NaN" if np.isnan(value) else f"{float(value):.6g}"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
