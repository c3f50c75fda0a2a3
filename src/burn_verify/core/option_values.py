"""From what was typed to what it means, one function a kind of value.

Each takes text and raises ValueError with a message fit for a user. Writes nothing.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from burn_verify.core.result import JudgeMode
from burn_verify.core.versions import BACKENDS

T = TypeVar("T")

RELEASE: Final = "release"
"""Instead of a checkout: what was published."""
ALL: Final = "all"
"""The name that means every model of the zoo, every suite or every operator that has graphs."""

LATEST: Final = "latest"

_WEEK: Final = 7 * 24 * 3600.0
_PEBIBYTE: Final = 1 << 30
_MOST_THREADS: Final = 1024
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")


def names(text: str) -> tuple[str, ...]:
    """Return names that commas part."""
    found = _parts(text)
    if not found:
        msg = "names nothing; try --models mnist, --conformance node, or --ops Conv"
        raise ValueError(msg)
    return found


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return what reads values that commas part, each once and in their order."""

    def parse_all(text: str) -> tuple[T, ...]:
        found = tuple(dict.fromkeys(parse(part) for part in _parts(text)))
        if not found:
            msg = "a value is needed, or several with commas between them"
            raise ValueError(msg)
        return found

    return parse_all


def backend(text: str) -> str:
    """Return the name of a backend of Burn."""
    if text.lower() not in BACKENDS:
        msg = f"{', '.join(BACKENDS)} are known, not {text!r}"
        raise ValueError(msg)
    return text.lower()


def burn_version(text: str) -> str:
    """Return a version as Cargo writes it, or ``latest``."""
    if text.lower() == LATEST:
        return LATEST
    if not _VERSION.fullmatch(text):
        msg = f"a version such as 0.22.1, or {LATEST}, is needed, not {text!r}"
        raise ValueError(msg)
    return text


def checkout(text: str) -> str | None:
    """Return the absolute path of a checkout, ``@revision`` behind it where one was named; None for the release."""
    if text.lower() == RELEASE:
        return None
    whole = path(text)
    head, at, revision = text.rpartition("@")
    if whole.is_dir() or not at:
        return str(folder(text))
    if not revision:
        msg = f"a revision is needed behind the @ of {text!r}"
        raise ValueError(msg)
    return f"{folder(head)}@{revision}"


def path(text: str) -> Path:
    """Return an absolute path; nothing need be there."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        msg = f"{text} is in nobody's home directory"
        raise ValueError(msg) from None


def folder(text: str) -> Path:
    """Return the absolute path of a folder that is there."""
    found = path(text)
    if not found.is_dir():
        msg = f"{found} is not a folder"
        raise ValueError(msg)
    return found


def file(text: str) -> Path:
    """Return the absolute path of a file that is there."""
    found = path(text)
    if not found.is_file():
        msg = f"{found} is not a file"
        raise ValueError(msg)
    return found


def seconds(text: str) -> float:
    """Return a duration."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _WEEK:
        msg = f"a number of seconds above 0 and up to a week is needed, not {text!r}"
        raise ValueError(msg)
    return found


def mebibytes(text: str) -> int:
    """Return a limit of memory, 0 for none."""
    if not text.isdecimal() or int(text) > _PEBIBYTE:
        msg = f"a whole number of MiB up to {_PEBIBYTE} is needed (0 for no limit), not {text!r}"
        raise ValueError(msg)
    return int(text)


def mode(text: str) -> JudgeMode:
    """Return how answers are compared."""
    if text.lower() not in list(JudgeMode):
        msg = f"{', '.join(JudgeMode)} are known, not {text!r}"
        raise ValueError(msg)
    return JudgeMode(text.lower())


def count(text: str) -> int:
    """Return how many."""
    if not text.isdecimal() or int(text) >= _PEBIBYTE:
        msg = f"a whole number is needed, not {text!r}"
        raise ValueError(msg)
    return int(text)


def thread_count(text: str) -> int:
    """Return how many threads, one at least."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_THREADS:
        msg = f"a whole number from 1 to {_MOST_THREADS} is needed, not {text!r}"
        raise ValueError(msg)
    return int(text)


def profile(text: str) -> str:
    """Return how many graphs an operator, in a word."""
    profiles = ("quick", "nightly", "full")
    if text.lower() not in profiles:
        msg = f"{' or '.join(profiles)} is needed, not {text!r}"
        raise ValueError(msg)
    return text.lower()


def switch(text: str) -> bool:
    """Return whether something is on."""
    words = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if text.lower() not in words:
        msg = f"on or off is needed, not {text!r}"
        raise ValueError(msg)
    return words[text.lower()]


def part(text: str) -> tuple[int, int]:
    """Return which part of how many, from 1."""
    index, slash, of = text.partition("/")
    if not (slash and index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of)):
        msg = f"I/N is needed, such as 1/4 to 4/4, not {text!r}"
        raise ValueError(msg)
    return int(index), int(of)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
