"""Evaluation of one output: choose its reference, draw the conclusion, and name the program that is wrong.

There are up to three references: float64, ONNX Runtime and, for stored data sets, the stored outputs. Float64 is used
where another one confirms it: a model widened to float64 may compute something else, and onnx's evaluator has errors
too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.core.result import Guilty, VerdictName
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.bounds import allowed, bounded, rule_of
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.facts import NodeFacts, RuleKind
from burn_verify.judge.metrics import Mask, is_float, widened
from burn_verify.judge.noise import explained
from burn_verify.judge.tolerance import Bound, bound, within
from burn_verify.judge.yardstick import Errors, Origin, Yardstick

Array = npt.NDArray[Any]


HALF: Final = frozenset({"float16", "bfloat16"})
_OWN: Final = 2.0
"""Allowed error of an output of a graph, as a multiple of the reference's own error."""
_SUMS_IN_ONNXRUNTIME: Final = frozenset({"Where"})
# ONNX Runtime adds the selected elements of both operands, with zeros elsewhere: -0 becomes 0.


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The evaluation of one output.

    Attributes:
        name: the verdict.
        bad: where elements are outside of the bound.
        yardstick: the reference and the bound it was measured against.
        errors, oracle_errors: errors of the actual output, and of the outputs that confirm the reference.
        guilty: which program's output is wrong.
    """

    name: VerdictName
    bad: Mask
    yardstick: Yardstick
    errors: Errors
    oracle_errors: Errors
    guilty: Guilty = Guilty.NONE

    @property
    def headroom(self) -> float | None:
        """The error divided by the bound, above 1 outside of it; None where elements have to be equal."""
        return self._used(self.errors)

    @property
    def oracle_headroom(self) -> float | None:
        """The same for the outputs that confirm the reference."""
        return self._used(self.oracle_errors)

    @property
    def share(self) -> float | None:
        """The root mean square error in units of the error that rounding explains; None where that is not known."""
        bound = self.yardstick.bound
        if bound.limit is None or not is_float(self.yardstick.reference.dtype):
            return None
        if bound.mean is None or bound.deviation is None:
            return self.errors.share if self.yardstick.lone else None
        return self.errors.share * bound.mean / bound.deviation

    def _used(self, errors: Errors) -> float | None:
        if self.yardstick.bound.limit is None:
            return None
        return errors.greatest if self.yardstick.bound.mean is None else max(errors.greatest, errors.share)

    @property
    def text(self) -> str:
        """The errors as text, in units of the bound; with details where only their rms or tail is too great."""
        if self.yardstick.bound.limit is None:
            return ""
        mine, own = self.errors, self.oracle_errors
        text = f"headroom {self.headroom:.2g}"
        if self.yardstick.bound.mean is not None:
            return (
                f"{text} (rms {mine.share:.2g} of it)"
                if self.name == VerdictName.DISAGREES and mine.greatest <= 1
                else text
            )
        if self.name == VerdictName.DISAGREES and not self.yardstick.lone and mine.greatest <= 1:
            text += (
                f" (rms {mine.rms:.2g} and tail {mine.tail:.2g} of it, the oracle's {own.rms:.2g} and {own.tail:.2g})"
            )
        return text


def own_factor(dtype: str) -> float:
    """Return how many times the reference's own error an output of a graph may have, by the output's dtype."""
    return 3.0 if dtype in HALF else 2.0


Widen = Callable[[Bound], Bound]
"""Applies an override to a bound."""


def weigh(place: int, actual: Array, evidence: Evidence, *, widen: Widen = lambda bound: bound) -> Weighed:
    """Evaluate one output of the correct dtype and shape.

    Args:
        place: index of the output.
        actual: the actual output.
        evidence: the evidence of the data set.
        widen: applied to the bound.
    """
    weighed = _weighed(place, actual, evidence, widen)
    return replace(weighed, guilty=evidence.program) if weighed.guilty is Guilty.ONNXRUNTIME else weighed


def _weighed(place: int, actual: Array, evidence: Evidence, widen: Widen) -> Weighed:
    stored = None if evidence.stored is None else evidence.stored[place]
    runtime = _runtime(place, actual, evidence)
    spread = [] if evidence.measured.optimised is None else [evidence.measured.optimised[place]]
    spread = [answer for answer in spread if answer.shape == actual.shape]
    yardstick = _float64(place, actual, evidence, widen)
    alone = False
    if yardstick is not None:
        alone = yardstick.accepts(actual)
        confirmed = [answer for answer in (stored, runtime) if answer is not None and yardstick.accepts(answer)]
        # A stored output is the standard's own reference and takes precedence: float64 and ONNX Runtime may share an
        # error.
        overruled = stored is not None and _far(stored, actual, yardstick)
        # Burn and float64 share only the model: where they agree, ONNX Runtime is the outlier.
        if (confirmed and not overruled) or (stored is None and alone):
            own = [yardstick.errors(answer) for answer in (*confirmed, *_trusted(yardstick, spread))]
            return _concluded(actual, yardstick, own, runtime)
    yardstick = _fallback(place, evidence, widen)
    own = [yardstick.errors(answer) for answer in _trusted(yardstick, spread)]
    if stored is not None and runtime is not None and yardstick.accepts(runtime):
        own.append(yardstick.errors(runtime))
    weighed = _concluded(actual, yardstick, own, runtime)
    # Float64 agrees with Burn but with no other output, so the program that is wrong cannot be determined.
    return replace(weighed, guilty=Guilty.UNKNOWN) if weighed.guilty and alone else weighed


def _trusted(yardstick: Yardstick, spread: Sequence[Array]) -> Sequence[Array]:
    """Return the outputs whose errors count as the reference's own: under a noise bound, only accepted ones."""
    return spread if yardstick.bound.mean is None else [answer for answer in spread if yardstick.accepts(answer)]


