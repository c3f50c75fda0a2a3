"""A ``dataset.jsonl`` becomes a data set: a line is a sample with its label."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cases.labelled.entry import (
    Arrays,
    Category,
    DataSet,
    Entry,
    Item,
    Label,
    Labels,
    Picture,
    broken,
    kept,
)
from burn_verify.cases.labelled.folders import classes_of, counted_of
from burn_verify.cases.labelled.parse import corners, number, numbers, size, whole
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array, Model

FORMS: Final[Mapping[Labels, str]] = {
    Labels.BOXES: '{"image": "a.png", "objects": [{"bbox": [x1, y1, x2, y2], "category": 1}]}',
    Labels.CLASS: '{"image": "a.png", "label": 3}',
    Labels.SCORE: '{"texts": ["a", "b"], "score": 2.5}',
    Labels.VALUES: '{"image": "a.png", "values": [1.5]}',
}
_TEXTS: Final = ("sentence1", "sentence2")
_ORIENTATION: Final = 0x0112
_LYING: Final = 5
"""The field of an image that says how it is to be turned, and the first of its values that swaps the sides."""
_MARK: Final = b"\xef\xbb\xbf"
_CATEGORIES: Final = 100_000
"""Every number up to the greatest is a category."""


def labelled_lines(path: Path, name: str, labels: Labels, model: Model) -> DataSet:
    """Return the data set of a file of JSON lines.

    Raises:
        Wrong: it cannot be read, or holds no line.
    """
    try:
        rows = path.read_bytes().removeprefix(_MARK).split(b"\n")
    except OSError as error:
        raise Wrong(place=path.name, text=f"it cannot be read: {error.strerror or error}") from error
    found = list(_entries(rows, path, labels, model))
    if not found:
        raise Wrong(place=path.name, text="it holds no line")
    if labels is Labels.CLASS:
        names = _names(found)
        counted = counted_of(path.parent, names) if names else 0
        return kept(name, labels, _numbered(found, names, path), counted=counted)
    return kept(name, labels, found, _categories(found) if labels is Labels.BOXES else ())


def _entries(rows: Sequence[bytes], path: Path, labels: Labels, model: Model) -> Iterator[Entry | str]:
    reader = _READERS[labels]
    for place, row in enumerate(rows):
        if not row.strip():
            continue
        where = f"{path.name}:{place + 1}"
        try:
            given = json.loads(row.decode("utf-8"))
            if not isinstance(given, dict):
                msg = f"an object such as {FORMS[labels]} is needed"
                raise ValueError(msg)
            label, items = reader(given, path.parent, model)
        except (ValueError, RecursionError) as error:
            why = f"no JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error)
            yield broken(where, "no text in UTF-8" if isinstance(error, UnicodeDecodeError) else why)
            continue
        image = given.get("image")
        yield Entry(name=image if isinstance(image, str) else where, number=place, label=label, items=items)


def _boxes(given: Mapping[str, Any], folder: Path, model: Model) -> tuple[Label, tuple[Item, ...]]:
    picture = _picture(given, folder, Labels.BOXES)
    objects = given.get("objects")
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        msg = f'"objects" is missing: {FORMS[Labels.BOXES]} is needed'
        raise ValueError(msg)
    extent = picture.size or _extent(picture.path)
    found = tuple(corners(one.get("bbox"), extent, _category(one)) for one in objects)
    return found, (Picture(path=picture.path, size=extent),)


def _category(one: Mapping[str, Any]) -> int:
    found = whole(one.get("category"), "category")
    if found > _CATEGORIES:
        msg = f"category: a whole number up to {_CATEGORIES} is needed, not {found}"
        raise ValueError(msg)
    return found


def _class(given: Mapping[str, Any], folder: Path, model: Model) -> tuple[Label, tuple[Item, ...]]:
    label = given.get("label")
    if isinstance(label, str) and label:
        return label, _items(given, folder, model, Labels.CLASS)
    return whole(label, "label"), _items(given, folder, model, Labels.CLASS)


def _score(given: Mapping[str, Any], folder: Path, model: Model) -> tuple[Label, tuple[Item, ...]]:
    texts = given.get("texts", [given.get(key) for key in _TEXTS])
    if not isinstance(texts, list) or len(texts) != 2 or not all(isinstance(one, str) and one for one in texts):
        msg = f"two texts are needed: {FORMS[Labels.SCORE]}"
        raise ValueError(msg)
    return number(given.get("score"), "score"), (texts[0], texts[1])


def _values(given: Mapping[str, Any], folder: Path, model: Model) -> tuple[Label, tuple[Item, ...]]:
    found = numbers(given.get("values", given.get("value")), "values")
    return found, _items(given, folder, model, Labels.VALUES)


_READERS: Final[Mapping[Labels, Callable[[Mapping[str, Any], Path, Model], tuple[Label, tuple[Item, ...]]]]] = {
    Labels.BOXES: _boxes,
    Labels.CLASS: _class,
    Labels.SCORE: _score,
    Labels.VALUES: _values,
}


def _items(given: Mapping[str, Any], folder: Path, model: Model, labels: Labels) -> tuple[Item, ...]:
    """Return what is fed: an image, a text, or arrays by the names of inputs."""
    if isinstance(text := given.get("text"), str):
        return (text,)
    named = [spec.name for spec in model.inputs if spec.name in given and spec.name != "image"]
    if "image" in given and not named and isinstance(given["image"], str):
        return (_picture(given, folder, labels),)
    named = [spec.name for spec in model.inputs if spec.name in given]
    if not named:
        msg = f'"image", "text" or arrays by the names of inputs are needed, as in {FORMS[labels]}'
        raise ValueError(msg)
    arrays = {name: _array(name, given[name]) for name in named}
    return (Arrays(read=lambda: arrays),)


def _array(name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        msg = f"{name}: an array of numbers is needed"
        raise ValueError(msg)
    return array[None]


def _picture(given: Mapping[str, Any], folder: Path, labels: Labels) -> Picture:
    image = given.get("image")
    if not isinstance(image, str) or not image:
        msg = f'"image" is missing: {FORMS[labels]} is needed'
        raise ValueError(msg)
    return Picture(path=folder / image, size=size(given))


def _extent(path: Path) -> tuple[int, int]:
    """Return width and height of an image whose label does not say them."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            width, height = file.size
            # Fed are images as they are shown.
            return (height, width) if file.getexif().get(_ORIENTATION, 1) >= _LYING else (width, height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        msg = f"{path.name}: no image that Pillow can read, and the line has no width and height"
        raise ValueError(msg) from error


def _categories(found: Sequence[Entry | str]) -> list[Category]:
    ids: set[int] = set()
    for one in found:
        if isinstance(one, Entry) and isinstance(one.label, tuple):
            ids |= {box.category for box in one.label if not isinstance(box, float)}
    return [Category(id=one, name=str(one)) for one in range(min(ids | {1}), max(ids, default=0) + 1)]


def _names(found: Sequence[Entry | str]) -> set[str]:
    """Return the names that labels are; none where most labels are numbers."""
    entries = [one for one in found if isinstance(one, Entry)]
    names = [one.label for one in entries if isinstance(one.label, str)]
    return set(names) if 2 * len(names) > len(entries) else set()


def _numbered(found: Sequence[Entry | str], names: set[str], path: Path) -> list[Entry | str]:
    """Return entries whose classes are numbers; names are those of ``classes.txt``, else in alphabetical order.

    What most labels are, a number or a name, all have to be.
    """
    if not names:
        return [_of_a_number(one) if isinstance(one, Entry) else one for one in found]
    numbers_of = classes_of(path.parent, names)
    return [_with_number(one, numbers_of) if isinstance(one, Entry) else one for one in found]


def _of_a_number(entry: Entry) -> Entry | str:
    if isinstance(entry.label, str):
        return broken(entry.name, f"label: {entry.label!r} is a name, and those of most others are numbers")
    return entry


def _with_number(entry: Entry, numbers_of: Mapping[str, int]) -> Entry | str:
    if not isinstance(entry.label, str):
        return broken(entry.name, f"label: {entry.label!r} is a number, and those of most others are names")
    place = numbers_of.get(entry.label)
    if place is None:
        return broken(entry.name, f"label: {entry.label!r} is not in classes.txt")
    return replace(entry, label=place)
