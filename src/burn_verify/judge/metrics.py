"""Distances between two arrays of the same dtype and shape, and the indices where they are too great.

Defines no limits: the caller passes them. Every function accepts arrays of any shape, including () and axes of
length 0, works on whole arrays and suppresses NumPy's floating-point warnings: subtracting infinities, overflows and
signalling NaNs are expected here.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import STRING, dtype_name

Mask = npt.NDArray[np.bool_]
"""One boolean per element."""

_BITS: Final[Mapping[str, type[np.unsignedinteger[Any]]]] = MappingProxyType(
    {"float16": np.uint16, "bfloat16": np.uint16, "float32": np.uint32, "float64": np.uint64}
)
# The unsigned integer type of the same width, for each float dtype whose ULP distance is defined here.
_BLOCK: Final = 1 << 16
_POWERS: Final = np.array([1 << place for place in range(64)], np.uint64)


def quantile(values: npt.NDArray[np.float64], share: float) -> float:
    """Return the smallest of the values (at least one) that the given share of them does not exceed.

    Equivalent to ``numpy.quantile`` with ``method="higher"``, which takes ten times as long for a few values.
    """
    place = math.ceil(share * (values.size - 1))
    return float(np.partition(values, place)[place])


@functools.cache
def is_float(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is a real floating-point type, including those of ml_dtypes."""
    return dtype_name(dtype).startswith(("float", "bfloat"))


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is an integer type, including those of ml_dtypes and excluding booleans."""
    return dtype_name(dtype).startswith(("int", "uint"))


@np.errstate(all="ignore")
def max_ulp(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> int | None:
    """Return the greatest distance in units in the last place, over the pairs of finite elements.

    The distance is the number of steps between adjacent representable numbers, through zero where the signs differ;
    -0.0 and 0.0 are the same number. Subnormal numbers count as steps.

    Returns:
        None where there is no pair of finite elements, or the dtype is not float16, bfloat16, float32 or float64.
    """
    if dtype_name(desired.dtype) not in _BITS:
        return None
    greatest = [_block_ulp(*pair) for pair in _blocks(actual, desired)]
    return max((steps for steps in greatest if steps is not None), default=None)


def ulp_histogram(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> tuple[int, ...]:
    """Count the pairs of finite elements by their distance in units in the last place: 0, 1, 2 to 3, 4 to 7 and so on.

    Returns:
        The counts up to the last that is not 0; empty where `max_ulp` is None.
    """
    if dtype_name(desired.dtype) not in _BITS:
        return ()
    counts = np.zeros(_POWERS.size + 1, np.int64)
    for pair in _blocks(actual, desired):
        distances = ulp_distances(*pair)
        assert distances is not None
        places = np.searchsorted(_POWERS, distances.astype(np.uint64), side="right")
        counts += np.bincount(places, minlength=counts.size)
    filled = np.flatnonzero(counts)
    return tuple(map(int, counts[: filled[-1] + 1])) if filled.size else ()


@np.errstate(all="ignore")
def ulp_distances(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger[Any]] | None:
    """Return the distances whose maximum is `max_ulp`, flat; None where the dtype has no ULP here."""
    if dtype_name(desired.dtype) not in _BITS:
        return None
    left, right = _ordered(actual), _ordered(desired)
    distances: npt.NDArray[Any] = (np.maximum(left, right) - np.minimum(left, right))[_finite(actual, desired)]
    return distances


@np.errstate(all="ignore")
def max_abs(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> float | None:
    """Return the greatest absolute difference over the pairs of finite elements, no greater than the largest float64.

    Returns:
        None where there is no pair of finite elements, or the dtype is not numeric (bool, string) or complex.
    """
    greatest = [_block_abs(*pair) for pair in _blocks(actual, desired)]
    return max((difference for difference in greatest if difference is not None), default=None)


@np.errstate(all="ignore")
def mismatches(actual: npt.NDArray[Any], desired: npt.NDArray[Any], limit: npt.NDArray[np.float64] | None) -> Mask:
    """Return where two arrays differ, as a mask of their shape.

    Args:
        actual, desired: arrays of one dtype and shape.
        limit: the greatest absolute difference allowed, of the same shape or one that broadcasts to it; None where
            equality is required. NaN matches NaN; an infinity matches one of its own sign.
    """
    if limit is None or not (is_float(desired.dtype) or is_integer(desired.dtype)):
        blocks = [_unequal(*pair) for pair in _blocks(actual, desired)]
    else:
        allowed = np.broadcast_to(limit, desired.shape)
        blocks = [_exceeds(*triple) for triple in _blocks(actual, desired, allowed)]
    return np.concatenate([np.zeros(0, dtype=np.bool_), *blocks]).reshape(desired.shape)


def identical(actual: Sequence[npt.NDArray[Any]], desired: Sequence[npt.NDArray[Any]]) -> bool:
    """Return whether outputs are bitwise equal; faster than any judgement."""
    return len(actual) == len(desired) and all(
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        for one, other in zip(actual, desired, strict=True)
    )


def first_index(mask: Mask) -> tuple[int, ...] | None:
    """Return the index of the first set element in row-major order, None where there is none."""
    if not mask.any():
        return None
    return unravel(int(np.argmax(mask)), mask.shape)


@np.errstate(all="ignore")
def worst_index(actual: npt.NDArray[Any], desired: npt.NDArray[Any], mask: Mask) -> tuple[int, ...] | None:
    """Return the index of the greatest absolute difference among the set elements of `mask`, None without any.

    Elements without a difference (text, NaN, infinities) rank last, in row-major order.
    """
    places = np.flatnonzero(mask)
    if not places.size:
        return None
    left, right = flat(actual)[places], flat(desired)[places]
    if is_float(desired.dtype):
        difference: npt.NDArray[Any] = np.where(_finite(left, right), _float_difference(left, right), -1.0)
    elif is_integer(desired.dtype):
        difference = _int_difference(left, right)
    else:
        difference = np.zeros(places.size)
    return unravel(int(places[np.argmax(difference)]), mask.shape)


def unravel(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of a row-major position as plain integers."""
    return tuple(int(part) for part in np.unravel_index(position, shape))


