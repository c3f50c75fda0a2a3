"""One output: against what is it measured, what follows from that, and who is guilty.

Three may know the answer: float64, ONNX Runtime and, for stored data sets, whoever stored it. Float64 is believed where
another one confirms it; a widened model may compute something else, and onnx's evaluator has faults too.
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
from burn_verify.judge.yardstick import Errors, Yardstick

Array = npt.NDArray[Any]

AGREES: Final = VerdictName.AGREES
LOOSE: Final = VerdictName.LOOSE
DISAGREES: Final = VerdictName.DISAGREES
ORACLE_DISAGREES: Final = VerdictName.ORACLE_DISAGREES
NONDETERMINISTIC: Final = VerdictName.NONDETERMINISTIC

BURN: Final = Guilty.BURN
ONNXRUNTIME: Final = Guilty.ONNXRUNTIME
BOTH: Final = Guilty.BOTH
UNKNOWN: Final = Guilty.UNKNOWN

_HALF: Final = frozenset({"float16", "bfloat16"})
_OWN: Final = 2.0
"""How many times the reference's own error an answer of a graph may be off."""
_SUMS_IN_ONNXRUNTIME: Final = frozenset({"Where"})
# ONNX Runtime adds what is chosen from either side, with zeros elsewhere: -0 becomes 0.


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is thought of one output.

    Attributes:
        name: the verdict.
        bad: where elements are outside of what is allowed.
        yardstick: what it was measured against.
        errors, oracle_errors: of what came and of the answers that confirm the reference.
        guilty: whose answer is wrong.
    """

    name: VerdictName
    bad: Mask
    yardstick: Yardstick
    errors: Errors
    oracle_errors: Errors
    guilty: Guilty = Guilty.NONE

    @property
    def headroom(self) -> float | None:
        """How much of what is allowed is used, above 1 outside of it; None where elements have to be equal."""
        return self._used(self.errors)

    @property
    def oracle_headroom(self) -> float | None:
        """The same for the answers that confirm the reference."""
        return self._used(self.oracle_errors)

    @property
    def share(self) -> float | None:
        """The root mean square error in units of what rounding explains; None where that is not known."""
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
        """The errors in words, in units of the bound; where they are too great for all elements together, why."""
        if self.yardstick.bound.limit is None:
            return ""
        mine, own = self.errors, self.oracle_errors
        text = f"headroom {self.headroom:.2g}"
        if self.yardstick.bound.mean is not None:
            return f"{text} (rms {mine.share:.2g} of it)" if self.name == DISAGREES and mine.greatest <= 1 else text
        if self.name == DISAGREES and not self.yardstick.lone and mine.greatest <= 1:
            text += (
                f" (rms {mine.rms:.2g} and tail {mine.tail:.2g} of it, the oracle's {own.rms:.2g} and {own.tail:.2g})"
            )
        return text


Widen = Callable[[Bound], Bound]
"""What an override makes of a bound."""


def weigh(place: int, actual: Array, evidence: Evidence, *, widen: Widen = lambda bound: bound) -> Weighed:
    """Weigh one output of the right dtype and shape.

    Args:
        place: of the output.
        actual: what came.
        evidence: all that is known of the data set.
        widen: applied to what is allowed.
    """
    weighed = _weighed(place, actual, evidence, widen)
    return replace(weighed, guilty=evidence.program) if weighed.guilty is ONNXRUNTIME else weighed


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
        # What is stored is the standard's own word, and not overruled: float64 and ONNX Runtime may share a mistake.
        overruled = stored is not None and _far(stored, actual, yardstick)
        # Burn and float64 have nothing in common but the model: where they agree, ONNX Runtime alone is odd.
        if (confirmed and not overruled) or (stored is None and alone):
            own = [yardstick.errors(answer) for answer in (*confirmed, *_trusted(yardstick, spread))]
            return _concluded(actual, yardstick, own, runtime)
    yardstick = _fallback(place, evidence, widen)
    own = [yardstick.errors(answer) for answer in _trusted(yardstick, spread)]
    if stored is not None and runtime is not None and yardstick.accepts(runtime):
        own.append(yardstick.errors(runtime))
    weighed = _concluded(actual, yardstick, own, runtime)
    # Float64 sides with Burn against everybody else: who can say?
    return replace(weighed, guilty=UNKNOWN) if weighed.guilty and alone else weighed


def _trusted(yardstick: Yardstick, spread: Sequence[Array]) -> Sequence[Array]:
    """Return the answers whose errors count as the reference's own: beside noise, those that may stand beside it."""
    return spread if yardstick.bound.mean is None else [answer for answer in spread if yardstick.accepts(answer)]


