"""COCO's JSON becomes a data set of boxes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.labelled.entry import Box, Category, DataSet, Entry, Labels, Picture, broken, kept
from burn_verify.cases.labelled.parse import annotation, size, whole
from burn_verify.cases.own.schema import Wrong

_FOLDERS: Final = ("", "images", "data")
_KEYS: Final = ("images", "annotations", "categories")


def is_coco(path: Path) -> bool:
    """Return whether the beginning of a JSON file is that of COCO's format."""
    with path.open("rb") as file:
        start = file.read(4096)
    return any(f'"{key}"'.encode() in start for key in ("images", "annotations", "licenses", "categories", "info"))


def coco(path: Path, name: str) -> DataSet:
    """Return the data set of a file of annotations; images lie beside it, in ``images/`` or in ``data/``.

    Raises:
        Wrong: it is not COCO's JSON.
    """
    document = _document(path)
    categories = sorted((_category(one, path.name) for one in document["categories"]), key=lambda one: one.id)
    known = [one.id for one in categories]
    if twice := sorted(id_ for id_, count in Counter(known).items() if count > 1):
        raise Wrong(place=path.name, text=f"categories: the id {twice[0]} is there twice, so no class has a number")
    boxes: dict[Any, list[Box]] = {}
    lines: list[str] = []
    wrong: dict[Any, str] = {}
    ids = {_key(one, "id") for one in document["images"]}
    told: set[Any] = set()
    for place, given in enumerate(document["annotations"]):
        who, own = _key(given, "image_id"), _key(given, "id")
        try:
            if who not in ids:
                msg = f"image_id: {who!r} is none of the images"
                raise ValueError(msg)
            if own is not None and own in told:
                msg = f"id: {own} is there twice"
                raise ValueError(msg)
            told.add(own)
            boxes.setdefault(who, []).append(annotation(given, known))
        except ValueError as error:
            line = broken(f"{path.name}: annotations[{place}]", str(error))
            if who in ids:
                wrong.setdefault(who, line)
            else:
                lines.append(line)
    found = [*_entries(document["images"], path, boxes, wrong), *lines]
    return kept(name, Labels.BOXES, found, categories)


def _key(given: Any, name: str) -> int | str | None:
    """Return an id; None where there is none that can be one."""
    found = given.get(name) if isinstance(given, dict) else None
    return found if isinstance(found, int | str) else None


def _entries(
    images: list[Any], path: Path, boxes: Mapping[Any, list[Box]], wrong: Mapping[Any, str]
) -> Iterator[Entry | str]:
    seen: set[Any] = set()
    for place, given in enumerate(images):
        where = f"{path.name}: images[{place}]"
        try:
            if not isinstance(given, dict) or not isinstance(given.get("file_name"), str):
                msg = 'an object with "id" and "file_name" is needed'
                raise ValueError(msg)
            number = whole(given.get("id"), "id")
            if number in seen:
                msg = f"id: {number} is there twice"
                raise ValueError(msg)
            seen.add(number)
            if number in wrong:
                yield wrong[number]
                continue
            picture = Picture(path=_file(path.parent, given["file_name"]), size=size(given))
        except ValueError as error:
            yield broken(where, str(error))
            continue
        yield Entry(name=given["file_name"], number=number, label=tuple(boxes.get(number, ())), items=(picture,))


def _file(folder: Path, name: str) -> Path:
    """Return where an image lies; the first place where it lies nowhere."""
    places = [folder / below / name for below in _FOLDERS]
    return next((one for one in places if one.is_file()), places[0])


def _category(given: Any, name: str) -> Category:
    try:
        return Category(id=whole(given["id"], "id"), name=str(given.get("name", given["id"])))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Wrong(place=name, text='"categories" is an array of objects with "id" and "name"') from error


def _document(path: Path) -> dict[str, list[Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Wrong(place=path.name, text=f"no JSON: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not all(isinstance(document.get(key), list) for key in _KEYS):
        raise Wrong(place=path.name, text=f"not COCO's format: arrays {', '.join(map(repr, _KEYS))} are needed")
    return document
