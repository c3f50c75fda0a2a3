"""Boxes outside of the model: overlap, non-maximum suppression, and back into the image. Pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from burn_verify.cases.samples.images import Placement

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Boxes as a detector says them, before any is left out.

    Attributes:
        boxes: float64 [n, 4]: left, top, right, bottom, in pixels of the tensor.
        scores: float64 [n].
        classes: int64 [n].
        named: whether classes are the numbers of categories; else they count from 0, in the order of the categories.
    """

    boxes: Floats
    scores: Floats
    classes: Whole
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which candidates are kept.

    Attributes:
        score: only higher ones are.
        iou: of two boxes of a class with a greater overlap the better one is; None for both.
        keep: so many of an image, the best ones; None for all.
    """

    score: float
    iou: float | None = None
    keep: int | None = None


def overlaps(left: Floats, right: Floats) -> Floats:
    """Return intersection over union, [n, m], of boxes [n, 4] and [m, 4] of corners; 0 where neither has an area."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=-1)
    areas = [np.clip(one[:, 2:] - one[:, :2], 0.0, None).prod(axis=-1) for one in (left, right)]
    union = areas[0][:, None] + areas[1][None, :] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def suppressed(boxes: Floats, scores: Floats, classes: Whole, iou: float) -> Whole:
    """Return the places of the boxes that greedy suppression in each class keeps, the best first."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    for label in np.unique(classes):
        left = order[classes[order] == label]
        while len(left):
            kept.append(int(left[0]))
            left = left[1:][overlaps(boxes[left[:1]], boxes[left[1:]])[0] <= iou]
    found = np.array(kept, dtype=np.int64)
    return found[np.argsort(-scores[found], kind="stable")]


def chosen(found: Candidates, limits: Limits) -> Candidates:
    """Return the candidates that are kept, the best first."""
    sure = np.flatnonzero(found.scores > limits.score)
    order = sure[np.argsort(-found.scores[sure], kind="stable")]
    if limits.iou is not None:
        order = order[suppressed(found.boxes[order], found.scores[order], found.classes[order], limits.iou)]
    order = order[: limits.keep]
    return Candidates(
        boxes=found.boxes[order],
        scores=found.scores[order],
        classes=found.classes[order],
        named=found.named,
    )


def in_image(boxes: Floats, place: Placement) -> Floats:
    """Return left, top, width and height in pixels of the image, of corners in pixels of the tensor."""
    shift = np.array([place.left, place.top, place.left, place.top])
    scale = np.array([place.across, place.down, place.across, place.down])
    corners = (boxes - shift) / scale
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
