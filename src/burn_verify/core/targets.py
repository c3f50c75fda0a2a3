"""Functions over several targets: short names, and which of them are neighbours.

Pure: whether a target can be built and started is known only later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.core import versions
from burn_verify.core.target import VIAS, WASMS, Target
from burn_verify.core.ways import BIN, BURNPACK, BYTES, EMBEDDED, FILE, FULL, LOADS, MPK, RECORDS, WEIGHTS

PARTS: Final = (
    *("burn version", "burn-onnx checkout", "burn checkout", "hooks", "backend", "simplify", "partition"),
    *("prepare", "record type", "load", "weights", "via"),
)
"""The parts in which two targets may differ, as shown to users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Two targets that differ in one part only, one of `PARTS`."""

    part: str
    before: Target
    after: Target


def refusal(target: Target) -> str | None:
    """Return in one line why the version has no such target, None where it has."""
    pinned = versions.resolve(target.burn)
    if target.backend in pinned.backends:
        return _no_such_import(target) or _no_such_weights(target) or _no_such_way(target)
    return f"Burn {pinned.burn} has no backend {target.backend!r} here; it has {', '.join(pinned.backends)}"


def _no_such_import(target: Target) -> str | None:
    pinned = versions.resolve(target.burn)
    if target.record not in pinned.records:
        known = ", ".join(pinned.records)
        return f"Burn {pinned.burn} writes no weights as {target.record}, but as {known}: --burn-record-type"
    if pinned.importer != versions.BURN_ONNX and not (target.simplify and target.partition):
        return f"{pinned.importer} of Burn {pinned.burn} neither simplifies nor partitions: leave the option out"
    return None


def _no_such_weights(target: Target) -> str | None:
    if target.record in _LOADED:
        if target.load in _LOADED[target.record]:
            return None
        able = ",".join(record for record, loads in _LOADED.items() if target.load in loads)
        return (
            f"Burn {target.burn} does not load {target.record} records as {target.load}: --burn-record-type {able} does"
        )
    if (target.load, target.weights) == (FILE, FULL):
        return None
    if not versions.resolve(target.burn).ways:
        return f"Burn {target.burn} is asked with full weights from a file only: leave out --burn-load, --burn-weights"
    if target.load == EMBEDDED and target.weights != FULL:
        return "half weights are made by the compiled model, so they cannot be embedded in it: --burn-load file,bytes"
    return None


_LOADED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys((record for record in RECORDS if record != BURNPACK), (FILE,)),
    MPK: (FILE, BYTES),
    BIN: LOADS,
}
"""How each type of record can be loaded: burn-import embeds one, and Burn has a recorder of bytes for two."""


def _no_such_way(target: Target) -> str | None:
    if target.via not in WASMS or (versions.resolve(target.burn).ways and target.backend == versions.BACKENDS[0]):
        return None
    return f"Burn {target.burn} with {target.backend} is not run as WebAssembly: only {versions.BACKENDS[0]} is"


def names(targets: Iterable[Target]) -> dict[Target, str]:
    """Return a short name of each target: the parts that differ, such as ``0.22.1/wgpu``; empty for one target."""
    every = tuple(targets)
    words = {target: tuple(_words(target)) for target in every}
    columns = list(zip(*words.values(), strict=True))
    different = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    return {target: "/".join(words[target][place] for place in different) for target in every}


def neighbours(targets: Sequence[Target]) -> tuple[Neighbours, ...]:
    """Return the pairs to compare, old versions before new ones and defaults before other values.

    A target is compared with an earlier one that differs in one part only: in another backend with the first, since all
    backends should answer as the default one; in another version with the last before it.
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
    """Return a sort key: old versions first, defaults before other values.

    A released source is before a checkout. Checkouts are equal, so that a stable sort keeps the order in which they are
    given: the first is the one before a change.
    """
    numbers, pre, rest = target.burn.partition("-")
    version = tuple(int(part) if part.isdecimal() else 0 for part in numbers.split("."))
    sources = (target.burn_checkout, target.burn_onnx_checkout, target.hooks)
    checkouts = [checkout is not None for checkout in sources]
    known = versions.BACKENDS.index(target.backend) if target.backend in versions.BACKENDS else len(versions.BACKENDS)
    options = (not target.simplify, not target.partition, target.prepared)
    stored = RECORDS.index(target.record), LOADS.index(target.load), WEIGHTS.index(target.weights)
    # What a checkout's version is does not say whether it is before or after a change.
    released = "" if target.burn_onnx_checkout else target.burn_onnx
    return version, not pre, rest, checkouts, released, *options, known, *stored, *_way(target)


def _way(target: Target) -> tuple[int, str]:
    """Return a sort key: the ways of a run in their order, then others by name."""
    return VIAS.index(target.via) if target.via in VIAS else len(VIAS), target.via


def _parts(target: Target) -> tuple[object, ...]:
    """Return the parts of a target in the order of `PARTS`; a version of Burn brings its burn-onnx and its records."""
    checkouts = (target.burn_onnx_checkout, target.burn_checkout, target.hooks)
    options = (target.simplify, target.partition, target.prepared)
    record = "" if target.record == versions.known(target.burn).records[0] else target.record
    return (target.burn, *checkouts, target.backend, *options, record, target.load, target.weights, target.via)


def _words(target: Target) -> Iterator[str]:
    yield target.version
    yield f"simplify={('off', 'on')[target.simplify]}"
    yield f"partition={('off', 'on')[target.partition]}"
    yield f"prepare={('off', 'on')[target.prepared]}"
    yield target.backend
    yield target.record
    yield target.load
    yield f"{target.weights} weights"
    yield target.via
