"""Which values of two sides belong together: by their names, else by their place. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from burn_verify.core.case import TensorSpec
from burn_verify.graph.dtypes import dtype_name, numpy_dtype
from burn_verify.judge.metrics import is_float
from burn_verify.judge.structure import show_tensor
from burn_verify.system.wire import Array

Named: TypeAlias = Mapping[str, Array]
"""Arrays by name, in the order of the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two values that belong together; `by_name` where they are called the same, else by their place."""

    one: str
    other: str
    by_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The pairs of two lists of names, in the order of the first; and the names that are left of each."""

    pairs: tuple[Pair, ...]
    only_one: tuple[str, ...] = ()
    only_other: tuple[str, ...] = ()


def matched(one: Sequence[str], other: Sequence[str]) -> Matched:
    """Pair names that are the same; pair the rest by their place, if as many are left on either side."""
    rest_one, rest_other = (
        [name for name in some if name not in among] for some, among in ((one, other), (other, one))
    )
    if len(rest_one) != len(rest_other):
        pairs = tuple(Pair(one=name, other=name, by_name=True) for name in one if name in other)
        return Matched(pairs=pairs, only_one=tuple(rest_one), only_other=tuple(rest_other))
    by_place = dict(zip(rest_one, rest_other, strict=True))
    return Matched(
        pairs=tuple(Pair(one=name, other=by_place.get(name, name), by_name=name not in by_place) for name in one)
    )


def other_inputs(one: Named, other: Named) -> str:
    """Return how the inputs of two sides differ, empty where they are the same bit by bit."""
    pairs = matched(list(one), list(other))
    if pairs.only_one or pairs.only_other or not one:
        return f"other inputs: {', '.join(one) or 'none'} on A, {', '.join(other) or 'none'} on B"
    for pair in pairs.pairs:
        mine, theirs = one[pair.one], other[pair.other]
        if mine.dtype != theirs.dtype or mine.shape != theirs.shape:
            return f"other inputs: {pair.one!r} is {show_tensor(mine)} on A, {show_tensor(theirs)} on B"
        if mine.tobytes() != theirs.tobytes():
            return f"other inputs: the values of {pair.one!r} are not the same"
    return ""


def fed(specs: Sequence[TensorSpec], given: Named) -> tuple[list[Array], list[str]]:
    """Return given values in the order of a model's inputs, and in a line each what had to be done for it.

    Raises:
        ValueError: they are not the inputs of this model; the message is the end of a sentence about the model.
    """
    pairs = matched([spec.name for spec in specs], list(given))
    if pairs.only_one or pairs.only_other:
        msg = (
            f"takes {', '.join(spec.name for spec in specs) or 'nothing'}; the inputs are {', '.join(given) or 'none'}"
        )
        raise ValueError(msg)
    values, notes = [], []
    for spec, pair in zip(specs, pairs.pairs, strict=True):
        value = given[pair.other]
        if not pair.by_name:
            notes.append(f"input {pair.one!r} is fed with {pair.other!r}, by its place")
        if dtype_name(value.dtype) != spec.dtype:
            value = _cast(value, spec)
            notes.append(f"input {pair.one!r} takes {spec.dtype}, and gets {pair.other!r} cast to it")
        values.append(value)
    return values, notes


def _cast(value: Array, spec: TensorSpec) -> Array:
    try:
        dtype = numpy_dtype(spec.dtype)
    except (KeyError, TypeError, ValueError):
        dtype = None
    if dtype is None or is_float(value.dtype) != is_float(dtype) or value.dtype.kind in "bOSU":
        msg = f"takes {spec.dtype} for {spec.name!r}; the input is {show_tensor(value)}"
        raise ValueError(msg)
    return np.asarray(value.astype(dtype))
