"""The values of one input of a known shape: drawn, filled with, or read from a file, as its hint says.

Knows no model: see `reference.inputs` for shapes and generators.
"""

import struct
import tokenize
from typing import Any, Final

import ml_dtypes
import numpy as np
import numpy.typing as npt

from burn_verify.core.case import Distribution, Fill, InputHint, TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.dtypes import STRING, dtype_name, numpy_dtype

Array = npt.NDArray[Any]

WORDS: Final = ("a", "be", "cat", "dove", "eagle", "ferret", "giraffe", "hamster")
"""Words of which text inputs are drawn."""

_NARROW: Final = frozenset({"uint8", "int8", "uint4", "int4", "uint2", "int2"})
_COUNT: Final = range(0, 10)

BROKEN_ARRAY: Final = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    tokenize.TokenError,
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    struct.error,
)
"""What numpy raises for a damaged file: it reads the header, which may be any bytes, as a Python literal."""
# Pixels and quantised values use their whole range; wider integers are mostly indices, lengths and token ids.


def filled(rng: np.random.Generator, shape: tuple[int, ...], spec: TensorSpec, hint: InputHint) -> Array:
    """Return the values of an input.

    Floats are ``scale · N(0, 1) + shift``, drawn in float64 and rounded once to the dtype, or uniform over
    [low, high); integers are uniform over [low, high), by default the whole range up to 8 bits and [0, 10) above;
    booleans are true with probability 1/2.

    Arguments:
        shape: of a file, where the hint names one.

    Raises:
        OracleError: the dtype is not that of a tensor, is not the hinted one, or cannot represent a hint.
    """
    try:
        dtype = numpy_dtype(spec.dtype)
    except ValueError as error:
        msg = f"input {spec.name}: cannot make seeded data of type {spec.dtype}"
        raise OracleError(msg, reason=f"no seeded data of type {spec.dtype}") from error
    if hint.dtype not in (None, spec.dtype):
        raise _refused(spec, f"the hint says {hint.dtype}, the model says {spec.dtype}")
    if hint.file is not None:
        return fitting(read_array(spec.name, hint), spec)
    if hint.fill is Fill.ARANGE:
        return _counting(shape, spec, dtype)
    if (value := fill_value(hint)) is not None:
        return _constant(value, shape, spec, dtype)
    if hint.values:
        return _repeated(hint.values, shape, spec, dtype)
    drawn = _drawn(rng, shape, spec, dtype, hint)
    if hint.first is not None and shape and drawn.size:
        drawn[..., 0] = _constant(hint.first, (), spec, dtype)
    return drawn


def _drawn(
    rng: np.random.Generator, shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any], hint: InputHint
) -> Array:
    if spec.dtype == STRING:
        return np.asarray(np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), shape)], dtype=object)
    if spec.dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape), dtype=np.bool_)
    if "int" in spec.dtype:
        return _integers(rng, shape, spec, dtype, hint)
    return _floats(rng, shape, dtype, hint)


def fill_value(hint: InputHint) -> float | None:
    """Return the number that every element of an input is; None where the elements differ."""
    return {Fill.ZEROS: 0, Fill.ONES: 1}.get(hint.fill, hint.value) if hint.fill else hint.value


def read_array(name: str, hint: InputHint) -> Array:
    """Return the array of the file of a hint, mapped into memory.

    Raises:
        OracleError: it cannot be read.
    """
    assert hint.file is not None
    try:
        return np.asarray(np.load(hint.file, mmap_mode="r", allow_pickle=False))
    except BROKEN_ARRAY as error:
        msg = f"input {name}: {hint.file.name} is no .npy file that can be read: {error}"
        raise OracleError(msg, "file of an input cannot be read", kind=FailureKind.USAGE) from error


def _refused(spec: TensorSpec, why: str) -> OracleError:
    message = f"input {spec.name}: {why}"
    return OracleError(message, f"hint out of range for {spec.dtype}", kind=FailureKind.USAGE)


def fitting(array: Array, spec: TensorSpec) -> Array:
    """Return a copy of an array in the dtype of an input.

    Raises:
        OracleError: a value would change its kind, such as a float that would become an integer, or does not fit.
    """
    dtype = numpy_dtype(spec.dtype)
    if array.dtype == dtype:
        return np.array(array)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise _refused(spec, f"the file holds {dtype_name(array.dtype)}, the model takes {spec.dtype}")
    with np.errstate(all="ignore"):
        cast = np.array(array, dtype=dtype)
    gone = cast != array if array.dtype.kind in "iu" else np.isfinite(array) & ~np.isfinite(cast)
    if array.dtype.kind in "iuf" and gone.any():
        raise _refused(spec, f"{array[gone].reshape(-1)[0]} is no value of {spec.dtype}")
    return cast


