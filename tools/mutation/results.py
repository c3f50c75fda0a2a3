"""Results of mutants on disk: JSON lines, appended as they come: a run that was ended goes on where it stopped."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

MUTANT = "mutant"
ORIGINALS = "originals"


class End(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    UNCOMPILABLE = "uncompilable"
    EQUIVALENT = "equivalent"
    ROUNDING = "rounding"
    SURVIVED = "survived"
    NOT_APPLICABLE = "not applicable"


class Cause(StrEnum):
    """Why a mutant survived: what was allowed, or what it was fed."""

    BOUND = "bound"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a file of results holds.

    Attributes:
        about: the run: corpus, seed, judge, how many cases there were and which of them failed unmutated.
        mutants: by id, the last line of each.
    """

    about: Mapping[str, Any]
    mutants: Mapping[str, Mapping[str, Any]]


def append(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Add lines to a file, made with its folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def read(path: Path) -> Results:
    """Return what a file holds, nothing where it is missing; a last line that was cut off counts as not written.

    Raises:
        ValueError: a line in between is no JSON.
    """
    about: dict[str, Any] = {}
    mutants: dict[str, Mapping[str, Any]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            if number == len(lines):
                break
            msg = f"{path}, line {number}: {error}"
            raise ValueError(msg) from error
        if line["line"] == ORIGINALS:
            about |= line
        else:
            mutants[line["id"]] = line
    return Results(about=about, mutants=mutants)
