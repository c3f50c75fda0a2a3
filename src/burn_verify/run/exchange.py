"""Attribution of a difference between two targets: one part is exchanged at a time.

Pure functions: determine the targets to try and the conclusion from their results. Runs nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from burn_verify.core import versions
from burn_verify.core.errors import UsageError
from burn_verify.core.option_values import switch
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Checkout, Target

TOGETHER: Final = "burn and burn-onnx together"
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "burn": ("burn", "burn_checkout"),
    "burn-onnx": ("burn_onnx", "burn_onnx_checkout", "record"),
    "hooks": ("hooks",),
    "backend": ("backend",),
    "simplify": ("simplify",),
    "partition": ("partition",),
    "load": ("load",),
    "weights": ("weights",),
    "via": ("via",),
    TOGETHER: ("burn", "burn_checkout", "burn_onnx", "burn_onnx_checkout", "record"),
}
_WORD: Final = re.compile(r"(burn|burn-onnx|simplify|partition)=(.+)")
_VERSION: Final = re.compile(r"\d+(\.\d+)+[-\w.]*|latest")


class _Ends(StrEnum):
    """Which of two targets a mixture of them behaves like."""

    GOOD = "good"
    BAD = "bad"
    OTHER = "other"


_ENDS_IN_WORDS: Final[Mapping[_Ends | None, str]] = {
    _Ends.GOOD: "as the good one",
    _Ends.BAD: "as the bad one",
    _Ends.OTHER: "otherwise",
    None: "cannot be built",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A part in which the two targets differ, exchanged on either side.

    Attributes:
        mended: the bad target with this part of the good one.
        broken: the good target with this part of the bad one.
    """

    part: str
    mended: Target
    broken: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The conclusion for one part.

    Attributes:
        mends: whether the bad target with the good target's part has the good result; None where it cannot be built.
        breaks: whether the good target with the bad target's part has the bad result; None where it cannot be built.
        text: the results of the exchanges, in one line.
    """

    part: str
    mends: bool | None
    breaks: bool | None
    text: str

    @property
    def guilty(self) -> bool:
        """Whether exchanging only this part turns one result into the other, in every exchange that can be built."""
        said = {self.mends, self.breaks} - {None}
        return said == {True}

    @property
    def stuck(self) -> bool:
        """Whether it cannot be exchanged alone."""
        return self.mends is None and self.breaks is None


def side(text: str, opened: Callable[[str, str], Checkout]) -> Target:
    """Return the target that a user specifies, as words separated by commas or slashes.

    A version of Burn, a backend, ``burn=DIR``, ``burn-onnx=DIR`` or ``burn-onnx=VERSION``, ``simplify=off``,
    ``partition=off``; unspecified parts have their defaults.

    Arguments:
        opened: returns a checkout for the text of the option and ``burn`` or ``burn-onnx``.

    Raises:
        UsageError: a word is invalid.
    """
    fields: dict[str, Any] = {}
    for word in _words(text):
        if found := _WORD.fullmatch(word):
            fields |= _named(found[1], found[2], opened)
        elif word in versions.BACKENDS:
            fields["backend"] = word
        else:
            pinned = versions.resolve(word)
            fields |= {"burn": pinned.burn, "burn_onnx": fields.get("burn_onnx", pinned.burn_onnx)}
            fields |= {"backend": fields.get("backend", pinned.backends[0]), "record": pinned.records[0]}
    return Target(**fields)


def exchanges(good: Target, bad: Target) -> tuple[Exchange, ...]:
    """Return the parts that can be exchanged alone, and Burn with its burn-onnx where more than these differ."""
    different = [part for part in _PARTS if part != TOGETHER and _of(good, part) != _of(bad, part)]
    if {"burn", "burn-onnx"} < set(different):
        different.append(TOGETHER)
    if len(different) < 2:
        # The only part that differs is the whole difference.
        return tuple(Exchange(part=part, mended=good, broken=bad) for part in different)
    return tuple(
        Exchange(part=part, mended=replace(bad, **_of(good, part)), broken=replace(good, **_of(bad, part)))
        for part in different
    )


def alike(one: CaseResult, two: CaseResult) -> bool:
    """Return whether two results are equivalent: both pass, or both fail in the same way."""
    if one.outcome is Outcome.PASSED or two.outcome is Outcome.PASSED:
        return one.outcome is two.outcome
    return (one.stage, _kind(one)) == (two.stage, _kind(two))


def judged(
    exchange: Exchange, good: CaseResult, bad: CaseResult, results: Mapping[Target, CaseResult | str]
) -> Finding:
    """Return the conclusion from the results of a part's exchanges.

    Arguments:
        results: by target, the result of the case, or why the target could not be built or started.
    """
    mended = _end(results[exchange.mended], good, bad)
    broken = _end(results[exchange.broken], good, bad)
    mends = None if mended is None else mended is _Ends.GOOD
    breaks = None if broken is None else broken is _Ends.BAD
    if mends is None and breaks is None:
        text = f"cannot be exchanged alone: {_why(results[exchange.mended])}"
        return Finding(part=exchange.part, mends=None, breaks=None, text=text)
    one, other = (_ENDS_IN_WORDS[end] for end in (mended, broken))
    text = f"the bad one with the good one's ends {one}, the good one with the bad one's {other}"
    return Finding(part=exchange.part, mends=mends, breaks=breaks, text=text)


class Blame(StrEnum):
    """The kind of conclusion from all exchanges."""

    NAMED = "named"
    """One part, or each of several, turns one result into the other."""
    EACH_BREAKS = "each breaks"
    """Each of several parts alone breaks the result, and none alone mends it."""
    TOGETHER = "together"
    """Several parts break the result only together."""
    STUCK = "stuck"
    """No part can be exchanged alone."""
    NOTHING = "nothing"
    """No part alone changes anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The part that changes the result, or the reason why none can be named.

    Attributes:
        parts: the parts that `blame` refers to; none for ``nothing``.
        stuck: parts that cannot be exchanged alone.
    """

    blame: Blame
    parts: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The conclusion in one line."""
        stuck = f"{' and '.join(self.stuck)} cannot be exchanged alone"
        rest = f"; {stuck}" if self.stuck else ""
        parts = " and ".join(self.parts)
        match self.blame:
            case Blame.NAMED:
                return f"to blame: {' or '.join(self.parts)}"
            case Blame.STUCK:
                return f"no part can be named: {stuck}"
            case Blame.EACH_BREAKS:
                return f"no part alone is to blame: each of {parts} is enough to break it{rest}"
            case Blame.TOGETHER:
                return f"no part alone is to blame: {parts} break it only together{rest}"
            case Blame.NOTHING:
                return f"no part alone flips the result{rest}"


