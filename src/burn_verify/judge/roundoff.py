"""Unit roundoffs, and access to numbers in `NodeFacts`: attributes, shapes, values of small inputs.

The counts are in `counts` and `counts_elementwise`.
"""

import math
from functools import cache
from typing import Any, Final

import ml_dtypes
import numpy as np

from burn_verify.graph.dtypes import ELEM_TYPES, numpy_dtype
from burn_verify.judge.facts import NodeFacts

FLOATS: Final = frozenset(name for name in ELEM_TYPES.values() if name.startswith(("float", "bfloat")))
"""Names of the floating-point dtypes."""


@cache
def unit_roundoff(dtype: str) -> float:
    """Return half the distance from 1 to the next number: 2^-24 for float32.

    Raises:
        ValueError: the dtype is not a floating-point type.
    """
    if dtype not in FLOATS:
        msg = f"{dtype} does not round"
        raise ValueError(msg)
    return float(_finfo(dtype).eps) / 2


def smallest_normal(dtype: str) -> float:
    """Return the smallest positive normal number."""
    return float(_finfo(dtype).smallest_normal)


def smallest_subnormal(dtype: str) -> float:
    """Return the smallest positive subnormal number."""
    return float(_finfo(dtype).smallest_subnormal)


def largest(dtype: str) -> float:
    """Return the largest finite number."""
    return float(_finfo(dtype).max)


def lowest_precision(*dtypes: str | None) -> str | None:
    """Return the floating-point dtype with the greatest unit roundoff, None without any."""
    return max((name for name in dtypes if name in FLOATS), key=unit_roundoff, default=None)


def attribute(facts: NodeFacts, name: str, default: float) -> float:
    """Return the relative uncertainty of a float attribute, in unit roundoffs of the node.

    Attributes are float32. A kernel may use the stored number, round it to the tensors' dtype, or use the decimal
    number it was rounded from (0.1 instead of 0.10000000149): half an ULP of float32, 2^29 roundings of float64.
    """
    value = np.float32(facts.attributes.get(name, default))
    if not np.isfinite(value) or not value:
        return 0.0
    doubt = abs(float(str(value)) - float(value)) / abs(float(value))
    unit = unit_roundoff(lowest_precision(*facts.input_dtypes) or "float32")
    return doubt / unit + (1.0 if unit > unit_roundoff("float32") else 0.0)


def number(facts: NodeFacts, name: str, default: float) -> float:
    """Return a float or integer attribute as a float."""
    return float(facts.attributes.get(name, default))


def shape_of(facts: NodeFacts, position: int) -> tuple[int, ...] | None:
    """Return the shape of an input, None where it is omitted."""
    return facts.input_shapes[position] if position < len(facts.input_shapes) else None


def size_of(facts: NodeFacts, position: int) -> int:
    """Return the number of elements of an input, 0 where it is omitted."""
    shape = shape_of(facts, position)
    return 0 if shape is None else math.prod(shape)


def value_of(facts: NodeFacts, position: int) -> Any | None:
    """Return the value of a one-element input as a Python number, None where it is not known."""
    value = facts.input_values.get(position)
    return None if value is None or np.asarray(value).size != 1 else np.asarray(value).reshape(()).item()


def axis_length(facts: NodeFacts, axis: int, position: int = 0) -> int:
    """Return the length of an axis of an input; 1 where there is none, as for a scalar."""
    shape = shape_of(facts, position) or ()
    return shape[axis] if -len(shape) <= axis < len(shape) else 1


def trains(facts: NodeFacts) -> bool:
    """Return whether a Dropout drops elements: an input decides since version 12, an attribute before version 7."""
    if facts.since_version >= 12:
        given = shape_of(facts, 2) is not None
        return given and bool(True if value_of(facts, 2) is None else value_of(facts, 2))
    return facts.since_version < 7 and not facts.attributes.get("is_test", 0)


@cache
def _finfo(dtype: str) -> Any:
    """Return the `finfo` of ml_dtypes for a floating-point dtype; NumPy's own dtypes are supported too."""
    info: Any = ml_dtypes.finfo
    return info(numpy_dtype(dtype))