def _runtime(place: int, actual: Array, evidence: Evidence) -> Array | None:
    """Return ONNX Runtime's output where it can be compared."""
    if evidence.runtime is None or place >= len(evidence.runtime):
        return None
    answer = evidence.runtime[place]
    return answer if dtype_name(answer.dtype) == dtype_name(actual.dtype) else None


def _float64(place: int, actual: Array, evidence: Evidence, widen: Widen) -> Yardstick | None:
    """Return the yardstick around the output in float64, None where there is none of the correct shape."""
    wide = evidence.measured.wide.get(place)
    if wide is None or wide.shape != actual.shape or is_float(actual.dtype) != is_float(wide.dtype):
        return None
    if not is_float(actual.dtype) and dtype_name(wide.dtype) != dtype_name(actual.dtype):
        return None
    reference = widened(wide) if is_float(wide.dtype) else wide
    limits, lone = _bound(place, reference, dtype_name(actual.dtype), evidence)
    program = evidence.measured.evaluator
    return Yardstick(reference=reference, bound=widen(limits), origin=Origin.FLOAT64, program=program, lone=lone)


def _fallback(place: int, evidence: Evidence, widen: Widen) -> Yardstick:
    """Return the yardstick around the expected output."""
    desired = evidence.desired[place]
    origin, program = (Origin.STORED, "") if evidence.stored is not None else (Origin.PROGRAM, evidence.program.value)
    if not is_float(desired.dtype):
        limits, lone = _bound(place, desired, dtype_name(desired.dtype), evidence)
        return Yardstick(reference=desired, bound=widen(limits), origin=origin, program=program, lone=lone)
    reference = widened(desired)
    limits, lone = _bound(place, reference, dtype_name(desired.dtype), evidence)
    if (lone or limits.mean is not None) and limits.limit is not None:
        # The expected output has a rounding error too.
        limits = limits.times(2, "2")
    if evidence.coarse is not None:
        limits, lone = within(evidence.coarse)(reference), True
    by_runtime = origin is Origin.PROGRAM and evidence.program is Guilty.ONNXRUNTIME
    zeros = lone and _copies(evidence.measured.lone.facts if evidence.measured.lone else None, by_runtime)
    return Yardstick(reference=reference, bound=widen(limits), origin=origin, program=program, lone=lone, zeros=zeros)


