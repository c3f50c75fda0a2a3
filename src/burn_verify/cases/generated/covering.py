"""The points of an operator spec that get a graph: pairwise covering arrays, and a smaller choice of them.

Deterministic: equal axes give equal points. Knows no operator; a function given by the caller decides what is valid.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

Row: TypeAlias = dict[str, Any]
Axes: TypeAlias = Mapping[str, tuple[Any, ...]]

Pair: TypeAlias = tuple[tuple[str, Any], tuple[str, Any]]

_FEW: Final = 2
_TRIES: Final = 60


def covering(axes: Axes, settle: Callable[[Row], Row | None], homes: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Return rows that contain every pair of values of two axes, as far as a row near the defaults can contain it.

    The array is `allpairspy`'s. Its rows are made valid. Each pair that is then missing gets a row of defaults, with
    the home of its values or one further value changed, if that row keeps the pair. The first row has all defaults.

    Arguments:
        settle: returns the valid row for a row, since some values need others; None where there is none.
        homes: further values that a value needs, by ``axis=value``.
    """
    defaults = {axis: values[0] for axis, values in axes.items()}
    rows = [row for wanted in [defaults, *_pairwise(axes)] if (row := settle(wanted)) is not None]
    covered = {pair for row in rows for pair in _pairs(row)}
    missing = {pair: None for pair in _all_pairs(axes) if pair not in covered}
    while missing:
        pair = next(iter(missing))
        del missing[pair]
        row = _row_with(dict(pair), defaults, axes, homes, settle)
        if row is not None:
            row = _filled(row, dict(pair), missing, settle)
            rows.append(row)
            for one in _pairs(row):
                missing.pop(one, None)
    return list({tuple(row.items()): row for row in rows}.values())


def each_choice(rows: Sequence[Row]) -> list[Row]:
    """Return a greedy choice of rows that contains every value of every axis that occurs in them."""
    wanted = {item for row in rows for item in row.items()}
    chosen: list[Row] = []
    for place in itertools.count():
        # The first row has the defaults, with which every other row is compared.
        best = rows[0] if not place and rows else max(rows, key=lambda row: len(wanted & row.items()), default=None)
        if best is None or not wanted & best.items():
            return chosen
        chosen.append(best)
        wanted -= best.items()
    return chosen


def _pairwise(axes: Axes) -> Iterator[Row]:
    from allpairspy import AllPairs

    varying = {axis: values for axis, values in axes.items() if len(values) > 1}
    if len(varying) < _FEW:
        rows: Any = itertools.product(*varying.values())
    else:
        rows = AllPairs(list(varying.values()))
    alone = {axis: values[0] for axis, values in axes.items()}
    for row in rows:
        yield {**alone, **dict(zip(varying, row, strict=True))}


def _row_with(
    wanted: Row,
    defaults: Row,
    axes: Axes,
    homes: Mapping[str, Mapping[str, Any]],
    settle: Callable[[Row], Row | None],
) -> Row | None:
    """Return a row that keeps a pair: of defaults, with the home of the pair, or with one further value changed."""
    home = {axis: value for name in wanted.items() for axis, value in homes.get(f"{name[0]}={name[1]}", {}).items()}
    near = {**defaults, **{axis: value for axis, value in home.items() if value in axes.get(axis, ())}, **wanted}
    others = ({**near, axis: value} for axis, values in axes.items() if axis not in wanted for value in values)
    settled = (settle(row) for row in itertools.chain([near], () if home else others))
    return next((row for row in settled if row is not None and wanted.items() <= row.items()), None)


def _filled(row: Row, kept: Row, missing: Iterable[Pair], settle: Callable[[Row], Row | None]) -> Row:
    """Return a row with further missing pairs, as many as one pass over them can add."""
    for pair in list(itertools.islice(missing, _TRIES)):
        wanted = dict(pair)
        if all(kept.get(axis, value) == value for axis, value in pair) and not wanted.items() <= row.items():
            tried = settle({**row, **wanted})
            both = {**kept, **wanted}
            if tried is not None and both.items() <= tried.items():
                row, kept = tried, both
                if len(kept) == len(row):
                    break
    return row


def _pairs(row: Row) -> Iterator[Pair]:
    yield from itertools.combinations(row.items(), 2)


def _all_pairs(axes: Axes) -> Iterator[Pair]:
    for (left, some), (right, others) in itertools.combinations(axes.items(), 2):
        for one, other in itertools.product(some, others):
            yield (left, one), (right, other)
