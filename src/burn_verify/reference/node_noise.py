"""Compute how far the roundings of one node may move its outputs: standard deviations by element, from the bounds.

The bounds are those of the table. Computes with arrays and facts, and runs models only through functions that are
passed in. `noise` uses the deviations.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.bounds import rule_of
from burn_verify.judge.facts import Magnitude, NodeFacts, Rule
from burn_verify.judge.magnitude import magnitude_of
from burn_verify.judge.metrics import is_float, widened
from burn_verify.judge.quotient import quotient_of
from burn_verify.judge.roundoff import FLOATS, lowest_precision, unit_roundoff

Array: TypeAlias = npt.NDArray[Any]
"""Any dtype and shape."""

_SUMS: Final = frozenset(
    {"MatMul", "Gemm", "Conv", "ConvTranspose", "Einsum", "Sum", "Mean", "ReduceSum", "ReduceMean", "CumSum"}
    | {"Col2Im", "ScatterElements", "ScatterND", "AveragePool", "GlobalAveragePool"}
)
"""Operators that sum products: the roundings of N terms grow with √N and have the magnitude √(Σa²b²)."""

_RECURRENT: Final = frozenset({"RNN", "GRU", "LSTM"})
_CASTS: Final = frozenset({"Cast", "CastLike"})
_QUANTISING: Final = frozenset({"QuantizeLinear", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear"})
_HALF: Final = frozenset({"float16", "bfloat16"})
_UNIFORM: Final = 1 / math.sqrt(3)
"""The deviation of a rounding, relative to its greatest error. A kernel for half precision rounds only once."""

_SHARE_OF_SUMS_IN_HALF: Final = 0.5
"""Kernels for half precision sum in float32 or in half precision. This share of the root of N roundings covers Burn."""

Again: TypeAlias = Callable[[Sequence[Array | None], Mapping[str, float]], Sequence[Any]]
"""Runs the node on other inputs, by position, with other values of its float attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A node that ran.

    Attributes:
        facts: facts of the node, with the dtypes of the original model.
        inputs: by position; None for an omitted one.
        outputs: by position; None for an omitted one, but omitted ones at the end are left out.
        output_dtypes: dtypes in the original model.
    """

    facts: NodeFacts
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    output_dtypes: Sequence[str]


def perturbation(ran: Ran) -> float | None:
    """Return the relative perturbation of the inputs for an operator without a row; None where there is a row.

    Recurrent operators are perturbed too: they feed their roundings back, so the count of a single pass is too small.
    """
    facts = ran.facts
    unit = _unit(ran, 0)
    if unit is None or facts.op_type in _CASTS or (_known(ran) and facts.op_type not in _RECURRENT):
        return None
    if _is_half(ran, 0):
        return unit
    if facts.op_type in _RECURRENT:
        sizes = [shape[-1] if shape else 1 for shape in (facts.input_shapes[0], facts.input_shapes[2])]
        return unit * math.sqrt(2 * sum(sizes) + 36)
    length = next(
        (
            shape[-1]
            for shape, dtype in zip(facts.input_shapes, facts.input_dtypes, strict=True)
            if shape and dtype in FLOATS
        ),
        1,
    )
    return 2 * unit * math.sqrt(max(1, length))


@np.errstate(all="ignore")
def deviations(ran: Ran, again: Again) -> list[Array | None]:
    """Return the standard deviation of each output's roundings, float64; None where nothing rounds.

    It is u · (√c · S₂ + √constant + √relative · |y|), with S₂ = √(the node on squared inputs) + |y| for sums, and the
    table's S for other operators. In half precision it is u / √3 · |y|, and for sums half of √c · √(…) more.
    """
    found: list[Array | None] = []
    squared: Sequence[Any] | None = None
    for place, output in enumerate(ran.outputs):
        unit = _unit(ran, place)
        if unit is None or not isinstance(output, np.ndarray):
            found.append(None)
            continue
        wide = np.abs(widened(output))
        rule = rule_of(ran.facts.op_type, ran.facts.domain)
        if ran.facts.op_type in _CASTS:
            found.append(_UNIFORM * unit * wide if _rounds(ran, place) else None)
        elif ran.facts.op_type in _RECURRENT or not _known(ran) or (rule is not None and _beyond(rule, place)):
            found.append((_UNIFORM if _is_half(ran, place) else 4.0) * unit * wide)
        elif rule is None or not (count := _count(rule, ran.facts)):
            found.append(None)
        else:
            if ran.facts.op_type in _SUMS and squared is None:
                squared = _on_squares(ran, again)
            root = None if squared is None else np.sqrt(np.abs(widened(np.asarray(squared[place]))))
            scale = root if _is_half(ran, place) or root is not None else _scale(rule, ran, again, place, wide)
            found.append(unit * _roundoffs(rule, ran.facts, count, wide, scale, half=_is_half(ran, place)))
    return found


def may_step(ran: Ran) -> bool:
    """Return whether a quantised output may differ by one step with exact inputs, since a quotient is near a half.

    The quotients of sums of products are not checked: among thousands of quotients, one is always near a half.
    """
    if ran.facts.domain or ran.facts.op_type not in _QUANTISING:
        return False
    quotient = quotient_of(ran.facts, ran.inputs) if ran.facts.op_type == "QuantizeLinear" else None
    if quotient is None:
        return True
    whole = np.floor(quotient.target)
    return bool(quotient.between(whole, whole + 1).any())


def _roundoffs(rule: Rule, facts: NodeFacts, count: float, wide: Array, scale: Array | None, *, half: bool) -> Array:
    """Return the deviation in unit roundoffs.

    Arguments:
        scale: for sums, the root of the node on squared inputs; else S; None for |y|.
    """
    if half:
        return _UNIFORM * (wide if scale is None else wide + _SHARE_OF_SUMS_IN_HALF * math.sqrt(count) * scale)
    constant = 0.0 if rule.constant is None else rule.constant(facts)
    magnitude = wide if scale is None else scale + (wide if facts.op_type in _SUMS else 0.0)
    return np.asarray(math.sqrt(count) * magnitude + math.sqrt(constant) + math.sqrt(rule.relative) * wide)


def _scale(rule: Rule, ran: Ran, again: Again, place: int, wide: Array) -> Array | None:
    """Return S of an operator that is not a sum; None for |y|."""
    if rule.magnitude is Magnitude.ONE:
        return np.ones(())
    if rule.magnitude is Magnitude.REFERENCE:
        return None

    def evaluate(facts: NodeFacts, inputs: Sequence[Array | None]) -> list[Array]:
        narrow = [
            value if value is None or given is None else value.astype(given.dtype)
            for value, given in zip(inputs, ran.inputs, strict=True)
        ]
        factors = {
            name: float(value) for name, value in facts.attributes.items() if value != ran.facts.attributes[name]
        }
        return [np.asarray(output) for output in again(narrow, factors)]

    return magnitude_of(rule, ran.facts, ran.inputs, evaluate, output=place)


def _on_squares(ran: Ran, again: Again) -> Sequence[Any]:
    """Return a sum's outputs on squared inputs and factors."""
    squares = [
        value * value if isinstance(value, np.ndarray) and is_float(value.dtype) else value for value in ran.inputs
    ]
    factors = {
        name: float(ran.facts.attributes[name]) ** 2
        for name in ("alpha", "beta")
        if ran.facts.op_type == "Gemm" and name in ran.facts.attributes
    }
    return again(squares, factors)


