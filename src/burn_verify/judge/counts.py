"""Rounding counts of operators that combine many elements: reductions, contractions, normalisations, transforms.

Independent of magnitudes; `bound_table` assigns counts to operators. Every function takes `NodeFacts` and returns a
number of unit roundoffs, infinite where no count is known.
"""

import math
from typing import Final

from burn_verify.judge.facts import Count, NodeFacts
from burn_verify.judge.roundoff import attribute, axis_length, number, shape_of, size_of, value_of

_LN_LARGEST: Final = 710.0
# Upper bound of the natural logarithm of a finite float64.


def constant(value: float) -> Count:
    """Return a count that is the same for every node."""
    return lambda _: value


# Reductions: the number of input elements per output element, independent of the axes.


def reduced(facts: NodeFacts) -> int:
    """Return the number of input elements per output element."""
    return max(1, math.ceil(size_of(facts, 0) / max(1, math.prod(facts.output_shapes[0]))))


def reduction(factor: float, plus: float) -> Count:
    """Return ``factor · N + plus`` with N the reduced elements."""
    return lambda facts: factor * reduced(facts) + plus


def scanned(facts: NodeFacts) -> float:
    """Return the length of the axis of a cumulative sum or product; the longest axis where it is not known."""
    axis = value_of(facts, 1)
    return float(max(shape_of(facts, 0) or (1,)) if axis is None else axis_length(facts, int(axis)))


def variadic(plus: float) -> Count:
    """Return the number of inputs, plus a constant."""
    return lambda facts: len(facts.input_shapes) + plus


# Contractions.


def matmul(facts: NodeFacts) -> float:
    """Return 2·K."""
    return 2.0 * axis_length(facts, -1)


def gemm(facts: NodeFacts) -> float:
    """Return 2·K + 3, plus the uncertainty of alpha and beta."""
    inner = axis_length(facts, 0 if facts.attributes.get("transA") else 1)
    return 2.0 * inner + 3 + max(attribute(facts, "alpha", 1.0), attribute(facts, "beta", 1.0))


def conv(facts: NodeFacts) -> float:
    """Return 2·Kh·Kw·Cin/groups, and 2 for a bias: the weight is [Cout, Cin/groups, Kh, Kw]."""
    return 2.0 * math.prod((shape_of(facts, 1) or (1, 1))[1:]) + (2 if shape_of(facts, 2) is not None else 0)


def conv_transpose(facts: NodeFacts) -> float:
    """Return 2·Kh·Kw·Cin/groups, and 2 for a bias: the weight is [Cin, Cout/groups, Kh, Kw]."""
    channels, _, *kernel = shape_of(facts, 1) or (1, 1)
    bias = 2 if shape_of(facts, 2) is not None else 0
    return 2.0 * channels / number(facts, "group", 1) * math.prod(kernel) + bias


def einsum(facts: NodeFacts) -> float:
    """Return 2·K + m with K the product of the summed labels' lengths and m the number of operands."""
    left, _, right = str(facts.attributes.get("equation", "")).replace(" ", "").partition("->")
    lengths: dict[str, int] = {}
    for term, shape in zip(left.split(","), facts.input_shapes, strict=False):
        head, dots, tail = term.partition("...")
        sizes = shape or ()
        labels = [*zip(head, sizes, strict=False)]
        labels += zip(reversed(tail), reversed(sizes), strict=False) if dots else []
        for label, length in labels:
            lengths[label] = max(length, lengths.get(label, 1))
    if "->" not in str(facts.attributes.get("equation", "")):
        # Implicit output: the labels that occur once.
        right = "".join(label for label in lengths if left.count(label) == 1)
    summed = math.prod(length for label, length in lengths.items() if label not in right)
    return 2.0 * summed + len(facts.input_shapes)


def col2im(facts: NodeFacts) -> float:
    """Return the size of a block, the maximum number of them that overlap at a pixel. The input is [N, C·block, L]."""
    channels = facts.output_shapes[0][1] if len(facts.output_shapes[0]) > 1 else 1
    return axis_length(facts, 1) / max(1, channels)


