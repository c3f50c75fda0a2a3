"""Allowed differences of floats: fixed tolerances by dtype.

The simplest rule: it ignores the operator and the magnitudes of its intermediate values. Other rules return a `Bound`
too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from burn_verify.core.case import Tolerance
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import widened


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The allowed error of one output.

    Attributes:
        limit: greatest absolute difference by element, float64, of the output's shape or broadcasting to it; None
            where elements have to be equal. It is finite, and 0 where the reference is not.
        text: the same as text, for the end of a message.
        mean: greatest root mean square of the differences of all elements; None where elements are judged separately.
        deviation: the root mean square that rounding explains, of which `mean` is a multiple.
        overflows: masks of the elements where +∞ and -∞ are accepted although the reference is finite, as rounding may
            exceed the greatest number; None where there are no such elements.
        override: name of the exception that widened the bound; empty where none did.
    """

    limit: npt.NDArray[np.float64] | None
    text: str
    mean: float | None = None
    deviation: float | None = None
    overflows: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None = None
    override: str = ""

    @np.errstate(over="ignore")
    def times(self, factor: float, words: str, *, mean_factor: float | None = None) -> "Bound":
        """Return the bound multiplied by a factor, described by `words`; `mean` has its own factor where given."""
        # Twice the greatest numbers is none of them: an infinite limit would accept infinities.
        limit = None if self.limit is None else np.minimum(self.limit * factor, np.finfo(np.float64).max)
        mean = None if self.mean is None else self.mean * (factor if mean_factor is None else mean_factor)
        return replace(self, limit=limit, mean=mean, text=f"{words} · ({self.text})")


BoundRule: TypeAlias = Callable[[npt.NDArray[Any]], Bound]
"""Maps the desired output to its bound."""

TOLERANCES: Final[Mapping[str, Tolerance]] = MappingProxyType(
    {
        "float64": Tolerance(rtol=1e-7, atol=1e-9),
        "float32": Tolerance(rtol=1e-3, atol=1e-4),
        "float16": Tolerance(rtol=2e-2, atol=1e-3),
        "bfloat16": Tolerance(rtol=2e-2, atol=1e-2),
    }
)
"""Tolerances by dtype; a dtype that is missing here is compared exactly.

- float64: NumPy's default `rtol`. ONNX attributes are float32 (unit roundoff u = 6e-8), and a kernel may read 0.01 as
  either number; no tighter tolerance holds for all operators.
- float32: `rtol` of ONNX's own backend tests. Their `atol`, 1e-7, is below one rounding (u = 6e-8) of an intermediate
  value of 2, so sums that cancel would fail; 1e-4 is what a real detector needs: on yolox_nano ONNX Runtime with and
  without its optimisations differs from itself by 1.7e-4 (docs/decisions/0006-first-tolerances.md).
- float16: `rtol` is about 40 u (u = 4.9e-4): Burn's CPU kernels accumulate in float16, and a sum of a thousand
  products accumulates about √1000 = 32 roundings; `atol` is 2 u at magnitude 1.
- bfloat16: `rtol` is about 5 u (u = 3.9e-3), `atol` 2.5 u at magnitude 1: the coarsest that still distinguishes 1.00
  from 1.05.
"""


_TWO_ULP_OF_BFLOAT16: Final = 2.0**-6
"""Minimum `rtol` of bfloat16 in ONNX's own runner, `onnx.backend.test.runner.Runner.assert_similar_outputs`."""


def bound(desired: npt.NDArray[Any], dtype: str | None = None, *, scaled: bool = True) -> Bound:
    """Return the bound for an output of any shape, by its dtype or another given one.

    Args:
        desired: the output.
        dtype: dtype name to use instead of the array's own.
        scaled: multiply the absolute part, which is defined for outputs of magnitude 1, by the root mean square of the
            output where that is below 1.
    """
    tolerance = TOLERANCES.get(dtype or dtype_name(desired.dtype))
    if tolerance is None:
        return _bound(desired, None)
    size = min(1.0, _size(desired)) if scaled else 1.0
    return _bound(desired, Tolerance(rtol=tolerance.rtol, atol=tolerance.atol * size))


@np.errstate(all="ignore")
def _size(desired: npt.NDArray[Any]) -> float:
    """Return the root mean square of the finite elements, 0 without any."""
    wide = widened(np.atleast_1d(desired))
    wide = wide[np.isfinite(wide)]
    greatest = float(np.abs(wide).max(initial=0.0))
    # Scaled first, because squares of very small or very large numbers underflow or overflow.
    return greatest * float(np.sqrt(np.mean((wide / greatest) ** 2))) if greatest > 0 else 0.0


def within(tolerance: Tolerance) -> BoundRule:
    """Return the rule of a corpus that defines its own tolerance, applied to floats as in ONNX's own runner."""

    def rule(desired: npt.NDArray[Any]) -> Bound:
        if (dtype := dtype_name(desired.dtype)) not in TOLERANCES:
            return _bound(desired, None)
        rtol = max(tolerance.rtol, _TWO_ULP_OF_BFLOAT16) if dtype == "bfloat16" else tolerance.rtol
        return _bound(desired, Tolerance(rtol=rtol, atol=tolerance.atol))

    return rule


@np.errstate(all="ignore")
def _bound(desired: npt.NDArray[Any], tolerance: Tolerance | None) -> Bound:
    if tolerance is None:
        return Bound(limit=None, text="exact")
    # At least one dimension: NumPy turns rank 0 into a scalar, which cannot be written to.
    limit = np.abs(widened(np.atleast_1d(desired)))
    limit *= tolerance.rtol
    limit += tolerance.atol
    # An infinity has to be equal, because its distance from any other number is infinite.
    limit[~np.isfinite(limit)] = 0.0
    return Bound(limit=limit.reshape(desired.shape), text=f"rtol {tolerance.rtol:.0e} atol {tolerance.atol:.0e}")
