"""Ordinary values of an operand, seeded; `strategies` has the values of drawn examples."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.cases.generated.operator_spec import Operand
from burn_verify.graph.dtypes import STRING, numpy_dtype
from burn_verify.reference.fills import WORDS


def ordinary(operand: Operand, *seed: str, phase: int = 0) -> npt.NDArray[Any]:
    """Return values of an operand's shape and dtype: the fixed one, else drawn between its bounds.

    Half of the floats are whole quarters, so that exact results occur. `phase`, 0 or 1, says at which places
    `Operand.ties` stand.
    The kind of the operand is not part of a seed: twins that differ in it have equal values.
    """
    if operand.fixed is not None:
        return operand.fixed
    drawn = _drawn(operand, *seed)
    if operand.dtype in (STRING, "bool") or not drawn.size:
        return drawn
    low, high = whole_bounds(operand) if "int" in operand.dtype else (operand.low, operand.high)
    if operand.ties:
        # Whatever the shapes, and along every axis of three elements and more, two operands or two elements are equal.
        tied = np.indices(operand.shape).sum(axis=0) % 2 == phase
        looked_for = [one if np.isinf(one) else np.clip(one, low, high) for one in operand.ties]
        drawn[tied] = np.resize(looked_for, np.count_nonzero(tied)).astype(drawn.dtype)
    elif low < 0 and drawn.size > 1 and not (drawn < 0).any():
        drawn.flat[-1] = low
    return drawn


def near(operand: Operand, *seed: str) -> npt.NDArray[Any]:
    """Return other values for an operand that has a fixed one: of its sign and size, and whole numbers beside its own.

    Whether the operator takes them is for its reference to say.
    """
    value = operand.fixed
    assert value is not None
    rng = _rng(operand, *seed)
    if operand.dtype == STRING or not value.size:
        return value
    if operand.dtype == "bool":
        return np.asarray(~value)
    if "int" in operand.dtype:
        low, _ = whole_bounds(operand)
        beside = np.maximum(value.astype(np.int64) + rng.integers(-1, 2, value.shape), low)
        return np.asarray(beside).astype(value.dtype)
    moved = rng.permutation(value.reshape(-1)).reshape(value.shape).astype(np.float64)
    return np.asarray(moved * rng.uniform(0.8, 1.25, value.shape)).astype(value.dtype)


def _rng(operand: Operand, *seed: str) -> np.random.Generator:
    digest = hashlib.sha256("\0".join((*seed, operand.dtype, str(operand.shape))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))


def _drawn(operand: Operand, *seed: str) -> npt.NDArray[Any]:
    rng = _rng(operand, *seed)
    if operand.dtype == STRING:
        words = np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), operand.shape)]
        return np.asarray(words, dtype=object).reshape(operand.shape)
    dtype = numpy_dtype(operand.dtype)
    if operand.dtype == "bool":
        return np.asarray(rng.integers(0, 2, operand.shape), dtype=np.bool_)
    if "int" in operand.dtype:
        low, high = whole_bounds(operand)
        return np.asarray(rng.integers(low, high + 1, operand.shape)).astype(dtype)
    drawn = rng.uniform(operand.low, operand.high, operand.shape)
    quarters = np.clip(np.round(drawn * 4) / 4, operand.low, operand.high)
    return np.asarray(np.where(rng.random(operand.shape) < 0.5, drawn, quarters)).astype(dtype)


def whole_bounds(operand: Operand) -> tuple[int, int]:
    """Return the least and the greatest integer between an operand's bounds that its dtype holds."""
    bits = int(operand.dtype.removeprefix("u").removeprefix("int"))
    least, greatest = (0, (1 << bits) - 1) if operand.dtype.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return max(least, int(np.ceil(operand.low))), min(greatest, int(np.floor(operand.high)))