def _runtime(place: int, actual: Array, evidence: Evidence) -> Array | None:
    """Return ONNX Runtime's answer where it can be compared."""
    if evidence.runtime is None or place >= len(evidence.runtime):
        return None
    answer = evidence.runtime[place]
    return answer if dtype_name(answer.dtype) == dtype_name(actual.dtype) else None


def _float64(place: int, actual: Array, evidence: Evidence, widen: Widen) -> Yardstick | None:
    """Return the yardstick around the answer in float64, None where there is none of the right shape."""
    wide = evidence.measured.wide.get(place)
    if wide is None or wide.shape != actual.shape or is_float(actual.dtype) != is_float(wide.dtype):
        return None
    if not is_float(actual.dtype) and dtype_name(wide.dtype) != dtype_name(actual.dtype):
        return None
    reference = widened(wide) if is_float(wide.dtype) else wide
    limits, lone = _bound(place, reference, dtype_name(actual.dtype), evidence)
    return Yardstick(
        reference=reference, bound=widen(limits), origin=f"float64 ({evidence.measured.evaluator})", lone=lone
    )


def _fallback(place: int, evidence: Evidence, widen: Widen) -> Yardstick:
    """Return the yardstick around the answer that was expected."""
    desired = evidence.desired[place]
    origin = evidence.program.value if evidence.stored is None else "stored"
    if not is_float(desired.dtype):
        limits, lone = _bound(place, desired, dtype_name(desired.dtype), evidence)
        return Yardstick(reference=desired, bound=widen(limits), origin=origin, lone=lone)
    reference = widened(desired)
    limits, lone = _bound(place, reference, dtype_name(desired.dtype), evidence)
    if (lone or limits.mean is not None) and limits.limit is not None:
        # What was expected has an error of its own.
        limits = limits.times(2, "2")
    if evidence.coarse is not None:
        limits, lone = within(evidence.coarse)(reference), True
    zeros = lone and _copies(evidence.measured.lone.facts if evidence.measured.lone else None, origin)
    return Yardstick(reference=reference, bound=widen(limits), origin=origin, lone=lone, zeros=zeros)


def _copies(facts: NodeFacts | None, origin: str) -> bool:
    """Tell whether every element of the reference is an element of an input, its sign included."""
    if facts is None or (origin == ONNXRUNTIME and facts.op_type in _SUMS_IN_ONNXRUNTIME):
        return False
    rule = rule_of(facts.op_type, facts.domain)
    return rule is not None and rule.kind is RuleKind.MOVES


def _bound(place: int, reference: Array, dtype: str, evidence: Evidence) -> tuple[Bound, bool]:
    """Return what is allowed and whether an operator's own bound says so; else by noise, or a tolerance by dtype."""
    lone = evidence.measured.lone
    sigma = evidence.measured.sigma.get(place)
    noisy = sigma is not None and sigma.shape == reference.shape and is_float(reference.dtype)
    found = _of_operator(place, reference, dtype, evidence)
    if found is not None and (bounded(lone, place) or not noisy):
        return found, True
    if noisy and sigma is not None:
        around = explained(reference, widened(sigma), dtype)
        # A reference in float64 is no better than an answer in float64.
        return around.times(2, "2") if dtype == "float64" else around, False
    return _tolerance(reference, dtype), False


def _of_operator(place: int, reference: Array, dtype: str, evidence: Evidence) -> Bound | None:
    """Return what the row of the one operator allows; None where there is none, or it needs what is not known."""
    lone = evidence.measured.lone
    position = None if lone is None else lone.gives[place]
    if lone is None or position is None:
        return None
    try:
        return allowed(lone.facts, dtype, reference, evidence.measured.scale.get(place), output=position)
    except ValueError:
        # There is no S, as the operator could not be evaluated in float64.
        return None


def _tolerance(reference: Array, dtype: str) -> Bound:
    return bound(reference, dtype)


