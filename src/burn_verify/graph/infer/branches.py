"""Rules for values that decide which branch of an If is taken."""

from collections.abc import Iterator
from typing import Final

import onnx

from burn_verify.core.case import TensorSpec
from burn_verify.graph.infer.finding import Values
from burn_verify.graph.infer.trace import paths
from burn_verify.graph.infer.view import View

_COMPARED: Final = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_LOGIC: Final = frozenset({"And", "Cast", "Identity", "Not", "Or", "Reshape", "Squeeze", "Unsqueeze", "Xor"})


def both_branches(view: View, spec: TensorSpec) -> Iterator[Values]:
    """A number that an If compares with a constant is fed on either side of it."""
    found: list[float] = []
    for path in paths(view, spec.name):
        node, place = path.use.node, path.use.place
        if _is_condition(view, node, place) and "float" not in spec.dtype:
            yield Values(input=spec.name, rule="branch", why="an If takes it", choices=(1.0, 0.0))
            return
        if node.op_type not in _COMPARED or not path.scale or not _decides(view, node.output[0]):
            continue
        other = view.constant(node, 1 - place)
        if other is not None and other.size == 1 and other.dtype.kind in "fiu":
            found.append((float(other.reshape(-1)[0]) - path.shift) / path.scale)
    if found and "int" in spec.dtype:
        sides = [int(value) for value in found]
        # One constant alone: its neighbours are on the other side, whichever comparison it is.
        choices = dict.fromkeys((*map(float, sides), *(float(max(value - 1, 0)) for value in sides), sides[0] + 1.0))
        yield Values(input=spec.name, rule="branch", why=f"an If compares it with {sides[0]}", choices=tuple(choices))


def thresholds(view: View) -> Iterator[float]:
    """Yield the sizes of floats with which a computed value is compared to choose the branch of an If."""
    for name, uses in view.uses.items():
        for use in uses:
            node = use.node
            if name in view.makers and node.op_type in _COMPARED and _decides(view, node.output[0]):
                other = view.constant(node, 1 - use.place)
                if other is not None and other.size == 1 and other.dtype.kind == "f":
                    yield abs(float(other.reshape(-1)[0]))


def _is_condition(view: View, node: onnx.NodeProto, place: int) -> bool:
    """Return whether a node takes an operand as the condition of an If, or as a part of one."""
    return (node.op_type == "If" and place == 0) or (
        node.op_type in _LOGIC and any(_decides(view, name) for name in node.output)
    )


def _decides(view: View, name: str, depth: int = 6) -> bool:
    """Return whether a condition reaches an If."""
    return depth > 0 and any(
        use.node.op_type == "If" or (use.node.op_type in _LOGIC and _decides(view, use.node.output[0], depth - 1))
        for use in view.uses.get(name, ())
    )
