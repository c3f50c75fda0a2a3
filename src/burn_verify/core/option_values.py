"""Parsers of option values, one function for each kind of value.

Each takes text and raises ValueError with a message for the user. None writes a file.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from burn_verify.core.result import JudgeMode
from burn_verify.core.target import HTTP_BINARY, HTTP_JSON, VIAS
from burn_verify.core.versions import BACKENDS
from burn_verify.core.ways import LOADS, RECORDS, WEIGHTS

T = TypeVar("T")

RELEASE: Final = "release"
"""Instead of a checkout: the published release."""
ALL: Final = "all"
"""The name for every model of the zoo, every suite, or every operator that has graphs."""

LATEST: Final = "latest"

_WEEK: Final = 7 * 24 * 3600.0
_PEBIBYTE: Final = 1 << 30
_MOST_THREADS: Final = 1024
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")


def names(text: str) -> tuple[str, ...]:
    """Return names separated by commas, at least one."""
    parsed = _parts(text)
    if not parsed:
        msg = "names nothing; try --models mnist, --conformance node, or --ops Conv"
        raise ValueError(msg)
    return parsed


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a parser of values separated by commas; it drops duplicates and keeps the order."""

    def parse_all(text: str) -> tuple[T, ...]:
        values = tuple(dict.fromkeys(parse(part) for part in _parts(text)))
        if not values:
            msg = "a value is needed, or several with commas between them"
            raise ValueError(msg)
        return values

    return parse_all


def backend(text: str) -> str:
    """Return the name of a backend of Burn."""
    return _one_of(BACKENDS, text)


def burn_version(text: str) -> str:
    """Return a version as Cargo writes it, or ``latest``."""
    if text.lower() == LATEST:
        return LATEST
    if not _VERSION.fullmatch(text):
        msg = f"a version such as 0.22.1, or {LATEST}, is needed, not {text!r}"
        raise ValueError(msg)
    return text


def checkout(text: str) -> str | None:
    """Return the absolute path of a checkout, with ``@revision`` if one is named; None for the release."""
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


def vias(text: str) -> tuple[str, ...]:
    """Return ways to ask a compiled model, without duplicates; ``http`` is both ways by a server."""
    words = [word.lower() for word in _parts(text)]
    both = {"http": (HTTP_JSON, HTTP_BINARY)}
    if unknown := [word for word in words if word not in VIAS and word not in both]:
        msg = f"{', '.join((*VIAS, *both))} are known, not {unknown[0]!r}"
        raise ValueError(msg)
    if not words:
        msg = "a way is needed, or several with commas between them"
        raise ValueError(msg)
    return tuple(dict.fromkeys(way for word in words for way in both.get(word, (word,))))


def load(text: str) -> str:
    """Return a way by which a program gets its weights."""
    return _one_of(LOADS, text)


def weights(text: str) -> str:
    """Return how weights are stored."""
    return _one_of(WEIGHTS, text)


def record_type(text: str) -> str:
    """Return a kind of a file of weights."""
    return _one_of(RECORDS, text)