def _copies(facts: NodeFacts | None, by_runtime: bool) -> bool:
    """Return whether every element of the reference is an element of an input, including its sign.

    Arguments:
        by_runtime: whether ONNX Runtime computed the reference.
    """
    if facts is None or (by_runtime and facts.op_type in _SUMS_IN_ONNXRUNTIME):
        return False
    rule = rule_of(facts.op_type, facts.domain)
    return rule is not None and rule.kind is RuleKind.MOVES


def _bound(place: int, reference: Array, dtype: str, evidence: Evidence) -> tuple[Bound, bool]:
    """Return the bound, and whether it is an operator's own; otherwise it follows from noise, or from the dtype."""
    lone = evidence.measured.lone
    sigma = evidence.measured.sigma.get(place)
    noisy = sigma is not None and sigma.shape == reference.shape and is_float(reference.dtype)
    found = _of_operator(place, reference, dtype, evidence)
    if found is not None and (bounded(lone, place) or not noisy):
        return found, True
    if noisy and sigma is not None:
        around = explained(reference, widened(sigma), dtype)
        # A reference in float64 has the same precision as an output in float64.
        return around.times(2, "2") if dtype == "float64" else around, False
    return _tolerance(reference, dtype), False


def _of_operator(place: int, reference: Array, dtype: str, evidence: Evidence) -> Bound | None:
    """Return the bound from the row of the single operator; None without a row, or without its magnitude."""
    lone = evidence.measured.lone
    position = None if lone is None else lone.gives[place]
    if lone is None or position is None:
        return None
    try:
        return allowed(lone.facts, dtype, reference, evidence.measured.scale.get(place), output=position)
    except ValueError:
        # S is missing because the operator could not be evaluated in float64.
        return None


def _tolerance(reference: Array, dtype: str) -> Bound:
    return bound(reference, dtype)


def _concluded(actual: Array, yardstick: Yardstick, own: list[Errors], runtime: Array | None) -> Weighed:
    """Determine the verdict: agreement within the bound, loose in proportion to the reference's own error."""
    bad = yardstick.misses(actual)
    errors = yardstick.errors(actual)
    oracle = Errors(
        rms=max((one.rms for one in own), default=0.0),
        tail=max((one.tail for one in own), default=0.0),
        greatest=max((one.greatest for one in own), default=0.0),
    )
    if yardstick.bound.mean is not None:
        return _beside_noise(actual, yardstick, own, oracle, runtime)
    half = dtype_name(actual.dtype) in HALF
    factor = own_factor(dtype_name(actual.dtype))
    relative = errors.within(factor, oracle)
    clean = not bad.any()
    if clean and (yardstick.lone or relative):
        name = VerdictName.AGREES
    elif clean and half:
        # ONNX Runtime computes half precision in float32, so its error is no measure of half-precision arithmetic.
        name = VerdictName.LOOSE
    elif relative and not _wrong(actual, yardstick, bad) and errors.greatest <= 1 + factor * oracle.greatest:
        name = VerdictName.LOOSE
    else:
        name = VerdictName.DISAGREES
    guilty = Guilty.NONE
    if name == VerdictName.DISAGREES:
        if clean:
            bad = _above(actual, yardstick)
        guilty = _guilty(yardstick, runtime)
    elif _accused(runtime, actual, yardstick):
        name, guilty = VerdictName.ORACLE_DISAGREES, Guilty.ONNXRUNTIME
    return Weighed(name=name, bad=bad, yardstick=yardstick, errors=errors, oracle_errors=oracle, guilty=guilty)