def conclusion(findings: tuple[Finding, ...]) -> Conclusion:
    """Return the part that changes the result, or the reason why none can be named."""
    guilty = [finding.part for finding in findings if finding.guilty]
    if TOGETHER in guilty and len(guilty) > 1:
        guilty.remove(TOGETHER)
    stuck = tuple(finding.part for finding in findings if finding.stuck)
    if guilty:
        return Conclusion(blame=Blame.NAMED, parts=tuple(guilty), stuck=stuck)
    if stuck and len(stuck) == len(findings):
        return Conclusion(blame=Blame.STUCK, parts=stuck, stuck=stuck)
    if breaks := tuple(finding.part for finding in findings if finding.breaks):
        return Conclusion(blame=Blame.EACH_BREAKS, parts=breaks, stuck=stuck)
    if mends := tuple(finding.part for finding in findings if finding.mends):
        return Conclusion(blame=Blame.TOGETHER, parts=mends, stuck=stuck)
    return Conclusion(blame=Blame.NOTHING, stuck=stuck)


def _end(result: CaseResult | str, good: CaseResult, bad: CaseResult) -> _Ends | None:
    """Return which side a mixture behaves like; None where the two parts are incompatible."""
    if isinstance(result, str):
        return None
    if alike(result, good):
        return _Ends.GOOD
    if alike(result, bad):
        return _Ends.BAD
    # The Rust of one burn-onnx need not compile with another Burn: such a failure is attributed to neither side.
    return None if result.stage is Stage.COMPILE else _Ends.OTHER


def _why(result: CaseResult | str) -> str:
    if isinstance(result, str):
        return result
    return f"what burn-onnx writes does not compile with that Burn ({result.reason})"


def _kind(result: CaseResult) -> str:
    """Return the kind of a failure, without numbers that depend on the target."""
    return result.verdict or re.sub(r"\d+", "N", result.reason)


def _of(target: Target, part: str) -> dict[str, Any]:
    return {name: getattr(target, name) for name in _PARTS[part]}


def _named(name: str, value: str, opened: Callable[[str, str], Checkout]) -> dict[str, Any]:
    if name in ("simplify", "partition"):
        try:
            return {name: switch(value)}
        except ValueError as error:
            message = f"{name}={value}: {error}"
            raise UsageError(message) from None
    if _VERSION.fullmatch(value):
        if name == "burn":
            return {"burn": versions.resolve(value).burn}
        return {"burn_onnx": versions.version_of_onnx(value).burn_onnx}
    checkout, field = opened(value, name), name.replace("-", "_")
    # A checkout of burn-onnx brings its version; Burn's is the one that is named.
    version = {field: checkout.version} if name == "burn-onnx" and checkout.version else {}
    return {f"{field}_checkout": checkout, **version}


def _words(text: str) -> list[str]:
    """Split a side into words; the slashes of a path are not separators."""
    parts = (part.strip() for part in text.split(",") if part.strip())
    words = [word for part in parts for word in ([part] if "=" in part else part.split("/"))]
    if not words:
        message = "nothing is named; try 0.22.1, 0.22.1/wgpu or burn-onnx=../burn-onnx"
        raise UsageError(message)
    return words
