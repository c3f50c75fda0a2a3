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

import numpy as np
import numpy.typing as npt

from burn_verify.core.case import Hints, InputHint, TensorSpec
from burn_verify.core.dims import names_in, resolved, size_of
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.core.text import bytes_in_words
from burn_verify.graph.dtypes import dtype_name
from burn_verify.graph.infer import sizing
from burn_verify.reference.fills import filled, read_array

SEEDED: Final = "seeded"
"""Name of the data set that is drawn by default."""

_DRAWN_BYTES: Final = 8
# Size of an element during drawing: all values are drawn in 64 bits, complex numbers in two steps.

FIRST_DIM: Final = 1
"""Size of an unnamed unknown first dimension, which is nearly always the batch."""

OTHER_DIM: Final = 8
"""Size of any other unknown dimension: small, even, and not 1, so that no unintended broadcasting occurs."""

NAMED_DIMS: Final[Mapping[str, int]] = MappingProxyType(
    {**sizing.NAMED, **dict.fromkeys(("n", "none", "batch", "batchsize", "batch_size"), 1)}
)
"""Sizes of symbolic dimensions by lower-cased name, in any place; any other name has the size `OTHER_DIM`.

A name's size must not depend on its place: the same name may be first in one input and last in another.
"""

_FIRST: Final = 4
"""Number of values of an input that its description contains."""


def bind_shape(spec: TensorSpec, hints: Hints) -> tuple[int, ...]:
    """Return the shape with which an input is drawn, every dimension a number.

    Sources, in this order: the hint's file or shape; the declared number; `hints.dims` by symbolic name; `NAMED_DIMS`
    by name and `OTHER_DIM` for other names; for a dimension without a name, `FIRST_DIM` in the first place and
    `OTHER_DIM` in other places. Relations are not looked at: see `bound`.
    A negative declared number means unknown: some exporters write -1.

    Raises:
        ValueError: a text in the hint's shape is no expression of sizes.
        OracleError: the hint's file cannot be read.
    """
    hint = _hint(spec.name, hints)
    dims = dict(hints.dims)
    if hint.file is not None:
        return read_array(spec.name, hint).shape
    if hint.shape is not None:
        return tuple(size if isinstance(size, int) else _evaluated(size, dims) for size in hint.shape)
    return tuple(_bind(dim, place, dims) for place, dim in enumerate(spec.shape))


def bound(specs: Sequence[TensorSpec], hints: Hints) -> Hints:
    """Add to `hints.dims` the symbolic names that hinted shapes and files bind, then those that relations give.

    A name in `hints.dims` keeps its size, unless a relation gives it.

    Raises:
        ValueError, OracleError: see `bind_shape`; or a relation has no size.
    """
    dims = dict(hints.dims)
    for spec in specs:
        hint = _hint(spec.name, hints)
        shape = read_array(spec.name, hint).shape if hint.file is not None else hint.shape
        if shape is not None and len(shape) == len(spec.shape):
            for dim, size in zip(spec.shape, shape, strict=True):
                if isinstance(dim, str) and dim and isinstance(size, int):
                    dims.setdefault(dim, size)
    dims |= resolved(hints.relations, lambda name: _bind(name, 0, dims))
    return replace(hints, dims=tuple(dims.items()))


def make_inputs(
    digest: str, specs: Sequence[TensorSpec], hints: Hints, data_set: str = SEEDED, *, memory_limit: int = 0
) -> dict[str, npt.NDArray[Any]]:
    """Draw one array per input, by name, in the order of `specs`.

    Shapes are those of `bind_shape`, dtypes those of the specs (``string`` is an object array of `str`), values those
    of `reference.fills`. A hinted shape also binds the symbolic names of its dimensions, so that the other inputs
    match. Another name of the data set gives other values.

    Arguments:
        digest: of the model, see `burn_verify.core.stage.PreparedCase`; the values do not depend on the model's name.
        memory_limit: MiB that drawing may take, 0 for the memory of the machine.

    Raises:
        OracleError: a dtype is not that of a tensor (a sequence, a map), the dtype cannot represent a hint, a relation
            or a file is wrong, or the inputs are too large.
    """
    try:
        sized = bound(specs, hints)
        shapes = {spec.name: bind_shape(spec, sized) for spec in specs}
    except ValueError as error:
        message = f"a size cannot be told: {error}"
        raise OracleError(message, "size of a dimension unknown", kind=FailureKind.USAGE) from error
    _check_size(shapes, memory_limit)
    return {spec.name: _make(digest, spec, shapes[spec.name], sized, data_set) for spec in specs}


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


def _evaluated(expression: str, dims: Mapping[str, int]) -> int:
    return size_of(expression, {name: _bind(name, 0, dims) for name in names_in(expression)})


def _check_size(shapes: Mapping[str, tuple[int, ...]], memory_limit: int) -> None:
    """Check the memory that all inputs need, before any is drawn.

    Raises:
        OracleError: they need more than the limit; the message names the largest input.
    """
    limit = memory_limit << 20 or _physical_memory()
    sizes = {name: _DRAWN_BYTES * math.prod(shape) for name, shape in shapes.items()}
    if sum(sizes.values()) > limit:
        name = max(sizes, key=lambda one: sizes[one])
        whose = " (--burn-memory-limit)" if memory_limit else ", the memory of this machine"
        wanted, most = bytes_in_words(sizes[name]), bytes_in_words(limit)
        message = f"the input {name} would take {wanted} while it is drawn, the limit is {most}{whose}"
        raise OracleError(message, "an input is larger than memory", kind=FailureKind.MEMORY)


def _physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _make(digest: str, spec: TensorSpec, shape: tuple[int, ...], hints: Hints, data_set: str) -> npt.NDArray[Any]:
    """Draw one input from its own generator."""
    # PCG64 is named explicitly, since NumPy may change the bit generator of `default_rng`.
    rng = np.random.Generator(np.random.PCG64(_seed(digest, data_set, spec.name)))
    return filled(rng, shape, spec, _hint(spec.name, hints))