def flat(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array with one dimension: NumPy treats rank 0 as a scalar, which warns where an array wraps around."""
    return np.asarray(array).reshape(-1)


@np.errstate(all="ignore")
def widened(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return an array in float64, without the warning that a signalling NaN causes."""
    return array.astype(np.float64, copy=False)


def _blocks(*arrays: npt.NDArray[Any]) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Yield flat arrays of one size block by block, each block small enough for the processor's cache."""
    whole = [flat(array) for array in arrays]
    for start in range(0, whole[0].size, _BLOCK):
        yield tuple(array[start : start + _BLOCK] for array in whole)


def _block_ulp(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> int | None:
    """Return `max_ulp` of flat arrays."""
    left, right = _ordered(actual), _ordered(desired)
    # Unsigned, greater minus smaller: no difference of two finite numbers overflows.
    greatest = _greatest(np.maximum(left, right) - np.minimum(left, right), _finite(actual, desired))
    return None if greatest is None else int(greatest)


def _block_abs(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> float | None:
    """Return `max_abs` of flat arrays."""
    greatest: float | None = None
    if is_float(desired.dtype):
        greatest = _greatest(_float_difference(actual, desired), _finite(actual, desired))
    elif is_integer(desired.dtype):
        greatest = _greatest(_int_difference(actual, desired), None)
    return None if greatest is None else min(float(greatest), float(np.finfo(np.float64).max))


def _exceeds(actual: npt.NDArray[Any], desired: npt.NDArray[Any], limit: npt.NDArray[Any]) -> Mask:
    """Return where two flat arrays of numbers differ by more than `limit`."""
    if is_integer(desired.dtype):
        return np.asarray(_int_difference(actual, desired) > limit)
    bad: Mask = _float_difference(actual, desired) > limit
    finite = _finite(actual, desired)
    if not finite.all():
        rest = np.flatnonzero(~finite)
        bad[rest] = _unequal(actual[rest], desired[rest])
    return bad


def _finite(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> Mask:
    """Return, flat, where both elements are finite."""
    finite: Mask = np.isfinite(flat(actual)) & np.isfinite(flat(desired))
    return finite


def _float_difference(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return, flat, the absolute difference in float64; NaN or infinite where an element is."""
    difference = widened(flat(actual)) - widened(flat(desired))
    return np.abs(difference, out=difference)


def _int_difference(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return, flat, the absolute difference in uint64: exact for any two integers of 64 bits or less."""
    wide = np.uint64 if dtype_name(desired.dtype) == "uint64" else np.int64
    left, right = flat(actual).astype(wide, copy=False), flat(desired).astype(wide, copy=False)
    # Signed subtraction wraps around: its bits are the difference modulo 2**64, and the difference is below 2**64.
    return (np.maximum(left, right) - np.minimum(left, right)).view(np.uint64)


def _ordered(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Map floats, flat, to unsigned integers in the same order: neighbours to neighbours, both zeros to one integer."""
    bits_type = _BITS[dtype_name(array.dtype)]
    native = flat(array).astype(array.dtype.newbyteorder("="), copy=False)
    bits = np.ascontiguousarray(native).view(bits_type)
    sign = bits_type(1 << (8 * bits.dtype.itemsize - 1))
    magnitude = bits & ~sign
    ordered: npt.NDArray[Any] = np.where(bits >= sign, sign - magnitude, sign + magnitude)
    return ordered


def _greatest(values: npt.NDArray[Any], mask: Mask | None) -> int | float | None:
    """Return the greatest value where `mask` is set, None without any."""
    if mask is not None and not mask.all():
        values = values[mask]
    greatest: int | float | None = values.max().item() if values.size else None
    return greatest


def _unequal(actual: npt.NDArray[Any], desired: npt.NDArray[Any]) -> Mask:
    """Return where two flat arrays are not equal; NaN equals NaN."""
    if dtype_name(desired.dtype) == STRING:
        return np.asarray(actual.astype(object) != desired.astype(object), dtype=np.bool_)
    bad = np.asarray(actual != desired, dtype=np.bool_)
    if is_float(desired.dtype) or desired.dtype.kind == "c":
        bad &= ~((actual != actual) & (desired != desired))
    return bad
