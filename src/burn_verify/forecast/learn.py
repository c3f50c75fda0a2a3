"""From cells whose endings are known to weights: a multinomial logistic regression over the features of cells.

Reads and writes no file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from burn_verify.forecast.cells import Cell
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.features import Feature, features

Floats = npt.NDArray[np.float64]

_EPOCHS: Final = 100
_RATE: Final = 0.5
_SHRINK: Final = 1e-4
"""Of the squared weights, for each cell: what few cells support stays small."""

_OF_NEW: Final = 0.8
"""The share of a cell with features that no other group has, in which they count as new."""

_MOST: Final = 3.0
"""The greatest weight of a cell that many groups have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A cell whose ending is known.

    Attributes:
        groups: names of the groups of cases that show it; cases of one graph are one group.
    """

    cell: Cell
    ending: Ending
    groups: frozenset[str]


def learned(known: Sequence[Known]) -> dict[Feature, Floats]:
    """Return the weights of features: float64[5], one of each of `ENDINGS`; the score of a cell is their sum."""
    support = _support(known)
    index: dict[Feature, int] = {}
    rows: list[list[int]] = []
    labels: list[int] = []
    shares: list[float] = []
    for one in known:
        weight = min(len(one.groups) ** 0.5, _MOST)
        own = [feature for feature, _ in features(one.cell)]
        there = [new if new and len(support[feature]) < 2 else feature for feature, new in features(one.cell)]
        for found, share in ((own, 1 - _OF_NEW), (there, _OF_NEW)) if own != there else ((own, 1.0),):
            rows.append(sorted({index.setdefault(feature, len(index)) for feature in found}))
            labels.append(ENDINGS.index(one.ending))
            shares.append(weight * share)
    weights = _descend(rows, np.asarray(labels), np.asarray(shares), len(index))
    return {feature: weights[place] for feature, place in index.items()}


def _support(known: Iterable[Known]) -> Mapping[Feature, set[str]]:
    """Return the groups that have each feature that may be new; two of them at most are needed."""
    found: dict[Feature, set[str]] = {}
    for one in known:
        for feature, new in features(one.cell):
            if new is not None:
                groups = found.setdefault(feature, set())
                if len(groups) < 2:
                    groups |= one.groups
    return found


def _descend(rows: Sequence[Sequence[int]], labels: npt.NDArray[np.int64], shares: Floats, size: int) -> Floats:
    """Return the weights float64[size, 5] that minimise the loss, by Adagrad over all rows at once."""
    count = len(ENDINGS)
    if not rows:
        return np.zeros((size, count))
    lengths = np.asarray([len(row) for row in rows])
    flat = np.concatenate([np.asarray(row) for row in rows])
    owner = np.repeat(np.arange(len(rows)), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    desired = np.eye(count)[labels]
    weights, slope, squares = np.zeros((size, count)), np.zeros((size, count)), np.full((size, count), 1e-8)
    for _ in range(_EPOCHS):
        off = (softmax(np.add.reduceat(weights[flat], starts, axis=0)) - desired) * shares[:, None]
        for place in range(count):
            slope[:, place] = np.bincount(flat, off[owner, place], size)
        slope += _SHRINK * len(rows) * weights
        squares += slope * slope
        weights -= _RATE * slope / np.sqrt(squares)
    return weights


def softmax(scores: Floats) -> Floats:
    """Return probabilities of scores, along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares
