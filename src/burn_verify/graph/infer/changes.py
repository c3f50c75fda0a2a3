"""What to try where the reference refuses a draw: other sizes, other relations between them, smaller integers.

The best changes come first; what the engine says about the refusal is read where it names a number.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from burn_verify.graph.infer.feeding import Change
from burn_verify.graph.infer.rules import Inference
from burn_verify.graph.infer.sizing import Choice, Sizing

MOST: Final = 120
"""Number of draws that are tried."""

_SUMS: Final = 24
"""Number of sums of dimensions that are tried before sizes that all have."""

_RANGE: Final = re.compile(r"inclusive range \[(-?\d+),\s*(\d+)\]")
"""ONNX Runtime's words for an index without a row."""

_SAME: Final = (8, 16, 32, 64, 128, 256, 512, 1024, 3, 1, 2, 4096, 16000)
"""Sizes that are tried for all dimensions about which nothing is known."""

_SECOND: Final[tuple[Callable[[int, int], int], ...]] = (
    lambda first, second: (first + second) // 2,
    lambda first, second: first - 2,
    lambda first, second: 2 * first,
    lambda first, second: first + second,
    lambda first, second: first + 1,
    lambda first, second: 3 * first,
    lambda first, second: first // 2,
)
"""Other second sizes, the likeliest first."""

_JOINT: Final = 4
"""How many of them are tried for several dimensions together."""


def changes(found: Inference, sizes: Sizing, said: str) -> Iterator[Change]:
    """Yield what to change, given the engine's words about the refusal of the first draw."""
    yield from itertools.islice(_changes(found, sizes, said), MOST)


def _changes(found: Inference, sizes: Sizing, said: str) -> Iterator[Change]:
    ranged = dict(_smaller(found, said))
    if ranged:
        yield Change(high=ranged, text=f"integers below {min(ranged.values())}")
    unknown = [one for one in sizes.choices.values() if one.sizes and _is_open(found, one)]
    sums = _sums(unknown)
    yield from _ties(unknown)
    yield from _candidates(found, unknown)
    yield from itertools.islice(sums, _SUMS)
    yield from _together(unknown)
    yield from _tied_and_together(unknown)
    yield from sums
    if ranged:
        # The integers and a size may both be wrong.
        yield from (
            Change(sizes=one.sizes, relations=one.relations, high=ranged, text=one.text) for one in _ties(unknown)
        )
    integers = {spec.name: 2 for spec in found.inputs if "int" in spec.dtype and spec.name not in found.values}
    if integers:
        yield Change(high=integers, text="integers 0 and 1")
        yield Change(high=dict.fromkeys(integers, 1), text="zeros for all integers")


def further(found: Inference, sizes: Sizing, asked: Mapping[str, int], kept: Change) -> Iterator[Change]:
    """Yield what to change where further sizes are refused, such that the first ones stay as they are.

    Arguments:
        sizes: of the dimensions, as they were chosen with what is kept.
        asked: the sizes that were refused, by dimension.
        kept: what was changed before.
    """
    first = sizes.at(0, 0)
    moved = [one for one in sizes.free if asked.get(one.symbol, first[one.symbol]) != first[one.symbol]]
    rest = [one for one in sizes.choices.values() if one.sizes and _is_open(found, one)]
    ties = [
        {one.symbol: other.symbol}
        for one, other in itertools.permutations(rest, 2)
        if not one.batch and other in moved and first[one.symbol] == first[other.symbol]
    ]
    for relations in ({}, *ties):
        left = [one for one in moved if one.symbol not in relations]
        others = _seconds(found, left)
        for chosen in ({}, *others) if relations else others:
            pairs = {name: tuple(dict.fromkeys((first[name], size))) for name, size in chosen.items()}
            said = {**relations, **{name: size for name, size in chosen.items() if size != first[name]}}
            yield Change(
                sizes={**kept.sizes, **pairs},
                relations={**kept.relations, **relations},
                high=kept.high,
                text=", ".join(f"{name} = {what}" for name, what in said.items()),
            )