def _beside_noise(
    actual: Array, yardstick: Yardstick, own: Sequence[Errors], oracle: Errors, runtime: Array | None
) -> Weighed:
    """Determine the verdict under a noise bound: the greater of that bound and twice the reference's own error."""
    share = max((one.share for one in own), default=0.0)
    each, together = max(1.0, _OWN * oracle.greatest), max(1.0, _OWN * share)
    if max(each, together) > 1:
        yardstick = yardstick.stretched(each, together)
    errors, oracle = yardstick.errors(actual), replace(oracle, greatest=oracle.greatest / each, share=share / together)
    bad = yardstick.misses(actual)
    name = VerdictName.AGREES if not bad.any() and errors.share <= 1 else VerdictName.DISAGREES
    guilty = Guilty.NONE
    if name == VerdictName.DISAGREES:
        bad = bad if bad.any() else _beyond_mean(actual, yardstick)
        guilty = _guilty(yardstick, runtime)
    elif _accused(runtime, actual, yardstick):
        name, guilty = VerdictName.ORACLE_DISAGREES, Guilty.ONNXRUNTIME
    return Weighed(name=name, bad=bad, yardstick=yardstick, errors=errors, oracle_errors=oracle, guilty=guilty)


@np.errstate(all="ignore")
def _beyond_mean(actual: Array, yardstick: Yardstick) -> Mask:
    """Return the elements whose error exceeds the root mean square that is allowed for all of them."""
    return np.asarray(np.abs(widened(actual) - yardstick.reference) > yardstick.bound.mean)


@np.errstate(all="ignore")
def _wrong(actual: Array, yardstick: Yardstick, bad: Mask) -> bool:
    """Return whether a bad element has no numeric error: NaN, an infinity, an integer, or one that has to be equal."""
    if not is_float(actual.dtype) or yardstick.bound.limit is None:
        return bool(bad.any())
    there = bad & ~(np.isfinite(widened(actual)) & np.isfinite(yardstick.reference))
    return bool(there.any())


@np.errstate(all="ignore")
def _above(actual: Array, yardstick: Yardstick) -> Mask:
    """Return the elements whose error exceeds a tenth of the bound, where too many elements have such an error."""
    limit = 0.0 if yardstick.bound.limit is None else yardstick.bound.limit
    return np.asarray(np.abs(widened(actual) - yardstick.reference) > 0.1 * limit)


def _far(answer: Array, actual: Array, yardstick: Yardstick, *, scaled: bool = True) -> bool:
    """Return whether an oracle's output is outside of both the bound and the tolerance for graphs."""
    if answer.shape != actual.shape:
        return True
    missed = yardstick.misses(answer)
    if not missed.any() or not is_float(actual.dtype) or yardstick.bound.limit is None:
        return bool(missed.any())
    tolerance = replace(
        yardstick, bound=bound(yardstick.reference, dtype_name(actual.dtype), scaled=scaled), lone=False
    )
    return bool((missed & tolerance.misses(answer)).any())


def _accused(runtime: Array | None, actual: Array, yardstick: Yardstick) -> bool:
    """Return whether ONNX Runtime is judged wrong where Burn is correct.

    Its fast approximations have large relative errors for very small numbers, which are not reported as errors.
    Therefore the absolute tolerance is not scaled with the size of the output.
    """
    return runtime is not None and _far(runtime, actual, yardstick, scaled=False)


def _guilty(yardstick: Yardstick, runtime: Array | None) -> Guilty:
    """Return which program is wrong where Burn's output does not match the yardstick."""
    if yardstick.origin is Origin.PROGRAM:
        # Two outputs without a third one: which is correct cannot be determined.
        return Guilty.UNKNOWN
    if runtime is None or yardstick.accepts(runtime):
        return Guilty.BURN
    return Guilty.BOTH