def scattered(facts: NodeFacts) -> float:
    """Return the number of updates, all of which may address one element; 0 where they overwrite or select."""
    return float(size_of(facts, 2)) if facts.attributes.get("reduction") in {"add", "mul"} else 0.0


# Pooling and normalisation.


def pool(factor: float, plus: float) -> Count:
    """Return ``factor · (elements of the kernel) + plus``; without a kernel it covers the whole image."""

    def count(facts: NodeFacts) -> float:
        kernel = facts.attributes.get("kernel_shape")
        return factor * (math.prod((shape_of(facts, 0) or ())[2:]) if kernel is None else math.prod(kernel)) + plus

    return count


def local_response(facts: NodeFacts) -> float:
    """Return the error of ``x / (bias + alpha/size · Σx²)^beta``: beta times that of the base, plus that of a power."""
    base = 2 * number(facts, "size", 1) + 4
    base += max(attribute(facts, "alpha", 1e-4), attribute(facts, "bias", 1.0))
    beta = abs(number(facts, "beta", 0.75))
    return beta * (base + attribute(facts, "beta", 0.75) * _LN_LARGEST) + 32 + 2


def batch_normalisation(facts: NodeFacts) -> float:
    """Return 8: the published 6, plus 2 for the folded form x·a + b; infinite with statistics of the batch."""
    if facts.attributes.get("training_mode"):
        return math.inf
    return 8 + attribute(facts, "epsilon", 1e-5) / 2


def normalised(default_epsilon: float) -> Count:
    """Return N + 8 with N the number of elements that share a mean, plus the uncertainty of epsilon."""
    return lambda facts: group_size(facts) + 8 + attribute(facts, "epsilon", default_epsilon) / 2


def lp_normalised(facts: NodeFacts) -> float:
    """Return 2·N + 3 with N the length of the axis: a norm and a division."""
    return 2.0 * axis_length(facts, int(facts.attributes.get("axis", -1))) + 3


def group_size(facts: NodeFacts) -> int:
    """Return the number of elements that share one mean and deviation."""
    shape = shape_of(facts, 0) or ()
    rank = len(shape)
    match facts.op_type:
        case "LayerNormalization" | "RMSNormalization":
            return math.prod(shape[int(facts.attributes.get("axis", -1)) % max(1, rank) :])
        case "GroupNormalization":
            return math.prod(shape[1:]) // int(facts.attributes.get("num_groups", 1))
        case "MeanVarianceNormalization":
            return math.prod(shape[axis] for axis in facts.attributes.get("axes", (0, 2, 3)) if axis < rank)
    return math.prod(shape[2:])


# Transforms.


def fourier(facts: NodeFacts) -> float:
    """Return 2·N·(N + 8): a sum of N products with rounded roots of unity; without the first N for the inverse."""
    if facts.op_type == "STFT":
        length = value_of(facts, 3) or axis_length(facts, 0, position=2)
        # Without a window and a frame length, the frame is the whole signal.
        known = shape_of(facts, 2) is not None or shape_of(facts, 3) is not None
        points = int(length) if known else axis_length(facts, 1)
    else:
        default = 1 if facts.since_version < 20 else -2
        axis = value_of(facts, 2) if facts.since_version >= 20 else facts.attributes.get("axis")
        points = int(value_of(facts, 1) or axis_length(facts, int(default if axis is None else axis)))
    sums = 1 if facts.attributes.get("inverse") else points
    return 2.0 * sums * (points + 8)


# Recurrent networks.


def recurrent(gates: int) -> Count:
    """Return steps · gates · (2 · (inputs + hidden) + 36): each step adds its error to that of the previous step."""

    def count(facts: NodeFacts) -> float:
        shape = shape_of(facts, 0) or (1, 1, 1)
        steps = shape[1 if facts.attributes.get("layout") else 0]
        hidden = axis_length(facts, -1, position=2)
        return float(steps * gates * (2 * (shape[-1] + hidden) + 36))

    return count