def _known(ran: Ran) -> bool:
    """Return whether the table counts the roundings of the first output."""
    rule = rule_of(ran.facts.op_type, ran.facts.domain)
    return rule is not None and rule.count is not None and math.isfinite(_count(rule, ran.facts))


def _beyond(rule: Rule, place: int) -> bool:
    """Return whether a row does not cover an output."""
    return rule.outputs is not None and place >= rule.outputs


def _count(rule: Rule, facts: NodeFacts) -> float:
    constant = 0.0 if rule.constant is None else rule.constant(facts)
    count = math.inf if rule.count is None else rule.count(facts)
    return count if math.isfinite(constant) else math.inf


def _unit(ran: Ran, place: int) -> float | None:
    """Return the unit roundoff of an output, None where it is not a float."""
    output = ran.outputs[place] if place < len(ran.outputs) else None
    if not isinstance(output, np.ndarray) or not is_float(output.dtype):
        return None
    return unit_roundoff(_lowest(ran, place))


def _is_half(ran: Ran, place: int) -> bool:
    return _lowest(ran, place) in _HALF


def _lowest(ran: Ran, place: int) -> str:
    own = ran.output_dtypes[place]
    if ran.facts.op_type in _CASTS:
        return own
    return lowest_precision(own, *ran.facts.input_dtypes) or own


def _rounds(ran: Ran, place: int) -> bool:
    """Return whether a cast may lose digits: to a narrower float, or from an integer."""
    given = ran.facts.input_dtypes[0]
    own = ran.output_dtypes[place]
    return given not in FLOATS or unit_roundoff(str(given)) < unit_roundoff(own)


def facts_of(
    node: onnx.NodeProto,
    since_version: int,
    attributes: Mapping[str, Any],
    inputs: Sequence[Any],
    input_dtypes: Sequence[str | None],
    outputs: Sequence[Any],
    small: int,
) -> NodeFacts:
    """Return the facts of a node that ran.

    Arguments:
        input_dtypes: dtypes in the original model.
        small: number of elements up to which an input is stored as a value.
    """
    arrays = [value if isinstance(value, np.ndarray) else None for value in inputs]
    return NodeFacts(
        op_type=node.op_type,
        domain="" if node.domain == "ai.onnx" else node.domain,
        since_version=since_version,
        attributes=dict(attributes),
        input_shapes=tuple(None if array is None else array.shape for array in arrays),
        output_shapes=tuple(output.shape if isinstance(output, np.ndarray) else () for output in outputs),
        input_dtypes=tuple(
            None if array is None else (known or dtype_name(array.dtype))
            for array, known in zip(arrays, input_dtypes, strict=True)
        ),
        input_values={place: array for place, array in enumerate(arrays) if array is not None and array.size <= small},
    )