def path(text: str) -> Path:
    """Return an absolute path; it need not exist."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        msg = f"{text} names the home directory of an unknown user"
        raise ValueError(msg) from None


def folder(text: str) -> Path:
    """Return the absolute path of an existing folder."""
    absolute = path(text)
    if not absolute.is_dir():
        msg = f"{absolute} is not a folder"
        raise ValueError(msg)
    return absolute


def new_folder(text: str) -> Path:
    """Return the absolute path of a folder that exists, or that may be made."""
    absolute = path(text)
    if absolute.exists() and not absolute.is_dir():
        msg = f"{absolute} is not a folder"
        raise ValueError(msg)
    return absolute


def file(text: str) -> Path:
    """Return the absolute path of an existing file."""
    absolute = path(text)
    if not absolute.is_file():
        msg = f"{absolute} is not a file"
        raise ValueError(msg)
    return absolute


def manifest(text: str) -> Path:
    """Return the absolute path of a ``Cargo.toml``; a folder stands for the one in it."""
    absolute = path(text)
    found = absolute / "Cargo.toml" if absolute.is_dir() else absolute
    if not found.is_file() or found.suffix != ".toml":
        msg = f"{found} is not a Cargo.toml"
        raise ValueError(msg)
    return found


def seconds(text: str) -> float:
    """Return a duration in seconds, above 0 and up to a week."""
    try:
        duration = float(text)
    except ValueError:
        duration = 0.0
    if not 0 < duration <= _WEEK:
        msg = f"a number of seconds above 0 and up to a week is needed, not {text!r}"
        raise ValueError(msg)
    return duration


def mebibytes(text: str) -> int:
    """Return a memory limit in MiB, 0 for no limit."""
    if not text.isdecimal() or int(text) > _PEBIBYTE:
        msg = f"a whole number of MiB up to {_PEBIBYTE} is needed (0 for no limit), not {text!r}"
        raise ValueError(msg)
    return int(text)


def disk_size(text: str) -> int:
    """Return bytes, in binary units, such as ``20G`` or ``500M``; 0 for no limit."""
    found = re.fullmatch(r"(\d{1,6})([MGT])", text.strip().upper(), re.ASCII)
    if text.strip() == "0":
        return 0
    if found is None:
        msg = f"a size such as 20G, 500M or 1T is needed (0 for no limit), not {text!r}"
        raise ValueError(msg)
    return int(found[1]) << {"M": 20, "G": 30, "T": 40}[found[2]]


class Sandbox(StrEnum):
    """Whether programs that a model made are confined, see `burn_verify.system.sandbox`."""

    AUTO = "auto"
    """Where the system can."""
    ON = "on"
    """A system that cannot is an error."""
    OFF = "off"


def sandbox(text: str) -> Sandbox:
    """Return whether programs are to be confined."""
    try:
        return Sandbox(text.strip().lower())
    except ValueError:
        message = f"{text!r} is none of {', '.join(Sandbox)}"
        raise ValueError(message) from None


def mode(text: str) -> JudgeMode:
    """Return a mode of the judge."""
    if text.lower() not in list(JudgeMode):
        msg = f"{', '.join(JudgeMode)} are known, not {text!r}"
        raise ValueError(msg)
    return JudgeMode(text.lower())


def count(text: str) -> int:
    """Return a whole number from 0."""
    if not text.isdecimal() or int(text) >= _PEBIBYTE:
        msg = f"a whole number is needed, not {text!r}"
        raise ValueError(msg)
    return int(text)


def thread_count(text: str) -> int:
    """Return a number of threads from 1."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_THREADS:
        msg = f"a whole number from 1 to {_MOST_THREADS} is needed, not {text!r}"
        raise ValueError(msg)
    return int(text)


def sample(text: str) -> str:
    """Return the name of a sample."""
    if not text.strip():
        msg = "the name of a sample is needed"
        raise ValueError(msg)
    return text.strip()


def place(text: str) -> Path:
    """Return the absolute path of a file or folder."""
    found = path(text)
    if not found.exists():
        msg = f"{text}: no such file or folder"
        raise ValueError(msg)
    return found


TASKS: Final = ("classification", "detection", "similarity", "regression")
"""The tasks that are built in."""


def task(text: str) -> str:
    """Return a task: one that is built in, or ``module:function``."""
    if text not in TASKS and not (":" in text and all(text.rpartition(":")[::2])):
        msg = f"{', '.join(TASKS)} or module:function is needed, not {text!r}"
        raise ValueError(msg)
    return text


def drops(text: str) -> tuple[str, ...]:
    """Return the texts of metrics and by how much each may be worse, ``ap=0.01``, by lines or commas."""
    parts = tuple(part.strip() for part in text.replace("\n", ",").split(","))
    names = [drop(part)[0] for part in parts]
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        msg = f"{twice[0]} is given twice"
        raise ValueError(msg)
    return parts


def drop(text: str) -> tuple[str, float]:
    """Return a metric in lower case, and by how much it may be worse."""
    name, _, value = (one.strip() for one in text.partition("="))
    try:
        limit = float(value)
    except ValueError:
        limit = -1.0
    if not name or not 0 <= limit < float("inf"):
        msg = f"METRIC=X with a number from 0 is needed, such as ap=0.01, not {text!r}"
        raise ValueError(msg)
    return name.lower(), limit


def profile(text: str) -> str:
    """Return an ops profile: how many graphs are generated for an operator."""
    profiles = ("quick", "nightly", "full")
    if text.lower() not in profiles:
        msg = f"{' or '.join(profiles)} is needed, not {text!r}"
        raise ValueError(msg)
    return text.lower()


def switch(text: str) -> bool:
    """Return True for ``on`` and its synonyms, False for ``off`` and its synonyms."""
    words = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if text.lower() not in words:
        msg = f"on or off is needed, not {text!r}"
        raise ValueError(msg)
    return words[text.lower()]


def beside(text: str) -> tuple[bool, ...]:
    """Return False for ``off``; for ``on`` both, since it is shown beside what is as it is."""
    return (False, True) if switch(text) else (False,)


def part(text: str) -> tuple[int, int]:
    """Return I and N of ``I/N``: one shard of N, counted from 1."""
    index, slash, of = text.partition("/")
    if not (slash and index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of)):
        msg = f"I/N is needed, such as 1/4 to 4/4, not {text!r}"
        raise ValueError(msg)
    return int(index), int(of)


def _one_of(known: tuple[str, ...], text: str) -> str:
    if text.lower() not in known:
        msg = f"{', '.join(known)} are known, not {text!r}"
        raise ValueError(msg)
    return text.lower()


def _parts(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
