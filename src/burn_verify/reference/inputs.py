"""Seeded inputs, with which a model is run when no data is stored for it.

Pure functions: the same model, names, types and hints give the same arrays, independent of the names of the file and
the case. Each input has its own generator, so a change to one input does not change the others. Reads no model and does
not depend on operators.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import ml_dtypes
import numpy as np
import numpy.typing as npt

from burn_verify.core.case import Hints, InputHint, TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.core.text import bytes_in_words
from burn_verify.graph.dtypes import STRING, dtype_name, numpy_dtype

SEEDED: Final = "seeded"
"""Name of the data set that is drawn by default."""

_DRAWN_BYTES: Final = 8
# Size of an element during drawing: all values are drawn in 64 bits, complex numbers in two steps.

FIRST_DIM: Final = 1
"""Size of an unnamed unknown first dimension, which is nearly always the batch."""

OTHER_DIM: Final = 8
"""Size of any other unknown dimension: small, even, and not 1, so that no unintended broadcasting occurs."""

NAMED_DIMS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "n": 1,
        "none": 1,
        "batch": 1,
        "batchsize": 1,
        "batch_size": 1,
        "c": 3,
        "channels": 3,
        "num_channels": 3,
        "h": 224,
        "w": 224,
        "height": 224,
        "width": 224,
    }
)
"""Sizes of symbolic dimensions by lower-cased name, in any place; any other name has the size `OTHER_DIM`.

