"""Rules for discrete results: indices that point at equal values, sets of rows, integers one step apart, and rankings.

Applies no float bounds and uses no output names: a rule returns None for agreement, else one line without output name
and case. Dtypes and shapes are compared before, elsewhere; a rule reports shapes only where it cannot compare them.

Unique has no rule: the ONNX standard defines the order of its results, ascending or by first occurrence, for all four
outputs. A Cast to integers has none either: it truncates a float that is the same input for both programs.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.facts import NodeFacts, needed
from burn_verify.judge.metrics import Mask, first_index, is_float, is_integer, widened
from burn_verify.judge.quotient import Quotient, is_quantising
from burn_verify.judge.roundoff import smallest_subnormal, unit_roundoff
from burn_verify.judge.structure import Words, show_count, show_index, two_shapes

Array: TypeAlias = npt.NDArray[Any]
"""Any dtype and shape."""

DiscreteRule: TypeAlias = Callable[[NodeFacts, Sequence[Array | None], Sequence[Array], Sequence[Array]], Words | None]
"""From facts, inputs, actual outputs and desired outputs of one node to None, or a description of the error."""


def arg_extreme(
    facts: NodeFacts,
    inputs: Sequence[Array | None],
    actual: Sequence[Array],
    desired: Sequence[Array],
    *,
    slack: float = 0.0,
) -> Words | None:
    """Compare the values at the indices of ArgMax or ArgMin; any index of a tie is accepted, unlike in the standard.

    Args:
        facts: attributes ``axis`` and ``keepdims`` are used.
        inputs: the data, of any numeric dtype.
        actual, desired: one output each, int64.
        slack: greatest absolute difference of the values, where the data are computed results.
    """
    data, came, wanted = needed(inputs, 0), actual[0], desired[0]
    if came.shape != wanted.shape:
        return two_shapes(came, wanted)
    axis = _axis(facts.attributes.get("axis", 0), data)
    if not facts.attributes.get("keepdims", 1):
        came, wanted = np.expand_dims(came, axis), np.expand_dims(wanted, axis)
    if (words := _out_of_range(came, data.shape[axis])) is not None:
        return words
    return _unlike(np.take_along_axis(data, came, axis), np.take_along_axis(data, wanted, axis), slack)


def top_k(
    facts: NodeFacts,
    inputs: Sequence[Array | None],
    actual: Sequence[Array],
    desired: Sequence[Array],
    *,
    slack: float = 0.0,
) -> Words | None:
    """Compare TopK: values match, indices point at them, and no index occurs twice; in any order where unsorted.

    Args:
        facts: attributes ``axis`` and ``sorted`` are used.
        inputs: the data, of any numeric dtype, and K.
        actual, desired: values and indices (int64) each.
        slack: greatest absolute difference of the values, where the data are computed results.
    """
    data, (values, indices), wanted = needed(inputs, 0), actual[:2], desired[0]
    if values.shape != wanted.shape or indices.shape != wanted.shape:
        return two_shapes(values if values.shape != wanted.shape else indices, wanted)
    axis = _axis(facts.attributes.get("axis", -1), data)
    if (words := _out_of_range(indices, data.shape[axis])) is not None:
        return words
    ordered = np.sort(indices, axis=axis)
    if (np.diff(ordered, axis=axis) == 0).any():
        return Words("an index occurs twice")
    if (words := _unlike(np.take_along_axis(data, indices, axis), values, 0.0)) is not None:
        return words.after("indices do not point at the values: ")
    if not facts.attributes.get("sorted", 1):
        values, wanted = np.sort(values, axis=axis), np.sort(wanted, axis=axis)
    return _unlike(values, wanted, slack)


def selected_boxes(
    facts: NodeFacts, inputs: Sequence[Array | None], actual: Sequence[Array], desired: Sequence[Array]
) -> Words | None:
    """Compare the rows (batch, class, box) of NonMaxSuppression as sets, as the standard defines them.

    Args:
        facts: not used.
        inputs: boxes [batches, boxes, 4] and scores [batches, classes, boxes].
        actual, desired: one output each, int64 [n, 3]; where n differs, rows are missing or in excess.
    """
    came, wanted, scores = actual[0], desired[0], needed(inputs, 1)
    if came.ndim != 2 or came.shape[1] != 3:
        return Words(expected="rows of 3", came=f"shape {show_index(came.shape)}")
    bad = np.asarray((came < 0) | (came >= np.asarray(scores.shape)))
    if (place := first_index(bad)) is not None:
        return Words(f"{came[place]} at {show_index(place)} is out of range")
    rows = [tuple(map(int, row)) for row in came]
    expected = {tuple(map(int, row)) for row in wanted}
    if len(rows) != len(set(rows)):
        return Words("a row occurs twice")
    missing, extra = sorted(expected - set(rows)), sorted(set(rows) - expected)
    if not missing and not extra:
        return None
    first = f"{show_index(missing[0])} is missing" if missing else f"{show_index(extra[0])} is too many"
    return Words(f"{len(missing)} of {len(expected)} rows missing, {len(extra)} too many: {first}")


def one_step(
    facts: NodeFacts,
    inputs: Sequence[Array | None],
    actual: Sequence[Array],
    desired: Sequence[Array],
    *,
    quotient: Quotient | None = None,
) -> Words | None:
    """Compare quantised outputs, which may differ by one step where the quotient is near a rounding boundary.

    Args:
        facts: not used.
        inputs: not used.
        actual, desired: one output each, of integers or floats of 8 bits or less.
        quotient: the value before rounding; where it is not known, one step is allowed everywhere.
    """
    words = _apart(actual[0], desired[0], 1)
    if words is not None or quotient is None or quotient.target.shape != actual[0].shape:
        return words
    came, wanted = widened(actual[0]), widened(desired[0])
    equal = (came == wanted) | (np.isnan(came) & np.isnan(wanted))
    bad: Mask = np.asarray(~(equal | quotient.between(came, wanted)))
    place = first_index(bad)
    if place is None:
        return None
    lead = f"{show_count(bad)} by a step, before it is rounded it is {quotient.target[place]:.9g}, "
    return Words(lead, expected=f"{wanted[place]:g} at {show_index(place)}", came=f"{came[place]:g}")


def dynamic_quantised(
    facts: NodeFacts, inputs: Sequence[Array | None], actual: Sequence[Array], desired: Sequence[Array]
) -> Words | None:
    """Compare DynamicQuantizeLinear: the zero point within one step, y within one step more than the zero point.

    Args:
        facts: not used.
        inputs: not used.
        actual, desired: y (uint8), scale (float32, within 4 roundings) and zero point (uint8) each.
    """
    if (words := _apart(actual[2], desired[2], 1)) is not None:
        return words.after("zero point: ")
    scale = widened(desired[1])
    allowed = 4 * unit_roundoff("float32") * float(np.abs(scale).max(initial=0.0))
    if (words := _unlike(actual[1], desired[1], allowed)) is not None:
        return words.after("scale: ")
    # A different zero point shifts all elements of y by the same step.
    return _apart(actual[0], desired[0], 1 if np.array_equal(actual[2], desired[2]) else 2)


DISCRETE: Final[Mapping[str, DiscreteRule]] = MappingProxyType(
    {
        "ArgMax": arg_extreme,
        "ArgMin": arg_extreme,
        "TopK": top_k,
        "NonMaxSuppression": selected_boxes,
        "QuantizeLinear": one_step,
        "QLinearConv": one_step,
        "QLinearMatMul": one_step,
        "DynamicQuantizeLinear": dynamic_quantised,
    }
)
"""The rule of each operator of ai.onnx whose integers need not be equal."""


def rule_for(facts: NodeFacts, quotient: Quotient | None) -> DiscreteRule | None:
    """Return the rule of a node, None where its integers have to be equal.

    Args:
        quotient: the value that the node rounds, where it is known.
    """
    if is_quantising(facts):
        return partial(one_step, quotient=quotient)
    return None if facts.domain else DISCRETE.get(facts.op_type)


def _axis(axis: int, data: Array) -> int:
    """Return a non-negative axis."""
    return int(axis) % max(1, data.ndim)


def _out_of_range(indices: Array, length: int) -> Words | None:
    """Describe the first index that is out of range; the standard defines no negative results."""
    place = first_index(np.asarray((indices < 0) | (indices >= length)))
    if place is None:
        return None
    return Words(f"index {indices[place]} at {show_index(place)} is not below {length}")


@np.errstate(all="ignore")
def _unlike(came: Array, wanted: Array, slack: float) -> Words | None:
    """Describe the first value that differs by more than an absolute slack; NaN equals NaN."""
    if came.shape != wanted.shape:
        return two_shapes(came, wanted)
    equal = np.asarray(came == wanted) | np.asarray((came != came) & (wanted != wanted))
    if slack > 0:
        equal = equal | (np.abs(widened(came) - widened(wanted)) <= slack)
    bad: Mask = np.asarray(~equal)
    place = first_index(bad)
    if place is None:
        return None
    expected = f"{float(wanted[place]):.6g} at {show_index(place)}"
    return Words(f"{show_count(bad)}, ", expected, f"{float(came[place]):.6g}")


@np.errstate(all="ignore")
def _apart(came: Array, wanted: Array, steps: int) -> Words | None:
    """Describe the first number that differs by more than `steps` steps."""
    if came.shape != wanted.shape:
        return two_shapes(came, wanted)
    if not (is_integer(wanted.dtype) or is_float(wanted.dtype)):
        msg = f"{wanted.dtype} has no steps"
        raise ValueError(msg)
    # Quantised types have 16 bits or less, so float64 represents them and their differences exactly; int32 too.
    left, right = widened(came), widened(wanted)
    step: Any = 1.0
    if is_float(wanted.dtype):
        name = dtype_name(wanted.dtype)
        step = np.maximum(2 * unit_roundoff(name) * np.maximum(np.abs(left), np.abs(right)), smallest_subnormal(name))
    bad = np.asarray(~((np.abs(left - right) <= steps * step) | (left == right) | (np.isnan(left) & np.isnan(right))))
    place = first_index(bad)
    if place is None:
        return None
    more = f"more than {steps} step{'s' * (steps != 1)}"
    return Words(f"{show_count(bad)} by {more}, ", f"{wanted[place]} at {show_index(place)}", f"{came[place]}")
