"""Rules for integers that index a table: each row has to exist."""

import math
from collections.abc import Iterator
from typing import Final

import onnx

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.finding import Size, Values
from burn_verify.graph.infer.trace import Path, paths
from burn_verify.graph.infer.view import View, attribute

_ROWS: Final = {"Gather": 1, "GatherElements": 1, "Scatter": 1, "ScatterElements": 1}
"""Operators with an axis, whose operand at this place holds indices along it."""

_TUPLES: Final = {"GatherND": 1, "ScatterND": 1}
"""Operators whose operand at this place holds tuples of indices."""

_TABLES: Final = {("EmbedLayerNormalization", 0): 2, ("EmbedLayerNormalization", 1): 4}
"""Operand of a table by the operator and operand of its indices."""


_DEPTH: Final = 4
"""The least depth of OneHot that an input is fed."""


def rows_of_a_table(view: View, spec: TensorSpec) -> Iterator[Values]:
    """An index is smaller than the number of rows of the table that it reads."""
    # A float that the model itself casts to an index is a whole number.
    whole = "int" not in spec.dtype
    for path in paths(view, spec.name):
        size = _size(view, path)
        if size is None or path.bounded or not path.scale:
            continue
        text = f"{path.use.node.op_type} reads a table"
        if isinstance(size, str):
            beyond = math.floor(-path.shift / path.scale) if path.scale == 1 else 0
            why = f"{text} of {size} rows"
            yield Values(input=spec.name, rule="index", why=why, low=0, high_of=size, beyond=beyond, whole=whole)
            continue
        low, high = sorted(((0 - path.shift) / path.scale, (size - 1 - path.shift) / path.scale))
        low, high = math.ceil(low), math.floor(high) + 1
        why = f"{text} of {size} rows" + (f", after {path.scale:g}·x{path.shift:+g}" if high != size else "")
        low = max(low, 0) if high > 0 else low
        yield Values(input=spec.name, rule="index", why=why, low=low, high=high, whole=whole)


def depth_of_one_hot(view: View, spec: TensorSpec) -> Iterator[Values]:
    """What OneHot encodes is smaller than its depth, and a depth is small and positive."""
    for path in paths(view, spec.name):
        node = path.use.node
        if node.op_type != "OneHot":
            continue
        if path.use.place == 1:
            yield Values(input=spec.name, rule="depth", why="the depth of OneHot", low=_DEPTH, high=10)
        elif path.use.place == 0 and (depth := view.constant(node, 1)) is not None and depth.size == 1:
            high = int(depth.reshape(-1)[0])
            why, whole = f"OneHot has {high} classes", "int" not in spec.dtype
            yield Values(input=spec.name, rule="index", why=why, low=0, high=high, whole=whole)
        elif path.use.place == 0 and "int" in spec.dtype:
            why = "OneHot has as many classes as an input says"
            yield Values(input=spec.name, rule="index", why=why, low=0, high=_DEPTH)


def _size(view: View, path: Path) -> Size | None:
    """Return the number of rows that an operand indexes; None where it indexes nothing or the number is not known."""
    node, place = path.use.node, path.use.place
    if _ROWS.get(node.op_type) == place:
        return view.dim(node.input[0], attribute(node, "axis", 0))
    if _TUPLES.get(node.op_type) == place:
        return _smallest(view, node)
    table = _TABLES.get((node.op_type, place))
    return None if table is None else view.dim(view.operand(node, table), 0)


def _smallest(view: View, node: onnx.NodeProto) -> int | None:
    """Return the smallest dimension that a tuple of indices reaches."""
    width = view.dim(node.input[1], -1)
    first = attribute(node, "batch_dims", 0)
    shape = view.shape(node.input[0])
    if shape is None or not isinstance(width, int):
        return None
    reached = [dim for dim in shape[first : first + width] if isinstance(dim, int)]
    return min(reached, default=None)
