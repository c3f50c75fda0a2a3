"""A CSV of sentence pairs becomes a data set: two texts and how alike they are, a line each."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from burn_verify.cases.labelled.entry import DataSet, Entry, Labels, broken, kept
from burn_verify.cases.labelled.parse import numeral
from burn_verify.cases.own.schema import Wrong

_HEADS: Final = ("sentence1", "sentence2", "score")


def pairs(path: Path, name: str) -> DataSet:
    """Return the data set of a ``.csv`` or ``.tsv`` file of two texts and a number, with or without a header.

    Raises:
        Wrong: it is no text in UTF-8, or holds no line.
    """
    try:
        found = list(_entries(path))
    except UnicodeDecodeError as error:
        raise Wrong(place=path.name, text="no text in UTF-8") from error
    except OSError as error:
        raise Wrong(place=path.name, text=f"it cannot be read: {error.strerror or error}") from error
    if not found:
        raise Wrong(place=path.name, text="it holds no line")
    return kept(name, Labels.SCORE, found)


def _entries(path: Path) -> Iterator[Entry | str]:
    columns: tuple[int, ...] = (0, 1, 2)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        number = 0
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield broken(f"{path.name}:{reader.line_num}", f"no CSV: {error}")
                continue
            if not row:
                continue
            if reader.line_num == 1 and (heads := _header(row)) is not None:
                columns = heads
                continue
            yield _entry(f"{path.name}:{reader.line_num}", number, row, columns)
            number += 1


def _header(row: list[str]) -> tuple[int, ...] | None:
    """Return the columns of the texts and the score that a header names; None where the line is none."""
    lowered = [one.strip().lower() for one in row]
    return tuple(lowered.index(one) for one in _HEADS) if set(_HEADS) <= set(lowered) else None


def _entry(name: str, number: int, row: list[str], columns: tuple[int, ...]) -> Entry | str:
    if len(row) <= max(columns):
        return broken(name, f"two texts and a score are needed, and the line has {len(row)} columns")
    first, second, score = (row[place] for place in columns)
    try:
        if not first.strip() or not second.strip():
            msg = "a text is empty"
            raise ValueError(msg)
        return Entry(name=name, number=number, label=numeral(score, "score"), items=(first, second))
    except ValueError as error:
        return broken(name, str(error))
