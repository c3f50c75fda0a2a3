"""Statistical tests for operators that generate random numbers: range, support and distribution of the samples.

Does not compare with another run, and checks neither dtypes and shapes nor the independence of neighbours.

Every test is valid for any number of elements, without an approximation: the family-wise error rate of one call is
below 1e-6, divided equally among its tests. They use the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant
for distributions, Hoeffding's for means of bounded numbers, Bernstein's for counts, Laurent and Massart's for variances
of normal numbers, and the exact tail for means and extremes of normal ones. With few elements they accept any samples
in range, since these give no evidence of an error.
"""

import math
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.facts import NodeFacts, needed
from burn_verify.judge.metrics import first_index, flat, is_float, widened
from burn_verify.judge.roundoff import number, smallest_normal, smallest_subnormal, trains, unit_roundoff
from burn_verify.judge.structure import show_index

SIGNIFICANCE: Final = 1e-6
"""Upper bound of the probability that a correct generator fails one call of `check`."""

Array: TypeAlias = npt.NDArray[Any]
Float64: TypeAlias = npt.NDArray[np.float64]
_Check: TypeAlias = Callable[[NodeFacts, Sequence[Array | None], Sequence[Array]], str | None]


def is_random(facts: NodeFacts) -> bool:
    """Return whether a node generates random numbers; a Dropout does where its training_mode is true or not known."""
    if facts.domain not in {"", "ai.onnx"}:
        return False
    return trains(facts) if facts.op_type == "Dropout" else facts.op_type in _CHECKS


