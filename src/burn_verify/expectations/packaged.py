"""The packaged files of expected failures, by target, and how they inherit from one another.

A file may name another one from which it inherits; then it holds only the differences. Matching is in `match`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from burn_verify.core.errors import UsageError
from burn_verify.core.target import Target
from burn_verify.expectations.match import Expectation, inherited_by, parse

PACKAGED: Final = Path(__file__).parents[1] / "data" / "expectations"
"""The folder of the packaged files."""

_DEFAULT_BACKEND: Final = "flex"


def file_of(target: Target) -> Path:
    """Return the path of the packaged file of a target, from ``major.minor`` of its version; it need not exist."""
    return PACKAGED / f"{_series(target)}-{target.backend}.toml"


def parent_of(target: Target) -> str | None:
    """Return the name of the file from which a new file of a target inherits, None where there is none.

    It is that of the default backend, else that of the version before, else that of the version after.
    """
    if target.backend != _DEFAULT_BACKEND:
        near = [f"{_series(target)}-{_DEFAULT_BACKEND}"]
    else:
        known = sorted((path.stem for path in PACKAGED.glob(f"*-{_DEFAULT_BACKEND}.toml")), key=_order)
        mine = _order(file_of(target).stem)
        older = [name for name in reversed(known) if _order(name) < mine]
        near = [*older, *(name for name in known if _order(name) > mine)]
    return next((name for name in near if _may_be_inherited(name, file_of(target).stem)), None)


def rank_of(target: Target) -> tuple[bool, tuple[int, ...], str]:
    """Return a sort key that puts a target after those from which its file may inherit."""
    return target.backend != _DEFAULT_BACKEND, _order(_series(target)), target.backend


def load(target: Target) -> tuple[Expectation, ...]:
    """Read the expectations of a target, inherited ones first; empty if there is no file.

    A backend without a file of its own has the expectations of the default backend. With hooks nothing is expected,
    since they change what fails.
    """
    if target.hooks is not None:
        return ()
    own = file_of(target)
    if not own.is_file():
        parent = parent_of(target) if target.backend != _DEFAULT_BACKEND else None
        return () if parent is None else tuple(_chain(PACKAGED / f"{parent}.toml", ()))
    return tuple(_chain(own, ()))


def inherited(text: str, source: str) -> tuple[Expectation, ...]:
    """Return the expectations that the text of a file inherits; empty where it names no other file.

    Raises:
        UsageError: there is no such file, or it inherits from itself.
    """
    parent = inherited_by(text, source)
    return () if parent is None else tuple(_chain(PACKAGED / f"{parent}.toml", (source,)))


def _may_be_inherited(name: str, by: str) -> bool:
    path = PACKAGED / f"{name}.toml"
    return path.is_file() and inherited_by(path.read_text(encoding="utf-8"), path.name) != by


def _chain(path: Path, below: tuple[str, ...]) -> Iterator[Expectation]:
    if path.name in below:
        message = f"{path.name} inherits from itself, by {' and '.join(below)}"
        raise UsageError(message)
    if not path.is_file():
        message = f"{below[-1]}: it inherits from {path.stem!r}, and there is no {path}"
        raise UsageError(message)
    text = path.read_text(encoding="utf-8")
    parent = inherited_by(text, path.name)
    if parent is not None:
        yield from _chain(PACKAGED / f"{parent}.toml", (*below, path.name))
    yield from parse(text, path.name)


def _series(target: Target) -> str:
    return ".".join(target.burn.split(".")[:2])


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in name.partition("-")[0].split("."))
