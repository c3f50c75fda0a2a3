"""A labelled sample, and a data set of them. Labels are in memory, samples are read when they are fed."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

from burn_verify.cases.samples.sample import Array
from burn_verify.core.text import one_line

_CHUNK: Final = 1 << 20


class Labels(StrEnum):
    """What the labels of a data set are."""

    CLASS = "class"
    """A whole number from 0 for each sample."""
    BOXES = "boxes"
    """Any number of boxes with a category for each image."""
    SCORE = "score"
    """How alike two texts are, a number."""
    VALUES = "values"
    """Numbers that the model is to compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An object of an image.

    Attributes:
        box: left, top, width, height, in pixels of the image.
        area: in square pixels, as COCO counts small and large objects by it.
        crowd: many objects, of which none has to be found.
    """

    category: int
    box: tuple[float, float, float, float]
    area: float
    crowd: bool = False


Label: TypeAlias = int | float | str | tuple[float, ...] | tuple[Box, ...]
"""A text is the name of a class that has no number yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image file; `size` is the width and height that the labels say, None where they say none."""

    path: Path
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """Arrays by the name of an input, with the axis of the batch, of size 1."""

    read: Callable[[], Mapping[str, Array]]


Item: TypeAlias = Picture | Arrays | str
"""What a model is fed once; a string is a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A sample with its label.

    Attributes:
        name: of the file below the data set, and the place in it.
        number: of the sample in predictions; of an image, its id.
        items: what the model is fed for it, one after the other: the two texts of a pair.
    """

    name: str
    number: int
    label: Label
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of object, as COCO names it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A labelled data set.

    Attributes:
        name: of its file or folder.
        broken: a line for each sample whose label cannot be used.
        categories: of boxes, by id; empty for other labels.
        counted: the number of classes that got their numbers in alphabetical order; 0 where somebody says the numbers.
    """

    name: str
    labels: Labels
    entries: tuple[Entry, ...]
    broken: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    counted: int = 0


def identity(data: DataSet) -> str:
    """Return the sha256 (hex) over samples and labels, in their order; it does not depend on names of files."""
    total = hashlib.sha256(_canonical([data.labels, [one.id for one in data.categories]]))
    for entry in data.entries:
        label = entry.label
        said = [
            asdict(one) if isinstance(one, Box) else one for one in (label if isinstance(label, tuple) else [label])
        ]
        total.update(_canonical([entry.number, said]))
        for item in entry.items:
            total.update(_content(item))
    return total.hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _content(item: Item) -> bytes:
    """Return a digest of what is fed; of a file that cannot be read, that of nothing."""
    if isinstance(item, str):
        return hashlib.sha256(item.encode("utf-8", "surrogatepass")).digest()
    try:
        if isinstance(item, Picture):
            with item.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest()
        total = hashlib.sha256()
        for array in item.read().values():
            total.update(f"{array.dtype}{array.shape}".encode())
            total.update(array.tobytes())
        return total.digest()
    except (OSError, ValueError):
        return hashlib.sha256().digest()


def broken(name: str, why: str) -> str:
    """Return the line about a sample that cannot be used."""
    return one_line(f"{name}: {why}")


def kept(
    name: str, labels: Labels, found: Sequence[Entry | str], categories: Sequence[Category] = (), counted: int = 0
) -> DataSet:
    """Return a data set of entries, and of lines about those that are broken."""
    return DataSet(
        name=name,
        labels=labels,
        entries=tuple(one for one in found if isinstance(one, Entry)),
        broken=tuple(one for one in found if isinstance(one, str)),
        categories=tuple(categories),
        counted=counted,
    )
