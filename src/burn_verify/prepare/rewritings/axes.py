"""An operator whose axis comes at run time: all axes are computed, and the one that is meant is chosen."""

from collections.abc import Callable, Sequence

from onnx import TensorProto

from burn_verify.prepare.body import Body


def chosen(body: Body, axis: str, axes: Sequence[int], rank: int, made: Callable[[int], str]) -> str:
    """Return the value for the axis that an input names.

    Arguments:
        axis: the name of an integer of rank 0 or [1].
        axes: the axes that are possible, from 0; their values have the same shape.
        made: adds the nodes for an axis.
    """
    found = made(axes[0])
    if len(axes) == 1:
        return found
    asked = body("Expand", body.cast(axis, TensorProto.INT64), body.const([1]))
    for place in axes[1:]:
        same = body("Or", body("Equal", asked, body.const([place])), body("Equal", asked, body.const([place - rank])))
        found = body("Where", same, made(place), found)
    return found
