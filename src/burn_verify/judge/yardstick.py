"""The yardstick of one output: a reference, the bound around it, and errors in units of that bound.

Determines no verdicts; `weigh` chooses the yardstick and determines the verdict.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import Mask, is_float, mismatches, quantile, widened
from burn_verify.judge.noise import root_mean_square
from burn_verify.judge.roundoff import largest
from burn_verify.judge.tolerance import Bound, bound

Array = npt.NDArray[Any]

TAIL: Final = 0.999
"""The quantile of the errors that is limited in addition to their root mean square: numerics.md, step 4."""

SHARE_OF_BOUND: Final = 0.1
"""The share of the bound that is added to the reference's own error: numerics.md, step 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors of one output in units of the bound, over finite elements; infinite where the bound is 0.

    Attributes:
        rms, tail, greatest: root mean square, 99.9th percentile, maximum.
        share: the root mean square of the differences, in units of the bound for all elements together; where
            elements are judged separately, in units of the root mean square of their bounds.
    """

    rms: float
    tail: float
    greatest: float
    share: float = 0.0

    def within(self, factor: float, own: "Errors") -> bool:
        """Return whether errors are at most `factor` times the reference's own, plus a tenth of the bound."""
        return all(
            mine <= factor * theirs + SHARE_OF_BOUND for mine, theirs in ((self.rms, own.rms), (self.tail, own.tail))
        )


class Origin(StrEnum):
    """Where a reference is from."""

    FLOAT64 = "float64"
    """Computed in float64 for the judge."""
    STORED = "stored"
    """Stored with the model."""
    PROGRAM = "program"
    """The answer of the engine, or of the program that stands in for it."""


NO_ERRORS: Final = Errors(rms=0.0, tail=0.0, greatest=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """A reference and the bound around it.

    Attributes:
        reference: float64 where the output is a float, else of the output's own dtype.
        bound: its limit is None where elements have to be equal.
        origin: where the reference is from.
        program: the program that computed it; empty for a stored one.
        lone: whether the bound is an a-priori one of a single operator; otherwise it is a tolerance for graphs.
        zeros: whether the sign of zero has to match.
    """

    reference: Array
    bound: Bound
    origin: Origin
    lone: bool
    program: str = ""
    zeros: bool = False

    @property
    def name(self) -> str:
        """Display name of the reference: ``float64 (onnxruntime)``, ``stored``, ``onnxruntime`` …"""
        match self.origin:
            case Origin.FLOAT64:
                return f"{self.origin.value} ({self.program})"
            case Origin.STORED:
                return self.origin.value
            case Origin.PROGRAM:
                return self.program

    def stretched(self, each: float, together: float) -> "Yardstick":
        """Return a yardstick with the bound multiplied by factors: of each element, and of all together."""
        words = f"{max(each, together):.2g} for the reference's own error"
        return replace(self, bound=self.bound.times(each, words, mean_factor=together))

    @np.errstate(all="ignore")
    def misses(self, answer: Array) -> Mask:
        """Return where an output of the reference's shape is outside of the bound."""
        if not is_float(answer.dtype):
            return mismatches(answer, self.reference, self.bound.limit)
        came = widened(answer)
        limit = 0.0 if self.bound.limit is None else self.bound.limit
        equal = (came == self.reference) | (np.isnan(came) & np.isnan(self.reference))
        finite = np.isfinite(came) & np.isfinite(self.reference)
        bad = ~(equal | (finite & (np.abs(came - self._fitting(answer)) <= limit)))
        if self.bound.overflows is not None:
            above, below = self.bound.overflows
            bad &= ~((above & (came == np.inf)) | (below & (came == -np.inf)))
        if self.zeros:
            bad |= (came == 0) & (self.reference == 0) & (np.signbit(came) != np.signbit(self.reference))
        return np.asarray(bad)

    @np.errstate(all="ignore")
    def errors(self, answer: Array) -> Errors:
        """Return the errors of an output of the reference's shape, for floats with a bound."""
        if self.bound.limit is None or not is_float(answer.dtype):
            return NO_ERRORS
        limit = np.broadcast_to(self.bound.limit, answer.shape)
        difference = np.abs(widened(answer) - self._fitting(answer))
        counted = np.isfinite(difference)
        ratio = np.where(difference > 0, difference / limit, 0.0)[counted]
        if not ratio.size:
            return NO_ERRORS
        mean = root_mean_square(limit[counted]) if self.bound.mean is None else self.bound.mean
        return Errors(
            rms=root_mean_square(ratio),
            tail=quantile(ratio, TAIL),
            greatest=float(ratio.max()),
            share=root_mean_square(difference[counted]) / mean if mean > 0 else 0.0,
        )

    def _fitting(self, answer: Array) -> Array:
        """Return the reference, clipped to the greatest number of the output's dtype where it may overflow."""
        if self.bound.overflows is None:
            return self.reference
        top = largest(dtype_name(answer.dtype))
        return np.asarray(np.where(np.isfinite(self.reference), np.clip(self.reference, -top, top), self.reference))

    def accepts(self, answer: Array) -> bool:
        """Return whether an output confirms the reference.

        For a single operator, all elements have to be within the bound. In a graph, where a discrete choice may flip,
        the root mean square and nearly all elements have to be.
        """
        if answer.shape != self.reference.shape:
            return False
        missed = self.misses(answer)
        if self.lone or not is_float(answer.dtype) or not missed.any():
            return not missed.any()
        if self.bound.mean is not None:
            # The error of a confirming output may exceed what rounding explains; it then counts as the reference's
            # own error.
            return replace(self, bound=bound(self.reference, dtype_name(answer.dtype))).accepts(answer)
        errors = self.errors(answer)
        return errors.rms <= 1 and errors.tail <= 1 and not self._special(answer)

    @np.errstate(all="ignore")
    def _special(self, answer: Array) -> bool:
        """Return whether an output is finite where the reference is not, or the reverse."""
        return bool((np.isfinite(answer) != np.isfinite(self.reference)).any())
