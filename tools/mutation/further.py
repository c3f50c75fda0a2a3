"""Further inputs of many kinds, to tell a mutant that is equivalent from one that the judged data do not show.

Shapes and dtypes are those of the inputs that were judged. Whether a model takes such values is for its reference to
say. Pure: the same seed gives the same values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Rng: TypeAlias = np.random.Generator

SPECIAL: Final = "special values"
"""The kind with NaN and infinities: a mutant that only these show is told apart in the report."""

_FLOATS: Final[Mapping[str, Callable[[Rng, Array], Array]]] = {
    "normal": lambda rng, like: rng.standard_normal(like.shape),
    "wide": lambda rng, like: 10 * rng.standard_normal(like.shape),
    "huge": lambda rng, like: 1e3 * rng.standard_normal(like.shape),
    "tiny": lambda rng, like: 1e-3 * rng.standard_normal(like.shape),
    "ties": lambda rng, like: rng.integers(-2, 3, like.shape) / 2,
    "whole numbers": lambda rng, like: rng.integers(-9, 10, like.shape),
    "halves": lambda rng, like: rng.integers(-9, 10, like.shape) + 0.5,
    "negative": lambda rng, like: -np.abs(rng.standard_normal(like.shape)) - 0.1,
    "positive": lambda rng, like: np.abs(rng.standard_normal(like.shape)) + 0.1,
    "unit interval": lambda rng, like: rng.random(like.shape),
    "within one": lambda rng, like: rng.uniform(-1, 1, like.shape),
    "mostly zero": lambda rng, like: rng.standard_normal(like.shape) * (rng.random(like.shape) < 0.3),
    "all equal": lambda rng, like: np.full(like.shape, rng.standard_normal()),
    "shuffled": lambda rng, like: _shuffled(rng, like),
    "turned sign": lambda rng, like: -like.astype(np.float64),
    SPECIAL: lambda rng, like: _sprinkled(rng, like.shape),
}
_MODES: Final = ("kind", "integers kept", "mixed")
USUAL: Final = len(_MODES) * len(_FLOATS)
"""Sets after which every kind had its turns; those behind them are for models that refuse most values."""
_PASSES: Final = 4


def further_inputs(inputs: Sequence[Array], seed: int) -> Iterator[tuple[str, list[Array]]]:
    """Yield kinds and sets of values, each kind with all inputs of the kind, with integers kept, and mixed; then again.

    Arguments:
        inputs: arrays that the model takes, of any dtype; text is kept as it is.
        seed: of every value.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for mode in _MODES * _PASSES:
            for kind in _FLOATS:
                yield kind, [_like(rng, array, kind, _kept(rng, array, mode)) for array in inputs]


def _kept(rng: Rng, array: Array, mode: str) -> bool:
    """Tell whether an input keeps its values: those of indices, sizes and axes are seldom free."""
    if mode == "kind":
        return False
    if mode == "integers kept":
        return array.dtype.kind in "iu"
    return bool(rng.random() < 0.4)


def _like(rng: Rng, array: Array, kind: str, kept: bool) -> Array:
    if kept or array.dtype.kind in "OUS" or not array.size:
        return array
    if array.dtype.kind == "b":
        return np.asarray(rng.random(array.shape) < rng.choice([0.1, 0.5, 0.9]))
    if array.dtype.kind in "iu":
        return _integers(rng, array, kind)
    return np.asarray(_FLOATS[kind](rng, array)).astype(array.dtype)


def _integers(rng: Rng, array: Array, kind: str) -> Array:
    """Draw integers as the kind of floats would have it, inside what the dtype holds."""
    span = np.iinfo(array.dtype)
    low, high = int(array.min()), int(array.max())
    if kind in ("shuffled", "mostly zero"):
        return _shuffled(rng, array)
    if kind in ("wide", "huge", "turned sign", SPECIAL):
        low, high = max(span.min, -(high + 100)), min(span.max, high + 100)
    elif kind in ("negative", "within one", "halves"):
        low, high = max(span.min, -max(high, 1)), max(high, 1)
    shape = () if kind == "all equal" else array.shape
    dtype = np.uint64 if array.dtype == np.uint64 else np.int64
    drawn = rng.integers(low, high, shape, dtype=dtype, endpoint=True)
    return np.broadcast_to(np.asarray(drawn), array.shape).astype(array.dtype)


def _shuffled(rng: Rng, like: Array) -> Array:
    return rng.permutation(like.reshape(-1)).reshape(like.shape)


def _sprinkled(rng: Rng, shape: tuple[int, ...]) -> Array:
    values = rng.standard_normal(shape)
    special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape)
    return np.where(rng.random(shape) < 0.3, special, values)