def _seconds(found: Inference, moved: Sequence[Choice]) -> list[dict[str, int]]:
    """Return other second sizes: of all dimensions together, and of one, where the others keep their first one."""
    made = []
    for place in range(len(_SECOND)):
        sizes = {one.symbol: _second(found, one, place) for one in moved}
        made.append({name: size for name, size in sizes.items() if size is not None})
    whole = [one for one in made if one and len(one) == len(moved)]
    if len(moved) < 2:
        return whole
    firsts = {one.symbol: one.sizes[0] for one in moved}
    alone = [{**firsts, name: size} for one in made for name, size in one.items()]
    return [*whole[:_JOINT], *alone]


def _second(found: Inference, choice: Choice, place: int) -> int | None:
    """Return another second size of a dimension, None where it would be none."""
    size = _SECOND[place](choice.sizes[0], choice.sizes[1])
    known = found.dims.get(choice.symbol)
    fits = known is None or (size >= known.least and size % known.multiple == 0)
    return size if fits and size > 0 and size not in choice.sizes else None


def _is_open(found: Inference, choice: Choice) -> bool:
    """Return whether nothing fixes a dimension."""
    known = found.dims.get(choice.symbol)
    return known is None or known.size is None


def _smaller(found: Inference, said: str) -> Iterator[tuple[str, int]]:
    match = _RANGE.search(said)
    if match is None:
        return
    rows = int(match[2]) + 1
    for spec in found.inputs:
        known = found.values.get(spec.name)
        if "int" in spec.dtype and (known is None or known.high is None or known.high > rows):
            yield spec.name, rows


def _ties(unknown: list[Choice]) -> Iterator[Change]:
    """Yield each dimension as one of the others."""
    for one, other in itertools.permutations(unknown, 2):
        if not one.batch:
            text = f"{one.symbol} = {other.symbol}"
            yield Change(relations={one.symbol: other.symbol}, text=text)


def _together(unknown: list[Choice]) -> Iterator[Change]:
    """Yield one size for all dimensions that are no batch."""
    rest = [one for one in unknown if not one.batch]
    for size in _SAME if rest else ():
        names = ", ".join(one.symbol for one in rest)
        yield Change(sizes={one.symbol: (size, 2 * size) for one in rest}, text=f"{names} = {size}")


def _tied_and_together(unknown: list[Choice]) -> Iterator[Change]:
    """Yield a further batch, and one size for all that are left."""
    batches = [one for one in unknown if one.batch]
    rest = [one for one in unknown if not one.batch]
    for batch, one in itertools.product(batches[:1], rest if len(rest) > 1 else ()):
        for change in _together([other for other in rest if other is not one]):
            text = f"{one.symbol} = {batch.symbol}"
            yield replace(change, relations={one.symbol: batch.symbol}, text=f"{text}, {change.text}")


def _candidates(found: Inference, unknown: list[Choice]) -> Iterator[Change]:
    """Yield the sizes that a rule names, for all dimensions of that rule together."""
    ruled: Mapping[str, tuple[int, ...]] = {
        one.symbol: found.dims[one.symbol].candidates for one in unknown if one.symbol in found.dims
    }
    for place in range(max(map(len, ruled.values()), default=0)):
        chosen = {name: (sizes[place], 2 * sizes[place]) for name, sizes in ruled.items() if place < len(sizes)}
        if chosen:
            yield Change(sizes=chosen, text=", ".join(f"{name} = {size[0]}" for name, size in chosen.items()))


def _sums(unknown: list[Choice]) -> Iterator[Change]:
    """Yield each dimension as the sum of two others, and as twice another."""
    for one in unknown:
        others = [other for other in unknown if other is not one and other.symbol.isidentifier()]
        for first, second in itertools.combinations(others, 2):
            text = f"{first.symbol} + {second.symbol}"
            yield Change(relations={one.symbol: text}, text=f"{one.symbol} = {text}")
        for other in others:
            text = f"2*{other.symbol}"
            yield Change(relations={one.symbol: text}, text=f"{one.symbol} = {text}")
