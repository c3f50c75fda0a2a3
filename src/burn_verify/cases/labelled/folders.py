"""Folders named by classes become a data set: ``cat/1.png``, ``dog/1.png``."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from burn_verify.cases.labelled.entry import DataSet, Entry, Labels, Picture, broken, kept
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.images import SUFFIXES

_CLASSES: Final = "classes.txt"


def class_folders(folder: Path) -> list[Path]:
    """Return the folders of a folder that hold images, in order."""
    return [one for one in sorted(folder.iterdir()) if one.is_dir() and any(_images(one))]


def of_folders(folder: Path, name: str) -> DataSet:
    """Return the data set of class folders; a folder of another name than the classes is told.

    Raises:
        Wrong: ``classes.txt`` cannot be read.
    """
    folders = class_folders(folder)
    names = [one.name for one in folders]
    found = list(_entries(folder, folders, classes_of(folder, names)))
    return kept(name, Labels.CLASS, found, counted=counted_of(folder, names))


def counted_of(folder: Path, names: Collection[str]) -> int:
    """Return how many classes `classes_of` counts in alphabetical order; 0 where it knows their numbers."""
    known = (folder / _CLASSES).is_file() or all(map(_is_number, names))
    return 0 if known else len(set(names))


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def classes_of(folder: Path, names: Collection[str]) -> Mapping[str, int]:
    """Return the number of each class by name.

    ``classes.txt`` beside the data has a name a line, in the order of the model's outputs. Without it, names that all
    are numbers are these numbers, and others are counted in alphabetical order.

    Raises:
        Wrong: ``classes.txt`` cannot be read.
    """
    path = folder / _CLASSES
    if path.is_file():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Wrong(place=_CLASSES, text="it cannot be read as text in UTF-8") from error
        return {line.strip(): place for place, line in enumerate(lines) if line.strip()}
    if all(map(_is_number, names)):
        return {one: int(one) for one in names}
    return {one: place for place, one in enumerate(sorted(names))}


def _entries(folder: Path, folders: list[Path], numbers: Mapping[str, int]) -> Iterator[Entry | str]:
    count = 0
    for one in folders:
        for path in sorted(_images(one)):
            name = path.relative_to(folder).as_posix()
            if one.name not in numbers:
                yield broken(name, f"the folder {one.name} is no class of {_CLASSES}")
                continue
            yield Entry(name=name, number=count, label=numbers[one.name], items=(Picture(path=path),))
            count += 1


def _images(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
