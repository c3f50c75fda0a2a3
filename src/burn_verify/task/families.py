"""How the outputs of detectors become boxes: a function for each family, the same for every engine.

What a family does not say of its preprocessing and thresholds itself, `[images]` and `[task]` of a description do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array
from burn_verify.core.case import ImageHint, TaskHint, TensorSpec
from burn_verify.task.boxes import Candidates, Floats, Limits

Size = tuple[int, int]
"""Width and height of the tensor."""

Decoding = Callable[[Mapping[str, Array], Size, TaskHint], Candidates]
"""Raises ValueError where the outputs are not those of the family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family of detectors.

    Attributes:
        fits: says whether a model of these outputs is one.
        images: how an image becomes a tensor, where no description says it.
        outputs: what it expects, in words.
    """

    decode: Decoding
    fits: Callable[[Sequence[TensorSpec]], bool]
    limits: Limits
    images: ImageHint
    outputs: str


def decoded(outputs: Mapping[str, Array], size: Size, hint: TaskHint) -> Candidates:
    """Return the boxes of ``location`` [1, n, 4], ``score`` [1, n] and ``category`` [1, n]; categories are ids."""
    scale = np.ones(4) if hint.boxes == "pixels" else np.array([*size, *size], np.float64)
    boxes = _rows(_named(outputs, "location"), 4) * scale
    scores, classes = (_named(outputs, name).reshape(-1) for name in ("score", "category"))
    if not len(boxes) == len(scores) == len(classes):
        msg = f"{len(boxes)} locations, {len(scores)} scores and {len(classes)} categories"
        raise ValueError(msg)
    return Candidates(boxes=boxes, scores=scores.astype(np.float64), classes=classes.astype(np.int64), named=True)


def yolox(outputs: Mapping[str, Array], size: Size, hint: TaskHint) -> Candidates:
    """Return the boxes of one output [1, cells, 5 + classes]: centre, log of the size in strides, object, classes."""
    raw = _rows(next(iter(outputs.values())), None)
    cells, strides = _cells(size, hint.strides or (8, 16, 32), len(raw))
    centres = (raw[:, :2] + cells) * strides
    half = np.exp(np.minimum(raw[:, 2:4], 80.0)) * strides / 2
    return _every_class(np.concatenate([centres - half, centres + half], axis=1), raw[:, 4:5] * raw[:, 5:])


def grid(outputs: Mapping[str, Array], size: Size, hint: TaskHint) -> Candidates:
    """Return the boxes of ``scores`` [1, classes, cells] and ``sides`` [1, 4, cells].

    Sides are the distances left, top, right, bottom from the centre of a cell, in units of the tensor's. Boxes end at
    the border.
    """
    scores, sides = (_named(outputs, name)[0].astype(np.float64).T for name in ("scores", "sides"))
    cells, strides = _cells(size, hint.strides or (8, 16), len(scores))
    centres = (cells + 0.5) * strides
    scaled = sides * np.array([*size, *size], np.float64)
    boxes = np.concatenate([centres - scaled[:, :2], centres + scaled[:, 2:]], axis=1)
    return _every_class(np.clip(boxes, 0.0, np.array([*size, *size], np.float64)), scores)


def ultraface(outputs: Mapping[str, Array], size: Size, hint: TaskHint) -> Candidates:
    """Return the boxes of ``boxes`` [1, n, 4], normalised corners, and ``scores`` [1, n, 2]: background and face."""
    boxes = _rows(_named(outputs, "boxes"), 4) * np.array([*size, *size], np.float64)
    scores = _rows(_named(outputs, "scores"), 2)[:, 1]
    return Candidates(boxes=boxes, scores=scores, classes=np.zeros(len(scores), np.int64))


def fastestdet(outputs: Mapping[str, Array], size: Size, hint: TaskHint) -> Candidates:
    """Return the boxes of one output [1, 5 + classes, rows, columns]: object, place and size in a cell, classes."""
    raw = next(iter(outputs.values()))[0].astype(np.float64)
    if raw.ndim != 3 or raw.shape[0] < 6:
        msg = f"[1, 5 + classes, rows, columns] is needed, not {[1, *raw.shape]}"
        raise ValueError(msg)
    rows, columns = raw.shape[1:]
    down, across = np.mgrid[:rows, :columns]
    centres = np.stack([(np.tanh(raw[1]) + across) / columns, (np.tanh(raw[2]) + down) / rows], axis=-1)
    half = _sigmoid(raw[3:5]).transpose(1, 2, 0) / 2
    boxes = np.concatenate([centres - half, centres + half], axis=-1).reshape(-1, 4)
    scores = np.clip(raw[:1], 0, None) ** 0.6 * np.clip(raw[5:], 0, None) ** 0.4
    return _every_class(boxes * np.array([*size, *size], np.float64), scores.reshape(len(scores), -1).T)


def _named(outputs: Mapping[str, Array], name: str) -> Array:
    if name not in outputs:
        msg = f"no output {name!r} among {', '.join(outputs)}"
        raise ValueError(msg)
    return outputs[name]


def _rows(array: Array, width: int | None) -> Floats:
    """Return the rows of [1, n, width], or of [n, width]."""
    if array.ndim not in (2, 3) or array.shape[-1] != (width or array.shape[-1]) or array.shape[-1] < 2:
        msg = f"[1, n, {width or '5 + classes'}] is needed, not {list(array.shape)}"
        raise ValueError(msg)
    return np.asarray(array.reshape(-1, array.shape[-1]), np.float64)


def _cells(size: Size, strides: Sequence[int], count: int) -> tuple[Floats, Floats]:
    """Return column and row of every cell [n, 2], and its stride [n, 1]: grids in order, row by row."""
    cells, steps = [], []
    for stride in strides:
        columns, rows = size[0] // stride, size[1] // stride
        down, across = np.mgrid[:rows, :columns]
        cells.append(np.stack([across.reshape(-1), down.reshape(-1)], axis=1))
        steps.append(np.full((rows * columns, 1), stride))
    found = np.concatenate(cells).astype(np.float64)
    if len(found) != count:
        said = ", ".join(map(str, strides))
        msg = f"{len(found)} cells of strides {said} in {size[0]}x{size[1]}, and {count} in the output: [task] strides"
        raise ValueError(msg)
    return found, np.concatenate(steps).astype(np.float64)


def _every_class(boxes: Floats, scores: Floats) -> Candidates:
    """Return a candidate for each box and class."""
    count = scores.shape[1]
    return Candidates(
        boxes=np.repeat(boxes, count, axis=0),
        scores=scores.reshape(-1),
        classes=np.tile(np.arange(count, dtype=np.int64), len(boxes)),
    )


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))


def _has(*names: str) -> Callable[[Sequence[TensorSpec]], bool]:
    return lambda specs: set(names) <= {spec.name for spec in specs}


def _alone(rank: int, least: int, axis: int) -> Callable[[Sequence[TensorSpec]], bool]:
    """Return whether there is one output of a rank, with so many values in an axis where its size is known."""

    def fits(specs: Sequence[TensorSpec]) -> bool:
        if len(specs) != 1 or len(specs[0].shape) != rank:
            return False
        dim = specs[0].shape[axis]
        return not isinstance(dim, int) or dim >= least

    return fits


FAMILIES: Final[Mapping[str, Family]] = {
    "decoded": Family(
        decode=decoded,
        fits=_has("location", "score", "category"),
        limits=Limits(score=-np.inf),
        images=ImageHint(fit="stretch"),
        outputs="location, score, category",
    ),
    "grid": Family(
        decode=grid,
        fits=_has("scores", "sides"),
        limits=Limits(score=0.05, iou=0.5, keep=50),
        images=ImageHint(fit="stretch"),
        outputs="scores, sides",
    ),
    "ultraface": Family(
        decode=ultraface,
        fits=_has("scores", "boxes"),
        limits=Limits(score=0.05, iou=0.5, keep=100),
        images=ImageHint(fit="stretch", scale=1.0, mean=(127.0,), deviation=(128.0,)),
        outputs="scores, boxes",
    ),
    "yolox": Family(
        decode=yolox,
        fits=_alone(3, 6, 2),
        limits=Limits(score=0.01, iou=0.65, keep=100),
        images=ImageHint(fit="letterbox", colour="BGR", scale=1.0),
        outputs="one of [1, cells, 5 + classes]",
    ),
    "fastestdet": Family(
        decode=fastestdet,
        fits=_alone(4, 6, 1),
        limits=Limits(score=0.01, iou=0.5, keep=100),
        images=ImageHint(fit="stretch", colour="BGR"),
        outputs="one of [1, 5 + classes, rows, columns]",
    ),
}
"""By name; the first one that fits is taken."""


def family_of(hint: TaskHint, outputs: Sequence[TensorSpec]) -> str:
    """Return the name of the family that a description says, else of the one that the outputs are of.

    Raises:
        Wrong: they are of none.
    """
    if hint.family:
        return hint.family
    found = next((name for name, family in FAMILIES.items() if family.fits(outputs)), None)
    if found is None:
        has = ", ".join(spec.name for spec in outputs)
        known = "; ".join(f"{name} ({family.outputs})" for name, family in FAMILIES.items())
        raise Wrong(place="task.family", text=f"outputs {has} are of no known detector: {known}")
    return found


def limits_of(hint: TaskHint, family: Family) -> Limits:
    """Return the limits of a family, and those of a description over them."""
    return Limits(
        score=family.limits.score if hint.score is None else hint.score,
        iou=family.limits.iou if hint.iou is None else hint.iou,
        keep=family.limits.keep if hint.keep is None else hint.keep,
    )
