"""Rules for values outside of which an operator has no answer, and for masks."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.finding import Values
from burn_verify.graph.infer.trace import Path, paths
from burn_verify.graph.infer.view import View, attribute

_DOMAINS: Final[dict[tuple[str, int], tuple[float, float]]] = {
    ("Acos", 0): (-0.95, 0.95),
    ("Acosh", 0): (1.05, 4.0),
    ("Asin", 0): (-0.95, 0.95),
    ("Atanh", 0): (-0.95, 0.95),
    ("BatchNormalization", 4): (0.1, 3.0),
    ("DequantizeLinear", 1): (0.01, 0.5),
    ("GridSample", 1): (-1.0, 1.0),
    ("Log", 0): (0.05, 4.0),
    ("QuantizeLinear", 1): (0.01, 0.5),
    ("Sqrt", 0): (0.0, 4.0),
}
"""Low and high of a float operand for which the answer is a number."""

_MASK: Final = 7
"""Operand of EmbedLayerNormalization."""

_HUGE: Final = 1e3
"""A mask is multiplied by a number of at least this size, so that what it hides vanishes in a Softmax."""


def where_there_is_an_answer(view: View, spec: TensorSpec) -> Iterator[Values]:
    """A logarithm, a root or a scale takes positive numbers; the inverse of a sine takes numbers up to one."""
    if "float" not in spec.dtype:
        return
    for path in paths(view, spec.name):
        node, place = path.use.node, path.use.place
        found = _DOMAINS.get((node.op_type, place))
        if node.op_type == "Pow" and place == 0 and _may_be_fraction(view, node):
            found = (0.05, 4.0)
        if found is None or path.bounded or path.scale <= 0:
            continue
        low, high = ((limit - path.shift) / path.scale for limit in found)
        yield Values(input=spec.name, rule="domain", why=f"it reaches {node.op_type}", low=low, high=high)


def not_zero(view: View, spec: TensorSpec) -> Iterator[Values]:
    """An integer that is divided by is positive."""
    if "int" not in spec.dtype:
        return
    for path in paths(view, spec.name):
        kind = path.use.node.op_type
        if kind in ("Div", "Mod") and path.use.place == 1 and not path.bounded and path.scale > 0:
            low, high = (float(math.ceil((limit - path.shift) / path.scale)) for limit in (1, 10))
            yield Values(input=spec.name, rule="domain", why=f"{kind} divides by it", low=low, high=max(high, low + 1))


def masks(view: View, spec: TensorSpec) -> Iterator[Values]:
    """A mask is 0 or 1, and hides not everything."""
    if spec.dtype == "string" or not spec.shape:
        return
    if spec.dtype == "bool":
        if any(_is_masked(view, path) for path in paths(view, spec.name)):
            yield Values(input=spec.name, rule="mask", why="where it is false something is hidden", first=1)
        return
    structure = any(_is_masked(view, path) for path in paths(view, spec.name))
    if structure or ("int" in spec.dtype and "mask" in spec.name.lower()):
        why = "where it is zero something is hidden" if structure else "its name says so"
        yield Values(input=spec.name, rule="mask", why=why, low=0, high=2, whole=True, first=1)


def _is_masked(view: View, path: Path) -> bool:
    """Return whether a use is that of a mask.

    That is a condition, or a difference from one that is multiplied by a huge number.
    """
    node, place = path.use.node, path.use.place
    if node.op_type == "Mul" and (path.scale, path.shift) == (-1, 1):
        return _is_huge(view.constant(node, 1 - place))
    if node.op_type == "Cast":
        return bool(attribute(node, "to", 0) == TensorProto.BOOL)
    if node.op_type == "Where" and place == 0:
        return _is_huge(view.constant(node, 2))
    return node.op_type == "EmbedLayerNormalization" and place == _MASK


def _is_huge(value: Any) -> bool:
    return value is not None and value.size == 1 and bool(np.abs(value.astype(np.float64)).max() >= _HUGE)


def _may_be_fraction(view: View, node: onnx.NodeProto) -> bool:
    """Return whether the exponent of a Pow is no whole number, or may be none."""
    value = view.constant(node, 1)
    if value is not None:
        numbers = value.astype(np.float64)
        return bool((numbers != np.rint(numbers)).any())
    return any(spec.name == node.input[1] and "float" in spec.dtype for spec in view.inputs)
