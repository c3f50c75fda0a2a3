"""Properties that have to be exact in any arithmetic: counts, dtypes, shapes, NaN, infinities, and non-float elements.

Uses no tolerance. The text of a `Problem` contains no names: the verdict adds the output and the case.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Mismatch
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import Mask, first_index, is_float, is_integer, max_abs, mismatches, worst_index

_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Words:
    """How two outputs differ; which of them is correct is added only on conversion to text.

    Attributes:
        lead: the first part of the text, or the whole text.
        expected, came: the expected and the actual value, where the text names two values.
    """

    lead: str = ""
    expected: str = ""
    came: str = ""

    def __str__(self) -> str:
        """Return the text with the expected and the actual value."""
        return self._written("expected", "came")

    @property
    def neutral(self) -> str:
        """The same for two outputs of which neither is the reference: the expected one is called ``before``."""
        return self._written("before", "after")

    def after(self, text: str) -> "Words":
        """Return the same with a text in front of it."""
        return replace(self, lead=f"{text}{self.lead}")

    def _written(self, expected: str, came: str) -> str:
        return f"{self.lead}{self.expected} {expected}, {self.came} {came}" if self.expected else self.lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A structural disagreement.

    Attributes:
        kind: the kind of disagreement, suitable for grouping.
        words: the expected and the actual property.
        comparable: whether the elements can still be compared.
    """

    kind: Mismatch
    words: Words
    comparable: bool


def count_problem(actual: int, desired: int) -> Problem | None:
    """Compare numbers of outputs."""
    if actual == desired:
        return None
    words = Words(expected=f"{desired} output{'s' * (desired != 1)}", came=str(actual))
    return Problem(kind=Mismatch.COUNT, words=words, comparable=False)


@np.errstate(all="ignore")
def structural_problem(actual: npt.NDArray[Any], desired: npt.NDArray[Any], *, exact: bool) -> Problem | None:
    """Return the first structural disagreement of two outputs: dtype, shape, NaN, infinities, then equality.

    Elements are required to be equal where `exact` is true, as it is for integers, booleans and text.
    """
    if dtype_name(actual.dtype) != dtype_name(desired.dtype):
        words = Words("dtype ", dtype_name(desired.dtype), dtype_name(actual.dtype))
        return Problem(kind=Mismatch.DTYPE, words=words, comparable=False)
    if actual.shape != desired.shape:
        return Problem(kind=Mismatch.SHAPE, words=two_shapes(actual, desired), comparable=False)
    if is_float(desired.dtype) and (place := _special_place(actual, desired)) is not None:
        return Problem(kind=Mismatch.VALUES, words=_two_values(actual, desired, place), comparable=True)
    return _equality_problem(actual, desired) if exact else None


def show_index(index: tuple[int, ...]) -> str:
    """Format an index or a shape as ``[0,2]``."""
    return f"[{','.join(map(str, index))}]"


def show_tensor(array: npt.NDArray[Any]) -> str:
    """Format dtype and shape as ``float32[2,3]``."""
    return dtype_name(array.dtype) + show_index(array.shape)


def two_shapes(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> Words:
    """Return the words for two different shapes."""
    return Words("shape ", show_index(desired.shape), show_index(actual.shape))


def show_count(mask: Mask) -> str:
    """Format the number of set elements of a mask as ``4/6 elements differ``."""
    return f"{np.count_nonzero(mask)}/{mask.size} elements differ"


def _special_place(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """Return the first index where only one array is NaN, else where an infinity has no match of its sign."""
    if bool(np.isfinite(actual).all()) and bool(np.isfinite(desired).all()):
        return None
    nan_moved = np.asarray(np.isnan(actual) != np.isnan(desired))
    if (place := first_index(nan_moved)) is not None:
        return place
    infinite = np.asarray(np.isinf(actual) | np.isinf(desired))
    return first_index(np.asarray(infinite & mismatches(actual, desired, None)))


def _equality_problem(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> Problem | None:
    """Compare elements for equality; the text names the worst index for numbers, the first one for other dtypes."""
    bad = mismatches(actual, desired, None)
    place = worst_index(actual, desired, bad)
    if place is None:
        return None
    lead = f"{show_tensor(desired)} {show_count(bad)}, "
    if is_integer(desired.dtype):
        words = Words(f"max_abs={max_abs(actual, desired):g} at {show_index(place)}, exact")
    else:
        words = _two_values(actual, desired, place)
    return Problem(kind=Mismatch.VALUES, words=words.after(lead), comparable=True)


def _two_values(actual: npt.NDArray[Any], desired: npt.NDArray[Any], place: tuple[int, ...]) -> Words:
    """Return the words for the two values at an index."""
    return Words(expected=f"{_show_value(desired, place)} at {show_index(place)}", came=_show_value(actual, place))


def _show_value(array: npt.NDArray[Any], place: tuple[int, ...]) -> str:
    """Format one element; long text is truncated."""
    value = array[place]
    if is_float(array.dtype):
        return "NaN" if np.isnan(value) else f"{float(value):.6g}"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
