"""A-priori error bounds of floats: u · c_op(n) · S + floor, elementwise, from the table of bounds.

Runs no model and measures nothing: counts come from shapes, the magnitude S from the caller or `magnitude`. The
reference is the unrounded result of the operator in float64 on the inputs of both programs. Every row but the exact
ones allows one more rounding, for a reference that was rounded to the output's dtype.

Overflow: where the reference is finite but too large for the dtype, to within the bound, an infinity of its sign is
also accepted. Where a partial sum may overflow (S itself is too large), an infinity of either sign is accepted.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.judge.bound_table import RULES
from burn_verify.judge.facts import LoneNode, Magnitude, NodeFacts, Rule
from burn_verify.judge.roundoff import (
    FLOATS,
    largest,
    lowest_precision,
    smallest_normal,
    smallest_subnormal,
    unit_roundoff,
)
from burn_verify.judge.tolerance import Bound

__all__ = ["Magnitude", "NodeFacts", "Rule", "allowed", "count_of", "floor_of", "rule_of", "unit_roundoff"]

IN_HALF: Final = {"bfloat16": 1.0, "float16": 2.0}
"""Maximum number of roundings to half precision per operator, independent of the count in its table row.

Half-precision kernels compute in float32 internally and round only their results: a sum at its end, an exponential
once. Measured: Burn needs 1.02 in bfloat16 and 1.78 in float16, without |reference|.
"""

_MAIN_DOMAIN: Final = "ai.onnx"
_GIVEN: Final = frozenset({Magnitude.ABSOLUTE, Magnitude.INPUTS, Magnitude.DEVIATION})
# Magnitudes that cannot be derived from the reference.


def rule_of(op_type: str, domain: str = "") -> Rule | None:
    """Return the row of an operator, None for a non-standard operator; ``ai.onnx`` is the domain ''."""
    return RULES.get(("" if domain == _MAIN_DOMAIN else domain, op_type))


def count_of(facts: NodeFacts) -> float:
    """Return c_op(n) in unit roundoffs: 0 for exact operators, infinity where no bound is known."""
    rule = rule_of(facts.op_type, facts.domain)
    return math.inf if rule is None or rule.count is None else rule.count(facts)


def bounded(lone: LoneNode | None, place: int, *, scaled: bool = True) -> bool:
    """Return whether an output has an a-priori bound: the graph is a single operator, and its row covers the output.

    Args:
        lone: the operator; None for a graph of several.
        place: index of the output.
        scaled: whether its magnitude S is known, where the row requires one.
    """
    position = None if lone is None else lone.gives[place]
    if lone is None or position is None:
        return False
    rule = rule_of(lone.facts.op_type, lone.facts.domain)
    if rule is None or rule.feeds_back or (rule.outputs is not None and position >= rule.outputs):
        return False
    count, constant = count_of(lone.facts), 0.0 if rule.constant is None else rule.constant(lone.facts)
    if count and rule.magnitude in _GIVEN and not scaled:
        return False
    return math.isfinite(count) and math.isfinite(constant)


def floor_of(dtype: str) -> float:
    """Return the absolute error of one underflow: the smallest normal number, for float16 half its smallest subnormal.

    Kernels for float32, and those for bfloat16 and float64 that share its flags, may flush subnormal numbers to zero.
    Subnormals of float16 reach up to 6e-5, within the range of common data; there, gradual underflow is required.
    """
    wide = dtype in {"float64", "float32", "bfloat16"}
    return smallest_normal(dtype) if wide else smallest_subnormal(dtype) / 2


@np.errstate(all="ignore")
def allowed(
    facts: NodeFacts,
    dtype: str,
    reference: npt.NDArray[np.float64],
    magnitude: npt.NDArray[np.float64] | None,
    *,
    output: int = 0,
) -> Bound | None:
    """Return the bound for one output of a node.

    Args:
        facts: the node.
        dtype: dtype name of the output.
        reference: the output in float64, any shape.
        magnitude: S, float64 of the reference's shape or one that broadcasts to it; not used for the magnitudes
            `reference` and `one`, nor for exact results.
        output: position of the output.

    Returns:
        The bound, with the limit None where elements have to be equal; None where no bound is known.

    Raises:
        ValueError: the rule needs a magnitude and there is none.
    """
    rule = rule_of(facts.op_type, facts.domain)
    count = count_of(facts)
    if rule is None or not math.isfinite(count) or (rule.outputs is not None and output >= rule.outputs):
        return None
    if dtype not in FLOATS:
        return _discrete(rule)
    constant = 0.0 if rule.constant is None else rule.constant(facts)
    if count == 0:
        return Bound(limit=None, text="exact")
    if not math.isfinite(constant):
        return None
    scale = _scale(rule, reference, magnitude)
    lowest = str(lowest_precision(dtype, *facts.input_dtypes))
    size = np.abs(reference)
    roundings = min(count, IN_HALF[lowest]) if lowest in IN_HALF else count
    # Every rounding may underflow once.
    limit = (roundings + 1) * np.full(reference.shape, max(floor_of(lowest), floor_of(dtype)))
    if lowest in IN_HALF:
        limit += unit_roundoff(lowest) * (roundings * scale + min(constant, IN_HALF[lowest]) + size)
        lowest = "float32"
    limit += unit_roundoff(lowest) * (count * scale + constant + rule.relative * size)
    text = _text(rule, facts.op_type, count, constant)
    return _bounded(limit, scale, reference, dtype, text, summed=rule.magnitude in _GIVEN)


def _discrete(rule: Rule) -> Bound | None:
    """Return the bound for an integer, a boolean or text."""
    if rule.steps:
        return Bound(limit=np.asarray(float(rule.steps)), text=f"{rule.steps} step{'s' * (rule.steps != 1)}")
    return Bound(limit=None, text="exact")


def _scale(rule: Rule, reference: npt.NDArray[Any], magnitude: npt.NDArray[Any] | None) -> npt.NDArray[np.float64]:
    """Return S, elementwise."""
    if rule.magnitude in _GIVEN:
        if magnitude is None:
            msg = f"{rule.op_type} needs the magnitude {rule.magnitude}"
            raise ValueError(msg)
        return np.broadcast_to(np.abs(magnitude), reference.shape)
    return np.abs(reference) if rule.magnitude is Magnitude.REFERENCE else np.ones(reference.shape)


@np.errstate(all="ignore")
def _bounded(
    limit: npt.NDArray[Any],
    scale: npt.NDArray[Any],
    reference: npt.NDArray[Any],
    dtype: str,
    text: str,
    *,
    summed: bool,
) -> Bound:
    """Return the bound, finite everywhere, with the elements where the reference or a partial sum may overflow."""
    top = largest(dtype)
    finite = np.isfinite(reference)
    # An infinite S without a finite reference means an overflow in float64 itself.
    partial = finite & ((summed & (scale > top)) | np.isnan(limit))
    within = np.where(finite & ~np.isnan(limit), np.minimum(limit, top), 0.0)
    overflows = (finite & (reference + within >= top)) | partial, (finite & (reference - within <= -top)) | partial
    return Bound(limit=within, text=text, overflows=overflows if any(mask.any() for mask in overflows) else None)


def _text(rule: Rule, op_type: str, count: float, constant: float) -> str:
    """Format as ``12 u·S (Conv: 2·Kh·Kw·Cin/groups)``, with the absolute part where there is one."""
    absolute = f" + {constant:.4g} u" if constant else ""
    return f"{count:.4g} u·S{absolute} ({op_type}: {rule.formula})"
