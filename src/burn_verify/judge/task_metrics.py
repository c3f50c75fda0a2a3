"""What a model's outputs mean: agreement of classifiers' rankings, detectors' boxes, embeddings' directions.

Decides nothing: these numbers stand beside the verdict. Inputs are float arrays of any precision, read as float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import widened

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How two sets of boxes go together.

    Attributes:
        matched, missing, spurious: pairs, desired boxes without a partner, actual ones without.
        mean_iou: over the pairs; 1 where there is nothing to match.
    """

    matched: int
    missing: int
    spurious: int
    mean_iou: float


def top_agreement(actual: Array, desired: Array, k: int) -> float:
    """Return the share, 0 to 1, of the k best classes of `actual` that are among the k best of `desired`.

    Args:
        actual, desired: scores of one shape [..., classes]; rows count equally, and ties in `desired` all belong to the
            best. NaN is worse than any number.
        k: 1 or more; all classes where there are fewer.

    Raises:
        ValueError: the shapes differ, there is no axis of classes, or k is below 1.
    """
    if actual.shape != desired.shape or actual.ndim < 1 or k < 1:
        msg = f"no top-{k} of shapes {actual.shape} and {desired.shape}"
        raise ValueError(msg)
    if not desired.size:
        return 1.0
    left, right = (
        np.nan_to_num(widened(scores), nan=-np.inf, posinf=np.inf, neginf=-np.inf) for scores in (actual, desired)
    )
    k = min(k, desired.shape[-1])
    best = np.argsort(-left, axis=-1, kind="stable")[..., :k]
    least = np.sort(right, axis=-1)[..., -k, None]
    return float((np.take_along_axis(right, best, axis=-1) >= least).mean())


def least_cosine(actual: Array, desired: Array) -> float:
    """Return the smallest cosine, -1 to 1, between rows of two arrays of one shape [..., features].

    Two rows of zeros have the cosine 1, one such row has 0; NaN where a row is not finite.

    Raises:
        ValueError: the shapes differ, or there is no axis of features.
    """
    if actual.shape != desired.shape or actual.ndim < 1:
        msg = f"no cosine of shapes {actual.shape} and {desired.shape}"
        raise ValueError(msg)
    if not desired.size:
        return 1.0
    left, right = (_unit(widened(rows)) for rows in (actual, desired))
    cosine = np.clip((left * right).sum(axis=-1), -1.0, 1.0)
    both_zero = ~left.any(axis=-1) & ~right.any(axis=-1)
    return float(np.where(both_zero, 1.0, cosine).min())


def iou(actual: Array, desired: Array) -> npt.NDArray[np.float64]:
    """Return intersection over union, float64 [n, m], of boxes [n, 4] and [m, 4] as (x1, y1, x2, y2).

    The corners may come in any order, and x before y or after; boxes without an area have 0 with all but themselves.
    """
    left, right = _corners(actual)[:, None, :], _corners(desired)[None, :, :]
    sides = np.minimum(left[..., 2:], right[..., 2:]) - np.maximum(left[..., :2], right[..., :2])
    overlap = np.clip(sides, 0.0, None).prod(axis=-1)
    union = (left[..., 2:] - left[..., :2]).prod(axis=-1) + (right[..., 2:] - right[..., :2]).prod(axis=-1) - overlap
    equal = (left == right).all(axis=-1)
    return np.where(equal, 1.0, overlap / np.where(union > 0, union, 1.0))


def matched_boxes(
    actual: Array,
    desired: Array,
    *,
    least_iou: float = 0.5,
    actual_labels: Array | None = None,
    desired_labels: Array | None = None,
) -> Match:
    """Pair boxes [n, 4] with boxes [m, 4], greedily from the greatest overlap on, of equal labels where given.

    Args:
        actual, desired: boxes as for `iou`.
        least_iou: pairs below are none.
        actual_labels, desired_labels: a class for each box, [n] and [m]; both or neither.
    """
    overlaps = iou(actual, desired)
    if actual_labels is not None and desired_labels is not None:
        overlaps = np.where(actual_labels[:, None] == desired_labels[None, :], overlaps, -1.0)
    rows, columns, found = set[int](), set[int](), list[float]()
    for position in np.argsort(-overlaps, axis=None, kind="stable"):
        row, column = divmod(int(position), overlaps.shape[1])
        if overlaps[row, column] < least_iou:
            break
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            found.append(float(overlaps[row, column]))
    pairs = len(found)
    mean = float(np.mean(found)) if found else float(not len(actual) and not len(desired))
    return Match(matched=pairs, missing=len(desired) - pairs, spurious=len(actual) - pairs, mean_iou=mean)


@np.errstate(all="ignore")
def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rows of length 1, zeros as they are; scaled first, as squares of large numbers overflow."""
    greatest = np.abs(rows).max(axis=-1, keepdims=True)
    scaled = rows / np.where(greatest > 0, greatest, 1.0)
    norm = np.sqrt((scaled * scaled).sum(axis=-1, keepdims=True))
    return np.asarray(scaled / np.where(norm > 0, norm, 1.0))


def _corners(boxes: Array) -> npt.NDArray[np.float64]:
    """Return boxes with the lesser corner first."""
    wide = widened(boxes).reshape(-1, 4)
    return np.concatenate([np.minimum(wide[:, :2], wide[:, 2:]), np.maximum(wide[:, :2], wide[:, 2:])], axis=1)
