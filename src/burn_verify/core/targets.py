"""The targets of a run: the versions they name, a short name for each, and which of them are neighbours.

Pure. Whether a target can be built and started is found out by the stages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.core.errors import UsageError
from burn_verify.core.target import Target
from burn_verify.core.versions import BACKENDS, LATEST, VERSIONS, BurnVersion

PARTS: Final = ("burn version", "burn-onnx checkout", "burn checkout", "backend", "simplify", "partition")
"""What two targets may differ in, in words for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Two targets that differ in one part only, one of `PARTS`."""

    part: str
    before: Target
    after: Target


def resolve(text: str) -> BurnVersion:
    """Return the version that a user means: its number, or ``latest``.

    Raises:
        UsageError: it is not supported.
    """
    if text == "latest":
        return LATEST
    for version in VERSIONS:
        if version.burn == text:
            return version
    known = ", ".join(version.burn for version in VERSIONS)
    message = f"Burn {text!r} is not supported; one of {known} is, and latest is {LATEST.burn}"
    raise UsageError(message)


def version_of_onnx(burn_onnx: str) -> BurnVersion:
    """Return the version of Burn that a burn-onnx was released with.

    Raises:
        UsageError: it is not supported.
    """
    for version in VERSIONS:
        if version.burn_onnx == burn_onnx:
            return version
    known = ", ".join(version.burn_onnx for version in VERSIONS)
    message = f"burn-onnx {burn_onnx!r} is not supported; one of {known} is"
    raise UsageError(message)


def refusal(target: Target) -> str | None:
    """Return in one line why no such target can be built, None where it can."""
    pinned = resolve(target.burn)
    if target.backend in pinned.backends:
        return None
    return f"Burn {pinned.burn} has no backend {target.backend!r} here; it has {', '.join(pinned.backends)}"


def names(targets: Iterable[Target]) -> dict[Target, str]:
    """Return a short name of each: what it does not share with all others, such as ``0.22.1/wgpu``; empty for one."""
    every = tuple(targets)
    words = {target: tuple(_words(target)) for target in every}
    columns = list(zip(*words.values(), strict=True))
    telling = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    return {target: "/".join(words[target][place] for place in telling) for target in every}


def neighbours(targets: Sequence[Target]) -> tuple[Neighbours, ...]:
    """Return the pairs that are worth comparing, old before new and defaults before anything else.

    A target is compared with an earlier one that differs in one part only: in another backend with the first, as all
    backends are to answer as the default does; in another version with the last before it.
    """
    ordered = sorted(targets, key=age)
    found = []
    for place, after in enumerate(ordered):
        by_part: dict[str, list[Target]] = {}
        for before in ordered[:place]:
            different = [
                part for part, one, two in zip(PARTS, _parts(before), _parts(after), strict=True) if one != two
            ]
            if len(different) == 1:
                by_part.setdefault(different[0], []).append(before)
        found += [
            Neighbours(part=part, before=earlier[-1 if part == PARTS[0] else 0], after=after)
            for part, earlier in by_part.items()
        ]
    return tuple(found)


def age(target: Target) -> tuple[Any, ...]:
    """Return a key that puts old versions first, and what is usual before what is not."""
    numbers, pre, rest = target.burn.partition("-")
    version = tuple(int(part) if part.isdecimal() else 0 for part in numbers.split("."))
    checkouts = [checkout.label if checkout else "" for checkout in (target.burn_checkout, target.burn_onnx_checkout)]
    known = BACKENDS.index(target.backend) if target.backend in BACKENDS else len(BACKENDS)
    return version, not pre, rest, target.burn_onnx, checkouts, not target.simplify, not target.partition, known


def _parts(target: Target) -> tuple[object, ...]:
    """Return the parts of a target in the order of `PARTS`; a version of Burn brings its burn-onnx."""
    checkouts = (target.burn_onnx_checkout, target.burn_checkout)
    return (target.burn, *checkouts, target.backend, target.simplify, target.partition)


def _words(target: Target) -> Iterator[str]:
    yield target.version
    yield f"simplify={('off', 'on')[target.simplify]}"
    yield f"partition={('off', 'on')[target.partition]}"
    yield target.backend
