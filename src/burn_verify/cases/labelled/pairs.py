"""A CSV of sentence pairs becomes a data set: two texts and how alike they are, a line each."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from burn_verify.cases.labelled.entry import DataSet, Entry, Labels, broken, kept
from burn_verify.cases.labelled.parse import numeral
from burn_verify.cases.own.schema import Wrong

_TEXTS: Final = (
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("text1", "text2"),
    ("text_1", "text_2"),
    ("s1", "s2"),
    ("question1", "question2"),
)
_SCORES: Final = ("score", "similarity", "similarity_score", "relatedness_score", "label")
"""What headers of published data call their columns, in any order and any case."""
_WANTED: Final = "a header names its columns sentence1, sentence2, score"
_DELIMITERS: Final = (",", "\t", ";")


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
        start = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else _delimiter(start))
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
            found = _entry(f"{path.name}:{reader.line_num}", number, row, columns)
            yield f"{found}; {_WANTED}" if reader.line_num == 1 and isinstance(found, str) else found
            number += 1


def _delimiter(line: str) -> str:
    """Return what separates the columns of a line: a comma, unless another one gives three and a comma does not."""
    try:
        return next((one for one in _DELIMITERS if len(next(csv.reader([line], delimiter=one), ())) > 2), ",")
    except csv.Error:
        # The line is told when it is read.
        return ","


def _header(row: list[str]) -> tuple[int, ...] | None:
    """Return the columns of the texts and the score that a header names; None where the line is none."""
    lowered = [one.strip().lower() for one in row]
    texts = next((pair for pair in _TEXTS if set(pair) <= set(lowered)), None)
    score = next((name for name in _SCORES if name in lowered), None)
    return None if texts is None or score is None else tuple(lowered.index(one) for one in (*texts, score))


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