A name's size must not depend on its place: the same name may be first in one input and last in another.
"""

WORDS: Final = ("a", "be", "cat", "dove", "eagle", "ferret", "giraffe", "hamster")
"""Words of which text inputs are drawn."""

_FIRST: Final = 4
"""Number of values of an input that its description contains."""

_NARROW: Final = frozenset({"uint8", "int8", "uint4", "int4", "uint2", "int2"})
_COUNT: Final = range(0, 10)
# Pixels and quantised values use their whole range; wider integers are mostly indices, lengths and token ids.


def bind_shape(spec: TensorSpec, hints: Hints) -> tuple[int, ...]:
    """Return the shape with which an input is drawn, every dimension a number.

    Sources, in this order: the hint's shape; the declared number; `hints.dims` by symbolic name; `NAMED_DIMS` by name
    and `OTHER_DIM` for other names; for a dimension without a name, `FIRST_DIM` in the first place and `OTHER_DIM` in
    other places.
    A negative declared number means unknown: some exporters write -1.
    """
    hint = _hint(spec.name, hints)
    if hint.shape is not None:
        return hint.shape
    dims = dict(hints.dims)
    return tuple(_bind(dim, place, dims) for place, dim in enumerate(spec.shape))


def make_inputs(
    digest: str, specs: Sequence[TensorSpec], hints: Hints, data_set: str = SEEDED, *, memory_limit: int = 0
) -> dict[str, npt.NDArray[Any]]:
    """Draw one array per input, by name, in the order of `specs`.

    Shapes are those of `bind_shape`, dtypes those of the specs (``string`` is an object array of `str`). A hinted
    shape also binds the symbolic names of its dimensions, so that the other inputs match.

    Floats are ``scale · N(0, 1) + shift``, drawn in float64 and rounded once to the dtype; integers are uniform over
    [low, high), by default the whole range up to 8 bits and [0, 10) above; booleans are true with probability 1/2.
    Another name of the data set gives other values.

    Arguments:
        digest: of the model, see `burn_verify.core.stage.PreparedCase`; the values do not depend on the model's name.
        memory_limit: MiB that drawing may take, 0 for the memory of the machine.

    Raises:
        OracleError: a dtype is not that of a tensor (a sequence, a map), the dtype cannot represent a hint, or the
            inputs are too large.
    """
    bound = _bind_names(specs, hints)
    _check_size(specs, bound, memory_limit)
    return {spec.name: _make(digest, spec, bound, data_set) for spec in specs}


def described(specs: Sequence[TensorSpec], arrays: Sequence[npt.NDArray[Any]]) -> list[str]:
    """Describe each input in one line: ``x: float32[1,3], -1.2 to 0.7: 0.7, -1.2, 0.1``."""
    return [f"{spec.name}: {_said(array)}" for spec, array in zip(specs, arrays, strict=False)]


@np.errstate(all="ignore")
def _said(array: npt.NDArray[Any]) -> str:
    head = f"{dtype_name(array.dtype)}[{','.join(map(str, array.shape))}]"
    if not array.size:
        return head
    first = ", ".join(_shown(value) for value in array.reshape(-1)[:_FIRST])
    more = ", …" if array.size > _FIRST else ""
    if array.dtype.kind in "Ocb" or array.size == 1:
        return f"{head}: {first}{more}"
    numbers = array.astype(np.float64) if array.dtype.kind not in "iu" else array
    return f"{head}, {_shown(np.nanmin(numbers))} to {_shown(np.nanmax(numbers))}: {first}{more}"


def _shown(value: Any) -> str:
    if isinstance(value, str | bool | np.bool_):
        return str(value)
    return str(value) if isinstance(value, int | np.integer | complex) else f"{float(value):.4g}"


def _seed(*parts: str) -> int:
    """Hash the parts to 64 bits; JSON distinguishes ("a", "bc") from ("ab", "c")."""
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:8], "big")


def _hint(name: str, hints: Hints) -> InputHint:
    """Return the hint for an input, or an empty hint."""
    return next((hint for hint in hints.inputs if hint.name == name), InputHint(name=name))


def _bind(dim: int | str | None, place: int, dims: Mapping[str, int]) -> int:
    """Return the size of one dimension; see `bind_shape`."""
    if isinstance(dim, str) and dim:
        return dims.get(dim, NAMED_DIMS.get(dim.lower(), OTHER_DIM))
    if isinstance(dim, int) and dim >= 0:
        return dim
    return FIRST_DIM if place == 0 else OTHER_DIM


def _bind_names(specs: Sequence[TensorSpec], hints: Hints) -> Hints:
    """Add the symbolic names that a hinted shape binds; a name in `hints.dims` keeps its size."""
    dims = dict(hints.dims)
    for spec in specs:
        shape = _hint(spec.name, hints).shape
        if shape is not None and len(shape) == len(spec.shape):
            for dim, size in zip(spec.shape, shape, strict=True):
                if isinstance(dim, str) and dim:
                    dims.setdefault(dim, size)
    return replace(hints, dims=tuple(dims.items()))


def _check_size(specs: Sequence[TensorSpec], hints: Hints, memory_limit: int) -> None:
    """Check the memory that all inputs need, before any is drawn.

    Raises:
        OracleError: they need more than the limit; the message names the largest input.
    """
    limit = memory_limit << 20 or _physical_memory()
    sizes = {spec.name: _DRAWN_BYTES * math.prod(bind_shape(spec, hints)) for spec in specs}
    if sum(sizes.values()) > limit:
        name = max(sizes, key=lambda one: sizes[one])
        whose = " (--burn-memory-limit)" if memory_limit else ", the memory of this machine"
        wanted, most = bytes_in_words(sizes[name]), bytes_in_words(limit)
        message = f"the input {name} would take {wanted} while it is drawn, the limit is {most}{whose}"
        raise OracleError(message, "an input is larger than memory", kind=FailureKind.MEMORY)


def _physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _make(digest: str, spec: TensorSpec, hints: Hints, data_set: str) -> npt.NDArray[Any]:
    """Draw one input from its own generator."""
    try:
        dtype = numpy_dtype(spec.dtype)
    except ValueError as error:
        msg = f"input {spec.name}: cannot make seeded data of type {spec.dtype}"
        raise OracleError(msg, reason=f"no seeded data of type {spec.dtype}") from error
    hint = _hint(spec.name, hints)
    shape = bind_shape(spec, hints)
    # PCG64 is named explicitly, since NumPy may change the bit generator of `default_rng`.
    rng = np.random.Generator(np.random.PCG64(_seed(digest, data_set, spec.name)))
    if spec.dtype == STRING:
        return _words(rng, shape, hint)
    if spec.dtype == "bool":
        coins = rng.integers(0, 2, shape) if hint.value is None else np.full(shape, hint.value)
        return np.asarray(coins, dtype=np.bool_)
    if "int" in spec.dtype:
        return _integers(rng, shape, spec, dtype, hint)
    return _floats(rng, shape, dtype, hint)


def _words(rng: np.random.Generator, shape: tuple[int, ...], hint: InputHint) -> npt.NDArray[Any]:
    """Draw short ASCII words; the fill value of a hint is converted to text."""
    words = np.empty(shape, dtype=object)
    if hint.value is None:
        words[...] = np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), shape)]
    else:
        words[...] = f"{hint.value:g}"
    return words


def _floats(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], hint: InputHint
) -> npt.NDArray[Any]:
    """Draw floats in float64, complex numbers as two floats, and round once."""
    if hint.value is not None:
        drawn = np.full(shape, hint.value)
    else:
        drawn = np.asarray(rng.standard_normal(shape) * hint.scale + hint.shift)
        if dtype.kind == "c":
            drawn = np.asarray(drawn + 1j * (rng.standard_normal(shape) * hint.scale + hint.shift))
        elif dtype == ml_dtypes.float8_e8m0fnu:
            drawn = np.abs(drawn)  # The dtype holds powers of two without a sign.
    with np.errstate(over="ignore"):
        return np.asarray(drawn).astype(dtype)


def _integers(
    rng: np.random.Generator, shape: tuple[int, ...], spec: TensorSpec, dtype: np.dtype[Any], hint: InputHint
) -> npt.NDArray[Any]:
    """Draw integers of any width; the fill value of a hint is a range with one element."""
    span = _int_range(spec, hint)
    whole = _whole_range(spec.dtype)
    if not span or span.start < whole.start or span.stop > whole.stop:
        msg = f"input {spec.name}: [{span.start}, {span.stop}) is not a range of {spec.dtype}"
        raise OracleError(msg, reason=f"hint out of range for {spec.dtype}")
    wide = np.uint64 if spec.dtype == "uint64" else np.int64
    return np.asarray(rng.integers(span.start, span.stop, shape, dtype=wide)).astype(dtype)


def _whole_range(name: str) -> range:
    """Return the integers a dtype such as ``uint4`` can hold."""
    bits = int(name.removeprefix("u").removeprefix("int"))
    return range(0, 1 << bits) if name.startswith("u") else range(-(1 << (bits - 1)), 1 << (bits - 1))


def _int_range(spec: TensorSpec, hint: InputHint) -> range:
    """Return the range to draw from: the limits of the hint, else those of the dtype."""
    if hint.value is not None:
        if not float(hint.value).is_integer():
            msg = f"input {spec.name}: {hint.value} is no value of {spec.dtype}"
            raise OracleError(msg, reason=f"hint out of range for {spec.dtype}")
        return range(int(hint.value), int(hint.value) + 1)
    usual = _whole_range(spec.dtype) if spec.dtype in _NARROW else _COUNT
    low, high = hint.low, hint.high
    if low is None:
        low = usual.start if high is None else min(usual.start, high - 1)
    if high is None:
        high = max(usual.stop, low + 1)
    return range(low, high)
