"""Rounding counts of operators that combine few elements: elementwise functions, softmax, interpolation, ai.onnx.ml.

Independent of magnitudes; `bound_table` assigns counts to operators. Every function takes `NodeFacts` and returns a
number of unit roundoffs, infinite where no count is known.
"""

import math

import numpy as np

from burn_verify.graph.dtypes import ELEM_TYPES
from burn_verify.judge.facts import Count, NodeFacts
from burn_verify.judge.roundoff import (
    FLOATS,
    attribute,
    axis_length,
    lowest_precision,
    number,
    shape_of,
    size_of,
    smallest_normal,
    trains,
    unit_roundoff,
)

# Softmax and related operators.


def softmax_length(facts: NodeFacts) -> int:
    """Return the number of elements that are normalised together: before version 13, all axes from `axis` on."""
    shape = shape_of(facts, 0) or ()
    if facts.since_version < 13:
        return math.prod(shape[int(facts.attributes.get("axis", 1)) % max(1, len(shape)) :])
    return axis_length(facts, int(facts.attributes.get("axis", -1)))


def softmax(facts: NodeFacts) -> float:
    """Return 3·N + 3, plus the relative error of the rounded exponent: |x - max| ≤ -ln(smallest normal) + ln N."""
    length = max(1, softmax_length(facts))
    return 3.0 * length + 3 + exponent_range(facts) + math.log(length)


def exponent_range(facts: NodeFacts) -> float:
    """Return -ln of the smallest normal number: below its negative, an exponential underflows."""
    dtype = lowest_precision(*facts.input_dtypes) or "float32"
    return -math.log(smallest_normal(dtype))


def log_softmax_constant(facts: NodeFacts) -> float:
    """Return 2·N + 18 + 32: relative errors of the sum of exponentials are absolute errors of its logarithm."""
    return 2.0 * softmax_length(facts) + 50


def cross_entropy(*, scale: float, plus: float) -> Count:
    """Return the error of a loss: a weighted mean over positions, or a sum, which is scaled by their number.

    The scores are [N, C, d1, …]. With weights, a sum or unreduced losses have no count: they are as large as the
    weights, which are not known.
    """

    def count(facts: NodeFacts) -> float:
        reduction_name = facts.attributes.get("reduction", "mean")
        positions = size_of(facts, 0) / max(1, axis_length(facts, 1))
        if shape_of(facts, 2) is not None and reduction_name != "mean":
            return math.inf
        per_position = scale * (2 * positions if reduction_name != "none" else 1)
        per_position += plus + 2 * axis_length(facts, 1)
        return per_position * (positions if reduction_name == "sum" else 1)

    return count


# Elementwise functions with attributes.


def leaky(default: float) -> Count:
    """Return 1 plus the uncertainty of alpha."""
    return lambda facts: 1 + attribute(facts, "alpha", default)


def exponential_unit(default_alpha: float, default_gamma: float = 1.0) -> Count:
    """Return 18 · |gamma · alpha|, at least 18, plus the uncertainty of alpha and gamma, as |exp(x) - 1| is below 1."""

    def count(facts: NodeFacts) -> float:
        height = abs(number(facts, "alpha", default_alpha) * number(facts, "gamma", default_gamma))
        doubt = attribute(facts, "alpha", default_alpha) + attribute(facts, "gamma", default_gamma)
        return max(18.0, 18 * height) + doubt * height

    return count


def scaled_unit(facts: NodeFacts) -> float:
    """Return the relative uncertainty of gamma, which multiplies the positive half of Selu."""
    return 2 + attribute(facts, "gamma", 1.05070102214813232421875)


def hard_sigmoid(facts: NodeFacts) -> float:
    """Return 2 · (1 + 2|beta|): in the linear part |alpha · x| ≤ 1 + |beta|."""
    beta = abs(number(facts, "beta", 0.5))
    doubt = max(attribute(facts, "alpha", 0.2), attribute(facts, "beta", 0.5))
    return (2 + doubt) * (1 + 2 * beta)


def sigmoid_constant(facts: NodeFacts) -> float:
    """Return 1/32 in float16: exp(-x) overflows above 11.1, and the result is 0 instead of up to 1/65504 = u/32."""
    return 1 / 32 if lowest_precision(*facts.input_dtypes) == "float16" else 0.0


def swish(facts: NodeFacts) -> float:
    """Return 2 · (34 + 3): sigmoid 34, a product and the rounding of its argument; sigmoid(|x|) ≥ 1/2."""
    return 74 + attribute(facts, "alpha", 1.0)


