"""S of a node from the values of its inputs, for the kinds of magnitude that depend on them.

Runs no model: the caller passes a function that evaluates the operator in float64.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.judge.facts import Magnitude, NodeFacts, Rule
from burn_verify.judge.metrics import is_float, is_integer, widened

Float64: TypeAlias = npt.NDArray[np.float64]
"""Any shape, float64."""

Evaluate: TypeAlias = Callable[[NodeFacts, Sequence[npt.NDArray[Any] | None]], Sequence[Float64]]
"""Runs one node in float64: facts, with the attributes to use, and inputs; None for an omitted one."""

_SIGNED_ATTRIBUTES: Final = ("alpha", "beta")
# Factors of Gemm and Swish: a negative one would reintroduce the cancellation that |inputs| removes.


@np.errstate(all="ignore")
def magnitude_of(
    rule: Rule,
    facts: NodeFacts,
    inputs: Sequence[npt.NDArray[Any] | None],
    evaluate: Evaluate,
    *,
    output: int = 0,
) -> Float64 | None:
    """Return S for `bounds.allowed`, float64 of the output's shape or ().

    Args:
        rule: the row of the operator.
        facts: the node.
        inputs: arrays by position, of any dtype; None for an omitted one.
        evaluate: called once, for `Magnitude.ABSOLUTE` only, with |inputs| and the absolute values of factors.
        output: position of the output.

    Returns:
        None where the rule needs no S, or does not cover this output.
    """
    if rule.count is None or (rule.outputs is not None and output >= rule.outputs):
        return None
    match rule.magnitude:
        case Magnitude.ABSOLUTE:
            return np.abs(widened(evaluate(_positive(facts), [_absolute(value) for value in inputs])[output]))
        case Magnitude.INPUTS:
            floats = [value for value in inputs if value is not None and is_float(value.dtype)]
            used = floats if rule.sources is None else [inputs[position] for position in rule.sources]
            return np.asarray(max((_greatest(value) for value in used), default=0.0))
        case Magnitude.DEVIATION:
            return deviation(facts, inputs)
    return None


@np.errstate(all="ignore")
def deviation(facts: NodeFacts, inputs: Sequence[npt.NDArray[Any] | None]) -> Float64:
    """Return S of a normalisation of x, of the shape of x.

    The error of a mean over N is N·u·A with A the mean of |x|; that of a deviation is this plus u·|x|; the relative
    error of sigma is as large. So S = |scale| · ((|x| + A)/sigma + |z|·(A/sigma + 1)) + |bias| with
    z = (x - mean)/sigma, for a kernel that computes the mean of squared deviations. A kernel that subtracts squares of
    means may be worse by a factor of A/sigma.

    Raises:
        ValueError: the operator is not a normalisation that subtracts a mean.
    """
    x = _wide(inputs[0])
    scale, bias = (_wide(inputs[k]) if len(inputs) > k else np.ones(()) for k in (1, 2))
    if facts.op_type == "BatchNormalization":
        mean, variance = (_channels(_wide(inputs[k]), x) for k in (3, 4))
        sigma = np.sqrt(variance + float(facts.attributes.get("epsilon", 1e-5)))
        reach = (np.abs(x) + np.abs(mean)) / sigma
        return np.asarray(np.abs(_channels(scale, x)) * reach + np.abs(_channels(bias, x)))
    grouped, axes = _grouped(facts, x)
    mean = grouped.mean(axis=axes, keepdims=True)
    epsilon = 0.0 if facts.op_type == "MeanVarianceNormalization" else float(facts.attributes.get("epsilon", 1e-5))
    sigma = np.sqrt(((grouped - mean) ** 2).mean(axis=axes, keepdims=True) + epsilon)
    ratio = np.abs(grouped).mean(axis=axes, keepdims=True) / sigma
    reach = (np.abs(grouped) / sigma + ratio + np.abs(grouped - mean) / sigma * (ratio + 1)).reshape(x.shape)
    if facts.op_type == "MeanVarianceNormalization":
        return np.asarray(reach)
    if facts.op_type == "LayerNormalization":
        return np.asarray(np.abs(scale) * reach + (np.abs(bias) if len(inputs) > 2 else 0.0))
    return np.asarray(np.abs(_channels(scale, x)) * reach + np.abs(_channels(bias, x)))


def _grouped(facts: NodeFacts, x: Float64) -> tuple[Float64, tuple[int, ...]]:
    """Return x, reshaped so that each mean is over whole axes, and those axes."""
    match facts.op_type:
        case "LayerNormalization":
            return x, tuple(range(int(facts.attributes.get("axis", -1)) % x.ndim, x.ndim))
        case "MeanVarianceNormalization":
            return x, tuple(facts.attributes.get("axes", (0, 2, 3)))
        case "InstanceNormalization":
            return x, tuple(range(2, x.ndim))
        case "GroupNormalization":
            return x.reshape(x.shape[0], int(facts.attributes["num_groups"]), -1), (2,)
    msg = f"{facts.op_type} subtracts no mean"
    raise ValueError(msg)


def _channels(values: Float64, x: Float64) -> Float64:
    """Reshape one value per channel, or per group of channels, to broadcast along axis 1 of x."""
    flat = values.reshape(-1)
    if flat.size > 1 and x.ndim > 1 and flat.size != x.shape[1]:
        flat = np.repeat(flat, x.shape[1] // flat.size)
    return flat.reshape(1, -1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else flat


def _wide(value: npt.NDArray[Any] | None) -> Float64:
    """Return an input in float64; an omitted one is 1: a neutral factor, or an upper bound of a zero bias."""
    return np.ones(()) if value is None else widened(np.asarray(value))


def _absolute(value: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
    """Return |value| in float64 for floats, and anything else, such as shapes and axes, unchanged."""
    return value if value is None or not is_float(value.dtype) else np.abs(widened(value))


def _greatest(value: npt.NDArray[Any] | None) -> float:
    """Return the greatest |x| among finite numbers of an input, 0 without any."""
    if value is None or not (is_float(value.dtype) or is_integer(value.dtype)):
        return 0.0
    wide = np.abs(widened(value))
    return float(wide[np.isfinite(wide)].max(initial=0.0))


def _positive(facts: NodeFacts) -> NodeFacts:
    """Return the node with the absolute values of its factors."""
    factors: Mapping[str, Any] = {
        name: abs(value) if name in _SIGNED_ATTRIBUTES else value for name, value in facts.attributes.items()
    }
    return replace(facts, attributes=factors)