def check(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Return a description of the error in a node's random output, None where there is none.

    Args:
        facts: the node, its attributes in particular.
        inputs: arrays by position; None for an omitted one.
        outputs: the actual outputs, of the expected dtype and shape.

    Raises:
        ValueError: the operator generates no random numbers.
    """
    if facts.op_type not in _CHECKS:
        msg = f"{facts.op_type} draws no random numbers"
        raise ValueError(msg)
    return _CHECKS[facts.op_type](facts, inputs, outputs)


def remark(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Return a remark on a node's output that is unexpected in this mode but valid in another mode of the operator.

    A Dropout in training mode that returns its input behaves as in inference, which is the mode that burn-onnx
    generates programs for.

    Args:
        facts, inputs, outputs: as for `check`.
    """
    if facts.op_type != "Dropout":
        return None
    came, data = widened(flat(outputs[0])), widened(flat(needed(inputs, 0)))
    kept = all(flat(mask).all() for mask in outputs[1:])
    if kept and _ratio(facts, inputs) > 0 and data.any() and np.array_equal(came, data, equal_nan=True):
        return "drops nothing, as in inference"
    return None


def _uniform(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Check range, mean and distribution of numbers from `low` to `high`; rounding may produce `high` itself."""
    low, high = number(facts, "low", 0.0), number(facts, "high", 1.0)
    values, grain = widened(flat(outputs[0])), _grain(outputs[0], max(abs(low), abs(high)))
    inside = (values >= low - grain) & (values <= high + grain)
    if (text := _outside(inside, outputs[0], f"from {low:g} to {high:g}")) is not None or not values.size:
        return text
    share = SIGNIFICANCE / 2
    spread = (high - low) * math.sqrt(math.log(2 / share) / (2 * values.size)) + grain
    if (text := _off("mean", float(values.mean()), (low + high) / 2, spread)) is not None:
        return text
    return _distribution(values, lambda x: np.clip((x - low) / ((high - low) or 1.0), 0.0, 1.0), grain, share)


def _normal(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Check extremes, mean, variance and distribution of normal numbers."""
    mean, scale = number(facts, "mean", 0.0), abs(number(facts, "scale", 1.0))
    values = widened(flat(outputs[0]))
    if not values.size:
        return None
    share, count = SIGNIFICANCE / 4, values.size
    reach = _normal_quantile(share / count)
    grain = _grain(outputs[0], abs(mean) + reach * scale)
    inside = np.abs(values - mean) <= reach * scale + grain
    if (text := _outside(inside, outputs[0], f"within {reach:.1f} deviations of {mean:g}")) is not None:
        return text
    spread = _normal_quantile(share) * scale / math.sqrt(count) + grain
    if (text := _off("mean", float(values.mean()), mean, spread)) is not None:
        return text
    # Laurent and Massart: a χ² variable of n degrees of freedom is below n - 2√(nx), or above n + 2√(nx) + 2x, with a
    # probability of at most e^-x each.
    tail = math.log(2 / share)
    width = 2 * math.sqrt(tail / count) + 2 * tail / count
    variance = float(((values - mean) ** 2).mean())
    if (
        text := _off("variance", variance, scale**2, width * scale**2 + 2 * reach * scale * grain + grain**2)
    ) is not None:
        return text
    return _distribution(values, lambda x: _normal_cdf((x - mean) / (scale or 1.0)), grain, share)


def _bernoulli(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Check that numbers are 0 or 1, that probabilities 0 and 1 are exact, and that the number of ones is plausible."""
    values, chances = widened(flat(outputs[0])), widened(flat(needed(inputs, 0)))
    if (text := _outside((values == 0) | (values == 1), outputs[0], "0 or 1")) is not None:
        return text
    sure = ((chances > 0) | (values == 0)) & ((chances < 1) | (values == 1))
    if (text := _outside(sure, outputs[0], "what its probability of 0 or 1 allows")) is not None:
        return text
    given = dtype_name(needed(inputs, 0).dtype)
    coarse = unit_roundoff(given) if is_float(needed(inputs, 0).dtype) else 0.0
    # Test the lower and the upper half of the probabilities separately: samples that ignore the individual
    # probabilities could have the right total.
    order = np.argsort(chances, kind="stable")
    for part in np.array_split(order, 2):
        if (text := _counted("ones", values[part].sum(), chances[part], SIGNIFICANCE / 2, coarse)) is not None:
            return text
    return None


def _multinomial(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Check that class indices are in range, and that class frequencies match the given log-probabilities."""
    logits, drawn = widened(needed(inputs, 0)), outputs[0]
    classes = logits.shape[-1]
    if (text := _outside((drawn >= 0) & (drawn < classes), drawn, f"a class below {classes}")) is not None:
        return text
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances = weights / weights.sum(axis=-1, keepdims=True)
    share = SIGNIFICANCE / max(1, chances.size)
    for row in range(drawn.shape[0]):
        counts = np.bincount(drawn[row].astype(np.int64), minlength=classes)
        for number_of, count in enumerate(counts.tolist()):
            chance = np.full(drawn.shape[1], chances[row, number_of])
            if (text := _counted(f"class {number_of} of row {row}", count, chance, share)) is not None:
                return text
    return None


@np.errstate(all="ignore")
def _dropout(facts: NodeFacts, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> str | None:
    """Check that elements are 0 or x/(1 - ratio), that the mask matches them, and how many are kept."""
    data, ratio = needed(inputs, 0), _ratio(facts, inputs)
    came, x = widened(flat(outputs[0])), widened(flat(data))
    if not (_told_to_train(inputs) if facts.since_version >= 12 else trains(facts)):
        return _outside((came == x) | (np.isnan(came) & np.isnan(x)), outputs[0], "the input, when not training")
    scaled = x / (1 - ratio) if ratio < 1 else np.zeros_like(x)
    name = dtype_name(outputs[0].dtype)
    least = max(smallest_subnormal(name), smallest_normal("float32"))
    # Three roundings: of the ratio, the factor and the product.
    near = 4 * unit_roundoff(name) * np.abs(scaled) / max(1 - ratio, 1e-3)
    near = near + least
    rounded = scaled.astype(outputs[0].dtype).astype(np.float64)
    kept = (np.abs(came - scaled) <= near) | (came == rounded) | (np.isnan(came) & np.isnan(x))
    if (text := _outside((came == 0) | kept, outputs[0], "0 or x/(1 - ratio)")) is not None:
        return text
    chosen = (came != 0) & (ratio < 1)
    telling = ~(np.abs(scaled) <= least)
    if len(outputs) > 1:
        mask = np.asarray(flat(outputs[1]) != 0)
        if (text := _outside(~telling | (mask == chosen), outputs[1], "what the output shows")) is not None:
            return text
        chosen, telling = mask, np.ones_like(telling)
    return _counted(
        "kept", int(chosen[telling].sum()), np.full(int(telling.sum()), 1 - ratio), SIGNIFICANCE, unit_roundoff(name)
    )


_CHECKS: Final = MappingProxyType[str, _Check](
    {
        "RandomUniform": _uniform,
        "RandomUniformLike": _uniform,
        "RandomNormal": _normal,
        "RandomNormalLike": _normal,
        "Bernoulli": _bernoulli,
        "Multinomial": _multinomial,
        "Dropout": _dropout,
    }
)


def _ratio(facts: NodeFacts, inputs: Sequence[Array | None]) -> float:
    """Return the share of elements that Dropout drops: an input since version 12, an attribute before."""
    given = inputs[1] if len(inputs) > 1 and facts.since_version >= 12 else None
    return number(facts, "ratio", 0.5) if given is None else float(flat(widened(given))[0])


def _told_to_train(inputs: Sequence[Array | None]) -> bool:
    """Return whether the input training_mode of Dropout is true."""
    given = inputs[2] if len(inputs) > 2 else None
    return given is not None and bool(flat(given)[0])


def _grain(output: Array, reach: float) -> float:
    """Return an upper bound of the rounding error of numbers up to `reach` in the output's dtype."""
    return 2 * unit_roundoff(dtype_name(output.dtype)) * reach if is_float(output.dtype) else 0.0


def _outside(good: Array, output: Array, what: str) -> str | None:
    """Describe the first element that violates a condition, None where none does."""
    place = first_index(~np.asarray(good, dtype=np.bool_).reshape(output.shape))
    return None if place is None else f"{output[place]} at {show_index(place)} is not {what}"


def _off(what: str, found: float, expected: float, spread: float) -> str | None:
    """Describe a moment that is too far from its expectation, None where it is not."""
    if abs(found - expected) <= spread:
        return None
    return f"{what} {found:.6g}, {expected:.6g} ± {spread:.2g} expected"


def _counted(what: str, found: float, chances: Float64, share: float, coarse: float = 0.0) -> str | None:
    """Describe a number of successes that independent probabilities do not explain, by Bernstein's inequality.

    P(|X - EX| ≥ √(2·V·L) + 2L/3) ≤ 2·e^-L, with V the variance and terms within 1 of their means. A generator that
    compares with a uniform number of low precision has an error of `coarse` in each probability. Where all
    probabilities are 0 or 1, the count has to be exact.
    """
    expected, variance = float(chances.sum()), float((chances * (1 - chances)).sum())
    tail = math.log(2 / share)
    spread = math.sqrt(2 * variance * tail) + 2 * tail / 3 if variance > 0 else 1e-6 * expected
    return _off(f"{what}:", found, expected, spread + coarse * chances.size)


def _distribution(values: Float64, cdf: Callable[[Float64], Float64], grain: float, share: float) -> str | None:
    """Describe an empirical distribution that is too far from `cdf` at any point; numbers are rounded by `grain`."""
    ordered = np.sort(values)
    count = ordered.size
    steps = np.arange(count + 1) / count
    above = float((steps[1:] - cdf(ordered + grain)).max())
    below = float((cdf(ordered - grain) - steps[:-1]).max())
    worst, allowed = max(above, below), math.sqrt(math.log(2 / share) / (2 * count))
    return None if worst <= allowed else f"distribution off by {worst:.2g}, at most {allowed:.2g} expected"


def _normal_cdf(x: Float64) -> Float64:
    """Return the standard normal distribution function, interpolated between 4096 points: error 1e-6 at most."""
    points = np.linspace(-9.0, 9.0, 4096)
    table = np.array([math.erfc(-point / math.sqrt(2)) / 2 for point in points])
    return np.asarray(np.interp(x, points, table), dtype=np.float64)


def _normal_quantile(probability: float) -> float:
    """Return the two-sided quantile: a normal number exceeds so many deviations with `probability` at most."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > probability else (low, middle)
    return high