def _concluded(actual: Array, yardstick: Yardstick, own: list[Errors], runtime: Array | None) -> Weighed:
    """Draw the conclusion: agreement inside the bound, looseness in proportion to the reference's own error."""
    bad = yardstick.misses(actual)
    errors = yardstick.errors(actual)
    oracle = Errors(
        rms=max((one.rms for one in own), default=0.0),
        tail=max((one.tail for one in own), default=0.0),
        greatest=max((one.greatest for one in own), default=0.0),
    )
    if yardstick.bound.mean is not None:
        return _beside_noise(actual, yardstick, own, oracle, runtime)
    half = dtype_name(actual.dtype) in _HALF
    factor = 3.0 if half else 2.0
    relative = errors.within(factor, oracle)
    clean = not bad.any()
    if clean and (yardstick.lone or relative):
        name = AGREES
    elif clean and half:
        # ONNX Runtime computes half precision in float32: its error says nothing of arithmetic in half precision.
        name = LOOSE
    elif relative and not _wrong(actual, yardstick, bad) and errors.greatest <= 1 + factor * oracle.greatest:
        name = LOOSE
    else:
        name = DISAGREES
    guilty = Guilty.NONE
    if name == DISAGREES:
        if clean:
            bad = _above(actual, yardstick)
        guilty = _guilty(yardstick, runtime)
    elif _accused(runtime, actual, yardstick):
        name, guilty = ORACLE_DISAGREES, ONNXRUNTIME
    return Weighed(name=name, bad=bad, yardstick=yardstick, errors=errors, oracle_errors=oracle, guilty=guilty)


def _beside_noise(
    actual: Array, yardstick: Yardstick, own: Sequence[Errors], oracle: Errors, runtime: Array | None
) -> Weighed:
    """Draw the conclusion where it is known what rounding explains: that, or twice the reference's own error."""
    share = max((one.share for one in own), default=0.0)
    each, together = max(1.0, _OWN * oracle.greatest), max(1.0, _OWN * share)
    if max(each, together) > 1:
        yardstick = yardstick.stretched(each, together)
    errors, oracle = yardstick.errors(actual), replace(oracle, greatest=oracle.greatest / each, share=share / together)
    bad = yardstick.misses(actual)
    name = AGREES if not bad.any() and errors.share <= 1 else DISAGREES
    guilty = Guilty.NONE
    if name == DISAGREES:
        bad = bad if bad.any() else _beyond_mean(actual, yardstick)
        guilty = _guilty(yardstick, runtime)
    elif _accused(runtime, actual, yardstick):
        name, guilty = ORACLE_DISAGREES, ONNXRUNTIME
    return Weighed(name=name, bad=bad, yardstick=yardstick, errors=errors, oracle_errors=oracle, guilty=guilty)


@np.errstate(all="ignore")
def _beyond_mean(actual: Array, yardstick: Yardstick) -> Mask:
    """Return the elements that are off by more than all of them may be in root mean square."""
    return np.asarray(np.abs(widened(actual) - yardstick.reference) > yardstick.bound.mean)


@np.errstate(all="ignore")
def _wrong(actual: Array, yardstick: Yardstick, bad: Mask) -> bool:
    """Tell whether one of the bad elements is no matter of degree: NaN, an infinity, the sign of zero, an integer."""
    if not is_float(actual.dtype) or yardstick.bound.limit is None:
        return bool(bad.any())
    there = bad & ~(np.isfinite(widened(actual)) & np.isfinite(yardstick.reference))
    return bool(there.any())


@np.errstate(all="ignore")
def _above(actual: Array, yardstick: Yardstick) -> Mask:
    """Return the elements that are worse than a tenth of the bound, where their number is what is wrong."""
    limit = 0.0 if yardstick.bound.limit is None else yardstick.bound.limit
    return np.asarray(np.abs(widened(actual) - yardstick.reference) > 0.1 * limit)


def _far(answer: Array, actual: Array, yardstick: Yardstick, *, scaled: bool = True) -> bool:
    """Tell whether an oracle is wrong by any measure: outside of the bound, and of what a graph is allowed."""
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
    """Tell whether ONNX Runtime is called wrong where Burn is right.

    Its fast functions are off by parts of very small numbers, which is no fault that anybody looks for: the absolute
    tolerance counts as it is, whatever the size of the output.
    """
    return runtime is not None and _far(runtime, actual, yardstick, scaled=False)


def _guilty(yardstick: Yardstick, runtime: Array | None) -> Guilty:
    """Name who is wrong where Burn's answer is not that of the yardstick."""
    if yardstick.origin in (ONNXRUNTIME, Guilty.REFERENCE):
        # Two answers, and nobody to say which is right.
        return UNKNOWN
    if runtime is None or yardstick.accepts(runtime):
        return BURN
    return BOTH
