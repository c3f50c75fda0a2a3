"""What the judge allows for one output, as plain numbers: a program without the judge can apply it.

Made from a verdict that passed. It never accepts what the judge would not, and accepts the output it was made for.
``ship/rust/check.rs`` applies the same rules in Rust.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.metrics import is_float, quantile, widened
from burn_verify.judge.noise import root_mean_square
from burn_verify.judge.roundoff import largest
from burn_verify.judge.weigh import HALF, Weighed, own_factor
from burn_verify.judge.yardstick import SHARE_OF_BOUND, TAIL

Array = npt.NDArray[Any]

STRUCTURE: Final = "structure"
"""The kind of an output of which only dtype and shape are checked, since it is random."""
EQUAL: Final = "equal"
"""The kind of an output that has to be equal, element by element."""
BOUNDED: Final = "bounded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The output that is expected, and how far another may be from it.

    Attributes:
        kind: `STRUCTURE`, `EQUAL` or `BOUNDED`.
        dtype, shape: of the output.
        reference: float64 of the output's shape where the kind is `BOUNDED`, else the expected output itself.
        limit: the unit of the errors below: float64 of the output's shape, or a scalar; 0 where elements are equal.
        most: greatest error in units of the limit.
        rms, tail: greatest root mean square, and greatest 99.9th percentile, of the errors in units of the limit.
        mean: greatest root mean square of the differences; infinite where there is none.
        above, below: where +∞ and -∞ are accepted although the reference is finite; None where nowhere.
        greatest: the greatest number of the dtype, which the reference is clipped to where it may overflow.
        zeros: whether the sign of zero has to match.
    """

    kind: str
    dtype: str
    shape: tuple[int, ...]
    reference: Array
    limit: npt.NDArray[np.float64] | None = None
    most: float = 1.0
    rms: float = math.inf
    tail: float = math.inf
    mean: float = math.inf
    above: npt.NDArray[np.bool_] | None = None
    below: npt.NDArray[np.bool_] | None = None
    greatest: float = math.inf
    zeros: bool = False

    @np.errstate(all="ignore")
    def accepts(self, answer: Array) -> bool:
        """Return whether an output is accepted."""
        if dtype_name(answer.dtype) != self.dtype or answer.shape != self.shape:
            return False
        if self.kind == STRUCTURE:
            return True
        if self.kind == EQUAL:
            return _equal(answer, self.reference)
        came = widened(answer) if is_float(answer.dtype) else answer.astype(np.float64)
        equal = (came == self.reference) | (np.isnan(came) & np.isnan(self.reference))
        if self.zeros and (equal & (came == 0) & (np.signbit(came) != np.signbit(self.reference))).any():
            return False
        for mask, infinity in ((self.above, np.inf), (self.below, -np.inf)):
            if mask is not None:
                equal |= mask & (came == infinity)
        finite = np.isfinite(came) & np.isfinite(self.reference)
        return bool((equal | finite).all()) and self._near(came[finite], finite)

    def _near(self, came: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_]) -> bool:
        """Return whether finite elements are near enough, each and all together."""
        if not came.size:
            return True
        assert self.limit is not None
        reference = self.reference if self.above is None else np.clip(self.reference, -self.greatest, self.greatest)
        differences = np.abs(came - reference[finite])
        errors = np.where(differences > 0, differences / np.broadcast_to(self.limit, self.shape)[finite], 0.0)
        return (
            float(errors.max()) <= self.most
            and root_mean_square(errors) <= self.rms
            and quantile(errors, TAIL) <= self.tail
            and root_mean_square(differences) <= self.mean
        )


def equal_to(answer: Array) -> Allowance:
    """Return the allowance of an output that every other has to equal."""
    return Allowance(kind=EQUAL, dtype=dtype_name(answer.dtype), shape=answer.shape, reference=answer)


def shaped_as(answer: Array) -> Allowance:
    """Return the allowance of a random output: its dtype and shape."""
    return Allowance(kind=STRUCTURE, dtype=dtype_name(answer.dtype), shape=answer.shape, reference=answer)


def allowance_of(answer: Array, weighed: Weighed) -> Allowance:
    """Return what the judge allows, from its evaluation of an output that passed."""
    bound = weighed.yardstick.bound
    if bound.limit is None:
        return equal_to(answer)
    reference = weighed.yardstick.reference
    dtype = dtype_name(answer.dtype)
    most = rms = tail = math.inf
    if not weighed.bad.any() and (weighed.yardstick.lone or bound.mean is not None or dtype in HALF):
        most = 1.0
    else:
        factor, own = own_factor(dtype), weighed.oracle_errors
        most = 1 + factor * own.greatest
        rms, tail = (factor * share + SHARE_OF_BOUND for share in (own.rms, own.tail))
    above, below = (None, None) if bound.overflows is None else bound.overflows
    return Allowance(
        kind=BOUNDED,
        dtype=dtype,
        shape=answer.shape,
        reference=np.asarray(reference, np.float64),
        limit=_shortest(np.asarray(bound.limit, np.float64)),
        most=most,
        rms=rms,
        tail=tail,
        mean=math.inf if bound.mean is None else bound.mean,
        above=above,
        below=below,
        greatest=largest(dtype) if bound.overflows is not None else math.inf,
        zeros=weighed.yardstick.zeros,
    )


def _shortest(limit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a scalar where all limits are the same."""
    return limit.reshape(-1)[0].reshape(()) if limit.size and bool((limit == limit.reshape(-1)[0]).all()) else limit


def _equal(answer: Array, reference: Array) -> bool:
    if is_float(answer.dtype):
        came, wanted = widened(answer), widened(reference)
        return bool(((came == wanted) | (np.isnan(came) & np.isnan(wanted))).all())
    return bool((answer == reference).all())
