"""Random parameters that keep activations near unit size through a deep network.

Knows the role of a parameter, not the graph around it.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class Role(StrEnum):
    """The role of a parameter in its network."""

    CONV = "conv"
    DENSE = "dense"
    SCALE = "scale"
    RESIDUAL_SCALE = "residual scale"
    VARIANCE = "variance"
    SHIFT = "shift"


def parameter(rng: np.random.Generator, role: Role, shape: tuple[int, ...], gain: float = 2.0) -> Array:
    """Draw the parameter: float32 of that shape.

    Convolutions follow He et al., "Delving Deep into Rectifiers" (2015): variance ``gain / fan_in``, with gain 2
    before a ReLU. The ranges of scales and variances keep activations at their size,
    also through a hundred layers. The scale at the end of a residual branch is small, since sums would grow otherwise.
    """
    match role:
        case Role.CONV:
            return _normal(rng, shape, np.sqrt(gain / np.prod(shape[1:])))
        case Role.DENSE:
            return _normal(rng, shape, np.sqrt(gain / shape[-1]))
        case Role.SCALE:
            return _uniform(rng, shape, 0.7, 1.25)
        case Role.RESIDUAL_SCALE:
            return _uniform(rng, shape, 0.1, 0.3)
        case Role.VARIANCE:
            return _uniform(rng, shape, 0.7, 1.4)
        case Role.SHIFT:
            return _normal(rng, shape, 0.1)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Array:
    values = rng.standard_normal(shape, dtype=np.float32)
    values *= np.float32(scale)
    return values


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Array:
    return rng.uniform(low, high, shape).astype(np.float32)
