"""A value of a graph without noise and in several samples with noise. Data only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

SAMPLES: Final = 8
FEWER: Final = 4
"""Number of runs with noise, and the number when time is short, which makes deviations a seventh too small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value of the graph.

    Attributes:
        clean: the value without noise.
        samples: the values with noise; none where all are equal to `clean`.
        live: whether it depends on the inputs of the model. Other values are as exact as constants.
        flips: whether a discrete value on which it depends differed between samples.
        dtype: name of the dtype in the original model; empty where the value is not a tensor.
    """

    clean: Any
    samples: tuple[Any, ...] = ()
    live: bool = False
    flips: bool = False
    dtype: str = ""

    def sample(self, place: int) -> Any:
        """Return the value in one of the samples."""
        return self.samples[place] if self.samples else self.clean


Scope: TypeAlias = dict[str, Value]
"""Values by name."""

ABSENT: Final = Value(clean=None)
"""An omitted input."""


def stacked(values: Sequence[Value], axis: int = 0) -> Value:
    """Return values of one shape along a new axis.

    Raises:
        NotImplementedError: there are none, so their shape is not known.
    """
    if not values:
        msg = "a loop without turns gives an output whose shape is not known"
        raise NotImplementedError(msg)
    return _joined(values, lambda arrays: np.stack(arrays, axis=axis))


def sliced(value: Value, place: int, axis: int) -> Value:
    """Return one slice of a value, without the axis."""
    return _joined([value], lambda arrays: np.take(arrays[0], place, axis=axis))


def _joined(values: Sequence[Value], join: Any) -> Value:
    samples = range(min((len(value.samples) for value in values if value.samples), default=0))
    return Value(
        clean=join([value.clean for value in values]),
        samples=tuple(join([value.sample(place) for value in values]) for place in samples),
        live=any(value.live for value in values),
        flips=any(value.flips for value in values),
        dtype=values[0].dtype,
    )
