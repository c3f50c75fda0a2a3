"""How many roundings an operator makes where elements meet few others: functions, softmax, interpolation, ai.onnx.ml.

Knows nothing of magnitudes; which operator uses which count is in `bound_table`. Every function takes `NodeFacts` and
returns a number of unit roundoffs, infinite where it cannot tell.
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

# Softmax and its like.


def softmax_length(facts: NodeFacts) -> int:
    """Return how many elements are normalised together: all from `axis` on, before version 13."""
    shape = shape_of(facts, 0) or ()
    if facts.since_version < 13:
        return math.prod(shape[int(facts.attributes.get("axis", 1)) % max(1, len(shape)) :])
    return axis_length(facts, int(facts.attributes.get("axis", -1)))


def softmax(facts: NodeFacts) -> float:
    """Return 3·N + 3, and the rounding of the exponent: |x - max| ≤ -ln(smallest normal) + ln N, relative."""
    length = max(1, softmax_length(facts))
    return 3.0 * length + 3 + exponent_range(facts) + math.log(length)


def exponent_range(facts: NodeFacts) -> float:
    """Return -ln of the smallest normal number: how far an exponent goes before its exponential is lost."""
    dtype = lowest_precision(*facts.input_dtypes) or "float32"
    return -math.log(smallest_normal(dtype))


def log_softmax_constant(facts: NodeFacts) -> float:
    """Return 2·N + 18 + 32: relative errors of the sum of exponentials are absolute ones of its logarithm."""
    return 2.0 * softmax_length(facts) + 50


def cross_entropy(*, scale: float, plus: float) -> Count:
    """Return the error of a weighted mean, or sum, over positions of a loss; scaled by the positions for a sum.

    The scores are [N, C, d1, …]; a sum or single losses with weights are as large as the weights, which are not known.
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
    """Return 1 and what is in doubt about alpha."""
    return lambda facts: 1 + attribute(facts, "alpha", default)


def exponential_unit(default_alpha: float, default_gamma: float = 1.0) -> Count:
    """Return 18 · |gamma · alpha|, at least 18, and what is in doubt about alpha and gamma: exp(x) - 1 is below 1."""

    def count(facts: NodeFacts) -> float:
        height = abs(number(facts, "alpha", default_alpha) * number(facts, "gamma", default_gamma))
        doubt = attribute(facts, "alpha", default_alpha) + attribute(facts, "gamma", default_gamma)
        return max(18.0, 18 * height) + doubt * height

    return count


def scaled_unit(facts: NodeFacts) -> float:
    """Return what is in doubt about gamma, relative: it multiplies the positive half of Selu."""
    return 2 + attribute(facts, "gamma", 1.05070102214813232421875)


def hard_sigmoid(facts: NodeFacts) -> float:
    """Return 2 · (1 + 2|beta|): between the steps |alpha · x| ≤ 1 + |beta|."""
    beta = abs(number(facts, "beta", 0.5))
    doubt = max(attribute(facts, "alpha", 0.2), attribute(facts, "beta", 0.5))
    return (2 + doubt) * (1 + 2 * beta)


def sigmoid_constant(facts: NodeFacts) -> float:
    """Return 1/32 in float16: exp(-x) overflows above 11.1, and 0 comes out for up to 1/65504 = u/32."""
    return 1 / 32 if lowest_precision(*facts.input_dtypes) == "float16" else 0.0


def swish(facts: NodeFacts) -> float:
    """Return 2 · (34 + 3): sigmoid 34, a product and its argument's rounding; sigmoid(|x|) ≥ 1/2."""
    return 74 + attribute(facts, "alpha", 1.0)


def shrink_constant(facts: NodeFacts) -> float:
    """Return what is in doubt about the bias, times the bias."""
    return abs(number(facts, "bias", 0.0)) * attribute(facts, "bias", 0.0)


def dropout(facts: NodeFacts) -> float:
    """Return 0, for the identity; infinity where elements may be dropped."""
    return math.inf if trains(facts) else 0.0


def cast(facts: NodeFacts) -> float:
    """Return 1 where the number may not fit: to a narrower float, or from an integer; widening is exact."""
    if facts.op_type == "CastLike":
        target = facts.input_dtypes[1] if len(facts.input_dtypes) > 1 else None
    else:
        target = ELEM_TYPES.get(int(facts.attributes.get("to", 0)))
    origin = facts.input_dtypes[0]
    if target not in FLOATS or (origin in FLOATS and unit_roundoff(str(origin)) >= unit_roundoff(str(target))):
        return 0.0
    return 1.0


def generated(facts: NodeFacts) -> float:
    """Return N + 4: the limit is reached by N additions of the step, or by one product."""
    return math.prod(facts.output_shapes[0]) + 4.0


# Interpolation: a coordinate is off by a few roundings of the image's size, and neighbours by 2·max|x| at most.


def interpolated(smooth: float, *, mode: str) -> Count:
    """Return 0 where elements are only picked, else the error of coordinates and weights; more for cubic ones.

    Args:
        smooth: coordinates' error per unit of length, times the two neighbours of each axis.
        mode: the default of the attribute ``mode``.
    """

    def count(facts: NodeFacts) -> float:
        lengths = (*(shape_of(facts, 0) or ()), *facts.output_shapes[0])
        used = str(facts.attributes.get("mode", mode))
        if used == "nearest":
            return 0.0
        # Σ|weights| is 1.4 an axis for a cubic with a = -3/4, and its slope no more than twice that of a line.
        factor = 4.0 if used in {"cubic", "bicubic"} else 1.0
        return factor * (smooth * sum(lengths[2 - min(2, len(lengths)) :]) + 12)

    return count


def roi_align(facts: NodeFacts) -> float:
    """Return 8 · (H + W) for the coordinates and the sampled points of a bin, averaged."""
    height, width = (*(shape_of(facts, 0) or ()), 1, 1)[2:4]
    ratio = int(number(facts, "sampling_ratio", 0))
    return 8.0 * (height + width) + 12 + (ratio * ratio if ratio else height * width)


def affine_grid(facts: NodeFacts) -> float:
    """Return (d + 1) · (d + 9): a sum of d + 1 products, with coordinates within ±1 and off by 8 roundings."""
    dimensions = axis_length(facts, 1)
    return (dimensions + 1.0) * (dimensions + 9.0)


# ai.onnx.ml: coefficients are attributes, so their magnitude belongs to the count.


def linear_model(facts: NodeFacts) -> float:
    """Return 2·K · Σ|coefficients| of the heaviest class; infinite after a probit, which is steep at its ends."""
    if facts.attributes.get("post_transform", "NONE") == "PROBIT":
        return math.inf
    features = max(1, axis_length(facts, -1))
    weights = np.abs(np.asarray(facts.attributes.get("coefficients", []), dtype=np.float64))
    rows = weights.reshape(-1, features) if weights.size % features == 0 else weights.reshape(1, -1)
    return (2.0 * features + 3) * float(rows.sum(axis=1).max(initial=0.0))


def linear_model_constant(facts: NodeFacts) -> float:
    """Return 2 · max|intercept|, and the post-transform: 34 for a sigmoid, 3·N + 32 for a softmax."""
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
