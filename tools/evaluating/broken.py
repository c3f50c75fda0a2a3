"""Labelled data sets with something wrong, each made of a good one: a copy in which one thing is damaged."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

Damage: TypeAlias = Callable[[Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A data set that is damaged, and the model that is evaluated on it.

    Attributes:
        model, data: paths below the data, or of `model` a name of the zoo.
        samples: how many it has.
        copy: makes a copy of `data`, and returns the path of the data set.
    """

    model: str
    data: str
    task: str
    samples: int
    copy: Callable[[Path, Path], Path]


def folder(source: Path, place: Path) -> Path:
    """Copy a folder."""
    shutil.copytree(source, place)
    writable(place)
    return place


def single(source: Path, place: Path) -> Path:
    """Copy a file."""
    made = place.with_suffix(source.suffix)
    shutil.copy(source, made)
    writable(made)
    return made


def first_pairs(source: Path, place: Path) -> Path:
    """Copy the first forty pairs of a CSV, below a header."""
    made = place.with_suffix(".csv")
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[:40]
    with made.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["sentence1", "sentence2", "score"], *rows])
    return made


def writable(place: Path) -> None:
    """Let files that were read-only be changed."""
    for path in (place, *(place.rglob("*") if place.is_dir() else ())):
        path.chmod(path.stat().st_mode | 0o200)


GOOD: Final[Mapping[str, Good]] = {
    "lines": Good(
        model="fasterrcnn/detector-no-roialign.onnx", data="triangles/test", task="detection", samples=60, copy=folder
    ),
    "coco": Good(model="yolox", data="tinycoco/val", task="detection", samples=6, copy=folder),
    "table": Good(model="digits/digits.onnx", data="digits/test.npz", task="classification", samples=899, copy=single),
    "pairs": Good(model="minilm", data="stsb/dev.csv", task="similarity", samples=40, copy=first_pairs),
}


def line(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """Return what changes the third line of ``dataset.jsonl``."""

    def damage(place: Path) -> None:
        path = place / "dataset.jsonl"
        rows = path.read_text(encoding="utf-8").splitlines()
        found = change(json.loads(rows[2]))
        rows[2] = found if isinstance(found, str) else json.dumps(found)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")

    return damage


def object_of(change: Callable[[dict[str, Any]], None]) -> Damage:
    """Return what changes the first object of that line."""

    def damage(given: dict[str, Any]) -> dict[str, Any]:
        change(given["objects"][0])
        return given

    return line(damage)


def image(content: Callable[[bytes], bytes] | None) -> Damage:
    """Return what changes the third image; None removes it."""

    def damage(place: Path) -> None:
        path = sorted((place / "data").iterdir())[2]
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content(path.read_bytes()))

    return damage


def annotations(change: Callable[[dict[str, Any]], None]) -> Damage:
    """Return what changes COCO's JSON."""

    def damage(place: Path) -> None:
        path = place / "annotations.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return damage


def table(change: Callable[[dict[str, Any]], None]) -> Damage:
    """Return what changes the arrays of an npz file."""

    def damage(place: Path) -> None:
        with np.load(place) as file:
            arrays: dict[str, Any] = dict(file)
        change(arrays)
        np.savez(place, **arrays)

    return damage


def pairs(change: Callable[[list[list[str]]], None]) -> Damage:
    """Return what changes the rows of a CSV."""

    def damage(place: Path) -> None:
        with place.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        change(rows)
        with place.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    return damage


def emptied(place: Path) -> None:
    """Leave a folder with nothing in it."""
    shutil.rmtree(place)
    place.mkdir()


def cut(place: Path) -> None:
    """Cut off the end of a file."""
    place.write_bytes(place.read_bytes()[:-40])


def _not_a_number(given: dict[str, Any]) -> None:
    given["images"] = given["images"].copy()
    given["images"][7] = np.nan


def _without_column(rows: list[list[str]]) -> None:
    for row in rows:
        del row[2]


BROKEN: Final[Mapping[str, tuple[str, Damage]]] = {
    "an image is missing": ("lines", image(None)),
    "an image is cut off": ("lines", image(lambda data: data[: len(data) // 2])),
    "an image is a text": ("lines", image(lambda _: b"<html>404</html>")),
    "an image has another size than its label says": ("lines", line(lambda one: one | {"width": 64})),
    "a line is no JSON": ("lines", line(lambda one: json.dumps(one)[:-5])),
    "a line has no objects": ("lines", line(lambda one: {"image": one["image"]})),
    "a box is NaN": ("lines", object_of(lambda one: one["bbox"].__setitem__(0, float("nan")))),
    "a box is in pixels": ("lines", object_of(lambda one: one.update(bbox=[40, 30, 90, 80]))),
    "the label file is missing": ("lines", lambda place: (place / "dataset.jsonl").unlink()),
    "the data set is empty": ("lines", emptied),
    "an annotation has an unknown image": ("coco", annotations(lambda one: one["annotations"][0].update(image_id=7))),
    "an annotation has an unknown category": (
        "coco",
        annotations(lambda one: one["annotations"][0].update(category_id=12345)),
    ),
    "two images have the same id": (
        "coco",
        annotations(lambda one: one["images"][1].update(id=one["images"][0]["id"])),
    ),
    "the categories are missing": ("coco", annotations(lambda one: one.pop("categories"))),
    "a label is no class of the model": ("table", table(lambda one: one["labels"].__setitem__(5, 10))),
    "a label is negative": ("table", table(lambda one: one["labels"].__setitem__(5, -1))),
    "a sample is NaN": ("table", table(_not_a_number)),
    "the samples have another shape": ("table", table(lambda one: one.update(images=one["images"][:, :, :6]))),
    "there are fewer labels than samples": ("table", table(lambda one: one.update(labels=one["labels"][:-1]))),
    "the archive is cut off": ("table", cut),
    "a pair has no score": ("pairs", pairs(lambda rows: rows.__setitem__(3, rows[3][:2]))),
    "a score is a word": ("pairs", pairs(lambda rows: rows[3].__setitem__(2, "high"))),
    "the column of scores is missing": ("pairs", pairs(_without_column)),
}
"""By what is wrong: the good data set, and what damages it."""