def shrink_constant(facts: NodeFacts) -> float:
    """Return the uncertainty of the bias, times the bias."""
    return abs(number(facts, "bias", 0.0)) * attribute(facts, "bias", 0.0)


def dropout(facts: NodeFacts) -> float:
    """Return 0 for the identity; infinity where elements may be dropped."""
    return math.inf if trains(facts) else 0.0


def cast(facts: NodeFacts) -> float:
    """Return 1 where a cast may round: to a narrower float, or from an integer; 0 for widening, which is exact."""
    if facts.op_type == "CastLike":
        target = facts.input_dtypes[1] if len(facts.input_dtypes) > 1 else None
    else:
        target = ELEM_TYPES.get(int(facts.attributes.get("to", 0)))
    origin = facts.input_dtypes[0]
    if target not in FLOATS or (origin in FLOATS and unit_roundoff(str(origin)) >= unit_roundoff(str(target))):
        return 0.0
    return 1.0


def generated(facts: NodeFacts) -> float:
    """Return N + 4: a kernel computes the last element by N additions of the step, or by one product."""
    return math.prod(facts.output_shapes[0]) + 4.0


# Interpolation: the error of a coordinate is a few roundings of the image's size; neighbours differ by 2·max|x| at
# most.


def interpolated(smooth: float, *, mode: str) -> Count:
    """Return 0 where elements are only selected, else the error of coordinates and weights; greater for cubic ones.

    Args:
        smooth: error of the coordinates per unit of length, times the two neighbours of each axis.
        mode: default of the attribute ``mode``.
    """

    def count(facts: NodeFacts) -> float:
        lengths = (*(shape_of(facts, 0) or ()), *facts.output_shapes[0])
        used = str(facts.attributes.get("mode", mode))
        if used == "nearest":
            return 0.0
        # For a cubic with a = -3/4, Σ|weights| is 1.4 per axis, and the slope is at most twice that of linear weights.
        factor = 4.0 if used in {"cubic", "bicubic"} else 1.0
        return factor * (smooth * sum(lengths[2 - min(2, len(lengths)) :]) + 12)

    return count


def roi_align(facts: NodeFacts) -> float:
    """Return 8 · (H + W) for the coordinates, plus the number of sampled points that are averaged in a bin."""
    height, width = (*(shape_of(facts, 0) or ()), 1, 1)[2:4]
    ratio = int(number(facts, "sampling_ratio", 0))
    return 8.0 * (height + width) + 12 + (ratio * ratio if ratio else height * width)


def affine_grid(facts: NodeFacts) -> float:
    """Return (d + 1) · (d + 9): a sum of d + 1 products, with coordinates within ±1 and an error of 8 roundings."""
    dimensions = axis_length(facts, 1)
    return (dimensions + 1.0) * (dimensions + 9.0)


# ai.onnx.ml: coefficients are attributes, so the count includes their magnitude.


def linear_model(facts: NodeFacts) -> float:
    """Return 2·K · Σ|coefficients| of the class with the greatest sum; infinite for a probit, steep at its ends."""
    if facts.attributes.get("post_transform", "NONE") == "PROBIT":
        return math.inf
    features = max(1, axis_length(facts, -1))
    weights = np.abs(np.asarray(facts.attributes.get("coefficients", []), dtype=np.float64))
    rows = weights.reshape(-1, features) if weights.size % features == 0 else weights.reshape(1, -1)
    return (2.0 * features + 3) * float(rows.sum(axis=1).max(initial=0.0))


def linear_model_constant(facts: NodeFacts) -> float:
    """Return 2 · max|intercept|, plus the post-transform: 34 for a sigmoid, 3·N + 32 for a softmax."""
    intercepts = np.abs(np.asarray(facts.attributes.get("intercepts", [0.0]), dtype=np.float64))
    after = {"LOGISTIC": 34.0, "SOFTMAX": 3.0 * intercepts.size + 32, "SOFTMAX_ZERO": 3.0 * intercepts.size + 32}
    return 2 * float(intercepts.max(initial=0.0)) + after.get(str(facts.attributes.get("post_transform")), 0.0)


def scaler(which: str) -> Count:
    """Return 3 · max|scale| for the inputs, or that times max|offset| for the constant part of (x - offset)·scale."""

    def greatest(facts: NodeFacts, name: str, default: float) -> float:
        return max((abs(float(value)) for value in facts.attributes.get(name, [])), default=default)

    def count(facts: NodeFacts) -> float:
        product = 3 * greatest(facts, "scale", 1.0)
        return product * (greatest(facts, "offset", 0.0) if which == "offset" else 1.0)

    return count
