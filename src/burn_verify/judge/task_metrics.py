"""Task-specific metrics of a model's outputs: agreement of class rankings, detected boxes, directions of embeddings.

They supplement the verdict and do not affect it. Inputs are float arrays of any precision, converted to float64.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.judge.metrics import widened

Array = npt.NDArray[Any]


def top_agreement(actual: Array, desired: Array, k: int) -> float:
    """Return the share, 0 to 1, of the k best classes of `actual` that are among the k best of `desired`.

    Args:
        actual, desired: scores of one shape [..., classes]; rows have equal weight, and all ties in `desired` belong to
            the best. NaN ranks below any number.
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


def least_iou(actual: Array, desired: Array) -> float:
    """Return the smallest intersection over union, 0 to 1, of boxes [..., 4] with those at the same index.

    Boxes are (x1, y1, x2, y2), their corners in any order. A box without an area has 0 with every box but itself.
    Without any boxes, the result is 1.

    Raises:
        ValueError: the shapes differ, or the last axis is not of length 4.
    """
    if actual.shape != desired.shape or actual.shape[-1:] != (4,):
        msg = f"no boxes of shapes {actual.shape} and {desired.shape}"
        raise ValueError(msg)
    left, right = _corners(actual), _corners(desired)
    sides = np.minimum(left[:, 2:], right[:, 2:]) - np.maximum(left[:, :2], right[:, :2])
    overlap = np.clip(sides, 0.0, None).prod(axis=-1)
    union = (left[:, 2:] - left[:, :2]).prod(axis=-1) + (right[:, 2:] - right[:, :2]).prod(axis=-1) - overlap
    equal = (left == right).all(axis=-1)
    return float(np.where(equal, 1.0, overlap / np.where(union > 0, union, 1.0)).min(initial=1.0))


@np.errstate(all="ignore")
def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rows of length 1, zeros unchanged; rows are scaled first because squares of large numbers overflow."""
    greatest = np.abs(rows).max(axis=-1, keepdims=True)
    scaled = rows / np.where(greatest > 0, greatest, 1.0)
    norm = np.sqrt((scaled * scaled).sum(axis=-1, keepdims=True))
    return np.asarray(scaled / np.where(norm > 0, norm, 1.0))


def _corners(boxes: Array) -> npt.NDArray[np.float64]:
    """Return boxes with the smaller coordinates first."""
    wide = widened(boxes).reshape(-1, 4)
    return np.concatenate([np.minimum(wide[:, :2], wide[:, 2:]), np.maximum(wide[:, :2], wide[:, 2:])], axis=1)