def _counting(shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any]) -> Array:
    last = shape[-1] if shape else 1
    if "int" in spec.dtype and last - 1 not in _whole_range(spec.dtype):
        raise _refused(spec, f"0 to {last - 1} is no range of {spec.dtype}")
    return np.broadcast_to(np.arange(last).astype(dtype), shape or (1,)).reshape(shape).copy()


def _constant(value: float, shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any]) -> Array:
    if spec.dtype == STRING:
        words = np.empty(shape, dtype=object)
        words[...] = f"{value:g}"
        return words
    if "int" in spec.dtype:
        if not float(value).is_integer() or int(value) not in _whole_range(spec.dtype):
            raise _refused(spec, f"{value} is no value of {spec.dtype}")
        return np.full(shape, int(value)).astype(dtype)
    with np.errstate(over="ignore"):
        return np.full(shape, value).astype(dtype)


def _repeated(values: tuple[float, ...], shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any]) -> Array:
    if "int" in spec.dtype and any(
        not float(value).is_integer() or int(value) not in _whole_range(spec.dtype) for value in values
    ):
        raise _refused(spec, f"{values} are no values of {spec.dtype}")
    wide = np.asarray(values, np.int64 if "int" in spec.dtype else np.float64)
    return np.resize(wide, shape).astype(dtype)


def _floats(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], hint: InputHint) -> Array:
    """Draw floats in float64, complex numbers as two floats, and round once."""
    drawn = _real(rng, shape, hint)
    if dtype.kind == "c":
        drawn = np.asarray(drawn + 1j * _real(rng, shape, hint))
    elif dtype == ml_dtypes.float8_e8m0fnu:
        drawn = np.abs(drawn)  # The dtype holds powers of two without a sign.
    with np.errstate(over="ignore"):
        return np.asarray(drawn).astype(dtype)


def _real(rng: np.random.Generator, shape: tuple[int, ...], hint: InputHint) -> Array:
    low, high = hint.low, hint.high
    if hint.whole and hint.low is not None and hint.high is not None:
        return rng.integers(int(hint.low), int(hint.high), shape).astype(np.float64)
    if hint.distribution is Distribution.UNIFORM or (hint.distribution is None and None not in (low, high)):
        return np.asarray(rng.uniform(0.0 if low is None else low, 1.0 if high is None else high, shape))
    drawn = np.asarray(rng.standard_normal(shape) * hint.scale + hint.shift)
    # Reflected, not cut off: half of all values would be equal to the limit.
    if low is not None:
        drawn = low + np.abs(drawn - low)
    if high is not None:
        drawn = np.maximum(high - np.abs(high - drawn), -np.inf if low is None else low)
    return np.asarray(drawn)


def _integers(
    rng: np.random.Generator, shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any], hint: InputHint
) -> Array:
    """Draw integers of any width."""
    span = _int_range(spec, hint)
    whole = _whole_range(spec.dtype)
    if not span or span.start < whole.start or span.stop > whole.stop:
        raise _refused(spec, f"[{span.start}, {span.stop}) is not a range of {spec.dtype}")
    if hint.distinct and shape and shape[-1] <= len(span):
        rows = [rng.permutation(len(span))[: shape[-1]] for _ in range(int(np.prod(shape[:-1], dtype=np.int64)))]
        return (np.asarray(rows, np.int64).reshape(shape) + span.start).astype(dtype)
    wide = np.uint64 if spec.dtype == "uint64" else np.int64
    return np.asarray(rng.integers(span.start, span.stop, shape, dtype=wide)).astype(dtype)


def _whole_range(name: str) -> range:
    """Return the integers a dtype such as ``uint4`` can hold."""
    bits = int(name.removeprefix("u").removeprefix("int"))
    return range(0, 1 << bits) if name.startswith("u") else range(-(1 << (bits - 1)), 1 << (bits - 1))


def _int_range(spec: TensorSpec, hint: InputHint) -> range:
    """Return the range to draw from: the limits of the hint, else those of the dtype."""
    for limit in filter(None, (hint.low, hint.high)):
        if not float(limit).is_integer():
            raise _refused(spec, f"{limit} is no value of {spec.dtype}")
    usual = _whole_range(spec.dtype) if spec.dtype in _NARROW else _COUNT
    low, high = (None if limit is None else int(limit) for limit in (hint.low, hint.high))
    if high is not None and hint.closed:
        high += 1
    if low is None:
        low = usual.start if high is None else min(usual.start, high - 1)
    if high is None:
        high = max(usual.stop, low + 1)
    return range(low, high)
