"""Detection: boxes of objects in images, by COCO's metrics."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from burn_verify.cases.labelled.entry import Category, Entry, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import TaskHint
from burn_verify.core.text import one_line
from burn_verify.task import average_precision
from burn_verify.task.boxes import Floats, Limits, chosen, in_image, overlaps
from burn_verify.task.families import FAMILIES
from burn_verify.task.protocol import Answer, Answered, Flip, Interval

_SAME: Final = 0.5
"""Two boxes with at least this overlap are of one object."""
_FEW: Final = 10
_MOVED: Final = 0.05
"""Boxes in pairs of which something is said, and pixels by which all of them moved: rounding goes in any direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A box that a model found.

    Attributes:
        category: its id.
        box: left, top, width, height, in pixels of the image.
    """

    category: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detecting:
    """Implements `burn_verify.task.protocol.Task`; a prediction is a tuple of `Detection`, the best first.

    Attributes:
        family: name of one of `FAMILIES`.
        limits: which boxes are kept.
        categories: of the labels, by id.
    """

    family: str
    limits: Limits
    categories: tuple[Category, ...]
    hint: TaskHint = field(default_factory=TaskHint)
    name = "detection"
    labels = Labels.BOXES
    metric = "AP"
    lower: frozenset[str] = frozenset()

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> tuple[Detection, ...]:
        """Return the boxes of an image; those of classes that the labels do not have are dropped."""
        (answer,) = answers
        assert answer.place is not None
        try:
            found = FAMILIES[self.family].decode(answer.outputs, answer.place.tensor, self.hint)
        except (ValueError, IndexError) as error:
            text = one_line(f"the outputs are not those of {self.family}: {error}")
            raise Wrong(place=entry.name, text=text) from error
        kept = chosen(found, self.limits)
        boxes = in_image(kept.boxes, answer.place)
        made = []
        for box, score, label in zip(boxes, kept.scores, kept.classes, strict=True):
            category = self._category(int(label), named=kept.named)
            if category is not None and np.isfinite(box).all():
                left, top, width, height = map(float, box)
                made.append(Detection(category=category, score=float(score), box=(left, top, width, height)))
        return tuple(made)

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return ``AP``, ``AP50``, ``AP75`` and ``AR100``."""
        return average_precision.metrics(self._truth(answered), self.written(answered))

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return intervals; see `Task.intervals`."""
        return average_precision.intervals(self._truth(before), self.written(before), self.written(after), seed)

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return boxes that came, went, or changed their class."""
        names = {one.id: one.name for one in self.categories}
        found = [
            flip
            for old, new in zip(before, after, strict=True)
            for flip in _flips(old.entry.name, old.prediction, new.prediction, names)
        ]
        return sorted(found, key=lambda one: -one.weight)

    def apart(self, before: Sequence[Detection], after: Sequence[Detection]) -> float:
        """Return the scores of boxes that came, went or changed class, and of the others what they do not overlap."""
        pairs, gone, come = matched(before, after)
        total = sum(before[one].score for one in gone) + sum(after[one].score for one in come)
        for one, other, overlap in pairs:
            same = before[one].category == after[other].category
            total += max(before[one].score, after[other].score) * (1 - overlap if same else 1)
            total += abs(before[one].score - after[other].score)
        return float(total)

    def noted(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[str]:
        """Return that all boxes moved or grew, where they did so by more than rounding: no metric need show it."""
        moves = [
            move for old, new in zip(before, after, strict=True) for move in _moves(old.prediction, new.prediction)
        ]
        if len(moves) < _FEW:
            return ()
        right, down, wider, taller = (float(one) for one in np.median(np.array(moves), axis=0))
        if max(map(abs, (right, down, wider, taller))) < _MOVED:
            return ()
        where = f"{right:+.2f} to the right and {down:+.2f} down"
        size = f"{wider:+.2f} wider and {taller:+.2f} taller"
        return (f"{len(moves)} boxes that both found moved, in the median, by {where}, and are {size} (pixels)",)

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return how many boxes there are, by category too."""
        counts = Counter(one.category for it in answered for one in it.prediction)
        kinds = {one.name: counts[one.id] for one in self.categories if counts[one.id]}
        return {"detections": counts.total(), "detections_by_category": kinds, "family": self.family}

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as results in COCO's format."""
        return [
            {"image_id": it.entry.number, "category_id": one.category, "score": one.score, "bbox": list(one.box)}
            for it in answered
            for one in it.prediction
        ]

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of results in COCO's format; see `Task.read`."""
        boxes: dict[int, list[Detection]] = {entry.number: [] for entry in entries}
        for place, given in enumerate(document):
            number = given.get("image_id") if isinstance(given, dict) else None
            if number not in boxes:
                msg = f"predictions[{place}]: no image has the id {number!r}"
                raise ValueError(msg)
            try:
                left, top, width, height = map(float, given["bbox"])
                category, score = int(given["category_id"]), float(given["score"])
            except (KeyError, TypeError, ValueError) as error:
                msg = f"predictions[{place}]: image_id, category_id, score and bbox of four numbers are needed"
                raise ValueError(msg) from error
            boxes[number].append(Detection(category=category, score=score, box=(left, top, width, height)))
        return [
            Answered(entry=one, prediction=tuple(sorted(boxes[one.number], key=lambda it: -it.score)))
            for one in entries
        ]

    def truth(self, entries: Sequence[Entry]) -> dict[str, list[Any]]:
        """Return labels in COCO's format."""
        return average_precision.ground_truth(entries, self.categories)

    def _truth(self, answered: Sequence[Answered]) -> dict[str, list[Any]]:
        return self.truth([one.entry for one in answered])

    def _category(self, label: int, *, named: bool) -> int | None:
        if named:
            return label if any(one.id == label for one in self.categories) else None
        return self.categories[label].id if label < len(self.categories) else None


def matched(
    before: Sequence[Detection], after: Sequence[Detection]
) -> tuple[list[tuple[int, int, float]], list[int], list[int]]:
    """Return pairs of boxes of one object with their overlap, and the places of those without a partner.

    Boxes of one class are paired first, by overlap.
    """
    table = overlaps(_corners(before), _corners(after))
    same = np.array([[one.category == other.category for other in after] for one in before], bool).reshape(table.shape)
    left, right = set(range(len(before))), set(range(len(after)))
    pairs = []
    for allowed in (same, ~same):
        places = np.argwhere(allowed & (table >= _SAME))
        for one, other in sorted(map(tuple, places.tolist()), key=lambda it: -table[it]):
            if one in left and other in right:
                pairs.append((one, other, float(table[one, other])))
                left.remove(one)
                right.remove(other)
    return pairs, sorted(left), sorted(right)


def _moves(before: Sequence[Detection], after: Sequence[Detection]) -> Iterator[tuple[float, float, float, float]]:
    """Yield how far the middle of each box of one object moved to the right and down, and how its sides grew."""
    for one, other, _ in matched(before, after)[0]:
        left, top, width, height = (it - its for it, its in zip(after[other].box, before[one].box, strict=True))
        yield left + width / 2, top + height / 2, width, height


def _flips(
    sample: str, before: Sequence[Detection], after: Sequence[Detection], names: Mapping[int, str]
) -> list[Flip]:
    pairs, gone, come = matched(before, after)
    found = [
        Flip(
            sample=sample,
            kind="class",
            text=f"{_said(before[one], names)} became {_said(after[other], names)}",
            weight=max(before[one].score, after[other].score),
        )
        for one, other, _ in pairs
        if before[one].category != after[other].category
    ]
    for places, boxes, word in ((gone, before, "is gone"), (come, after, "came")):
        for place in places:
            text = f"{_said(boxes[place], names)} {word}"
            found.append(Flip(sample=sample, kind="box", text=text, weight=boxes[place].score))
    return found


def _said(one: Detection, names: Mapping[int, str]) -> str:
    left, top, width, height = one.box
    where = f"{left:.1f}, {top:.1f}, {width:.1f} x {height:.1f}"
    return f"{names.get(one.category, one.category)} {one.score:.3f} at {where}"


def _corners(boxes: Sequence[Detection]) -> Floats:
    found = np.array([one.box for one in boxes], np.float64).reshape(-1, 4)
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
