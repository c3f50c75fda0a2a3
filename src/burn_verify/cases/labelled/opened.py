"""A path becomes a labelled data set; which format it has follows from names and the beginning of files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from burn_verify.cases.labelled.coco import coco, is_coco
from burn_verify.cases.labelled.entry import DataSet, Labels
from burn_verify.cases.labelled.folders import class_folders, of_folders
from burn_verify.cases.labelled.lines import FORMS, labelled_lines
from burn_verify.cases.labelled.pairs import pairs
from burn_verify.cases.labelled.tables import labelled_table
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Model

_FORMATS: Final[Mapping[Labels, str]] = {
    Labels.BOXES: "a dataset.jsonl, or a .json file of COCO, or a folder that holds one",
    Labels.CLASS: "folders named by classes, an .npz with labels, or a dataset.jsonl",
    Labels.SCORE: "a .csv or .tsv of two texts and a score, or a .jsonl",
    Labels.VALUES: "an .npz with values, or a .jsonl",
}
_SUFFIXES: Final[Mapping[Labels, tuple[str, ...]]] = {
    Labels.BOXES: (".jsonl", ".json"),
    Labels.CLASS: (".jsonl", ".npz"),
    Labels.SCORE: (".jsonl", ".csv", ".tsv"),
    Labels.VALUES: (".jsonl", ".npz"),
}


def opened(path: Path, labels: Labels, model: Model) -> DataSet:
    """Return the data set at a path.

    Raises:
        Wrong: there is none that has such labels, or none of its samples can be used.
    """
    try:
        found = _of(path, labels, model)
    except OSError as error:
        raise Wrong(place=path.name, text=f"it cannot be read: {error.strerror or error}") from error
    if not found.entries:
        why = f": {found.broken[0]}" if found.broken else ""
        raise Wrong(place=path.name, text=f"no sample can be used{why}")
    return found


def _of(path: Path, labels: Labels, model: Model) -> DataSet:
    if not path.exists():
        raise Wrong(place=str(path), text="no such file or folder")
    name = path.resolve().name if path.is_dir() else path.stem
    if not path.is_dir():
        return _of_file(path, name, labels, model)
    files = _files(path, labels)
    if len(files) == 1:
        return _of_file(files[0], name, labels, model)
    if files:
        held = ", ".join(one.name for one in files[:4])
        raise Wrong(place=path.name, text=f"it holds several data sets, {held}: name one of them")
    if labels is Labels.CLASS and class_folders(path):
        return of_folders(path, name)
    raise Wrong(place=path.name, text=f"no data set with labels is in it: {_FORMATS[labels]} is needed")


def _files(folder: Path, labels: Labels) -> list[Path]:
    """Return the files of a folder that are data sets; ``dataset.jsonl`` is the only one where it is there."""
    if (whole := folder / "dataset.jsonl").is_file():
        return [whole]
    found = [one for one in sorted(folder.iterdir()) if one.is_file() and one.suffix.lower() in _SUFFIXES[labels]]
    return [one for one in found if one.suffix.lower() != ".json" or is_coco(one)]


def _of_file(path: Path, name: str, labels: Labels, model: Model) -> DataSet:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES[labels]:
        raise Wrong(place=path.name, text=f"no data set with labels: {_FORMATS[labels]} is needed")
    readers: Mapping[str, Callable[[], DataSet]] = {
        ".jsonl": lambda: labelled_lines(path, name, labels, model),
        ".json": lambda: coco(path, name),
        ".npz": lambda: labelled_table(path, name, labels, model),
        ".csv": lambda: pairs(path, name),
        ".tsv": lambda: pairs(path, name),
    }
    return readers[suffix]()


__all__ = ["FORMS", "opened"]
