"""Where the values of an input arrive: the operands that hold them, moved and reshaped, but not computed with.

An integer may be scaled and shifted by constants on its way: such a `Path` keeps ``scale · x + shift``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import onnx

from burn_verify.graph.infer.view import Array, Use, View

MOVES: Final = frozenset(
    {
        "Cast",
        "Compress",
        "Concat",
        "DepthToSpace",
        "Expand",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
    }
)
"""Operators whose outputs hold values of their first operand; of Concat, of every operand."""

_LIMIT: Final = 400
"""Number of uses that are followed from one input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A use of an input's values.

    Attributes:
        use: the operand that holds them.
        scale, shift: what was computed with them on the way, by constants.
        bounded: the values were limited on the way, so that any value of the input works.
    """

    use: Use
    scale: float = 1.0
    shift: float = 0.0
    bounded: bool = False


def paths(view: View, name: str) -> Iterator[Path]:
    """Yield every use of a value that moves alone separate from it, nearest first."""
    waiting = [Path(use=use) for use in view.uses.get(name, ())]
    seen = {name}
    for _ in range(_LIMIT):
        if not waiting:
            return
        path = waiting.pop(0)
        yield path
        for made, after in _outputs(view, path):
            if made and made not in seen:
                seen.add(made)
                waiting += [replace(after, use=use) for use in view.uses.get(made, ())]


def _outputs(view: View, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the outputs of a node that hold the values of the operand, with what was computed."""
    node, place = path.use.node, path.use.place
    kind = node.op_type
    if kind in MOVES and (place == 0 or kind == "Concat"):
        yield from ((made, path) for made in node.output)
    elif kind == "Where" and place in (1, 2):
        yield node.output[0], path
    elif kind in ("Add", "Sub", "Mul", "Div") and (other := _scalar(view.constant(node, 1 - place))) is not None:
        if (after := _computed(kind, path, place, other)) is not None:
            yield node.output[0], after
    elif kind in ("Clip", "Mod") and place == 0:
        yield node.output[0], replace(path, bounded=True)
    elif kind in ("Min", "Max"):
        yield node.output[0], replace(path, bounded=path.bounded or _is_limit(view, node, place))


def _computed(kind: str, path: Path, place: int, other: float) -> Path | None:
    scale, shift = path.scale, path.shift
    if kind == "Add":
        return replace(path, shift=shift + other)
    if kind == "Mul":
        return replace(path, scale=scale * other, shift=shift * other)
    if kind == "Sub":
        return replace(path, shift=shift - other) if place == 0 else replace(path, scale=-scale, shift=other - shift)
    if place == 0 and other:
        return replace(path, scale=scale / other, shift=shift / other)
    return None


def _scalar(value: Array | None) -> float | None:
    if value is None or value.size == 0 or value.dtype.kind not in "fiu":
        return None
    first = value.reshape(-1)[0]
    return float(first) if np.all(value == first) else None


def _is_limit(view: View, node: onnx.NodeProto, place: int) -> bool:
    return any(view.constant(node, other) is not None for other in range(len(node.input)) if other != place)
