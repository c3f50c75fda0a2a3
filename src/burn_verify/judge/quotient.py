"""A quantised output before rounding: correct programs may differ by one step only near the midpoint of two steps.

Computes with arrays and runs no model: the caller passes a convolution.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.judge.facts import NodeFacts
from burn_verify.judge.metrics import Mask, widened
from burn_verify.judge.roundoff import lowest_precision, unit_roundoff

Array: TypeAlias = npt.NDArray[Any]
"""Any dtype and shape."""

Contract: TypeAlias = Callable[[Array, Array], Array]
"""The node's convolution of float64 images by float64 weights, without a bias."""

ROUNDINGS: Final = 6.0
"""Roundings of a quotient: the sum to a float, the product of three scales, and the division or its reciprocal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """A quantised output before rounding and saturation.

    Attributes:
        target: sum of quotient and zero point, float64 of the output's shape.
        doubt: bound of its rounding error.
    """

    target: Array
    doubt: Array

    @np.errstate(all="ignore")
    def between(self, came: Array, wanted: Array) -> Mask:
        """Return where the midpoint of two outputs is the value before rounding: there both are correct."""
        middle = (widened(came) + widened(wanted)) / 2
        return np.asarray(np.abs(self.target - middle) <= self.doubt)


@np.errstate(all="ignore")
def quotient_of(facts: NodeFacts, inputs: Sequence[Array | None], contract: Contract | None = None) -> Quotient | None:
    """Return the value that a node of one quantised output rounds; None for other operators or an unknown input.

    Args:
        facts: the node.
        inputs: arrays by position; None for an omitted or unknown one.
        contract: required for QLinearConv.
    """
    made = {"QuantizeLinear": _quantised, "QLinearMatMul": _multiplied, "QLinearConv": _convolved}.get(facts.op_type)
    if made is None or facts.domain:
        return None
    given = dict(enumerate(inputs))
    known = [place for place, shape in enumerate(facts.input_shapes) if shape is not None]
    if any(given.get(place) is None for place in known):
        return None
    found = made(facts, {place: array for place, array in given.items() if array is not None}, contract)
    if found is None:
        return None
    quotient, zero_point = found
    unit = unit_roundoff(lowest_precision(*facts.input_dtypes) or "float32")
    return Quotient(target=quotient + zero_point, doubt=ROUNDINGS * unit * np.abs(quotient))


_Found: TypeAlias = tuple[Array, Array]
# A quotient and a zero point, float64.


def _quantised(facts: NodeFacts, given: dict[int, Array], contract: Contract | None) -> _Found:
    x = widened(given[0])
    scale, zero_point = (_along(facts, given.get(place), x.shape) for place in (1, 2))
    return x / scale, zero_point if 2 in given else np.zeros(())


def _along(facts: NodeFacts, values: Array | None, shape: tuple[int, ...]) -> Array:
    """Reshape scales or zero points to broadcast: one per tensor, one per index of an axis, or one per block of it."""
    wide = widened(np.zeros(1) if values is None else values)
    if wide.size == 1 or not shape:
        return wide.reshape(-1)[:1]
    axis = int(facts.attributes.get("axis", 1)) % len(shape)
    if wide.ndim == 1:
        return wide.reshape([-1 if place == axis else 1 for place in range(len(shape))])
    block = int(facts.attributes.get("block_size", 0)) or -(-shape[axis] // wide.shape[axis])
    return np.take(np.repeat(wide, block, axis=axis), range(shape[axis]), axis=axis)


def _multiplied(facts: NodeFacts, given: dict[int, Array], contract: Contract | None) -> _Found:
    rows, columns = (widened(given[place]) for place in (1, 4))
    if rows.ndim == 1 and rows.size > 1:
        rows = rows.reshape(-1, 1)
    left_zero = widened(given[2])
    left_zero = left_zero.reshape(-1, 1) if left_zero.ndim == 1 and left_zero.size > 1 else left_zero
    total = np.matmul(widened(given[0]) - left_zero, widened(given[3]) - widened(given[5]))
    return total * rows * columns / widened(given[6]), widened(given[7])


def _convolved(facts: NodeFacts, given: dict[int, Array], contract: Contract | None) -> _Found | None:
    if contract is None:
        return None
    weights = widened(given[3])
    rank = weights.ndim
    scale, zero_point = (widened(given[place]).reshape(-1, *(1,) * (rank - 1)) for place in (4, 5))
    total = widened(contract(widened(given[0]) - widened(given[2]), weights - zero_point))
    if 8 in given:
        total = total + widened(given[8]).reshape(1, -1, *(1,) * (rank - 2))
    by_channel = scale.reshape(1, -1, *(1,) * (rank - 2))
    return total * widened(given[1]) * by_channel / widened(given[6]), widened(given[7])


def is_quantising(facts: NodeFacts) -> bool:
    """Return whether a node quantises with a given scale and zero point."""
    return not facts.domain and facts.op_type in {"QuantizeLinear", "QLinearMatMul", "QLinearConv"}
