"""Integrity of files in the cache by seals: a damaged file counts as missing, and is made again.

A seal is a note beside files: their sizes, times and digests. Content is read only where size or times differ from
those of the note. Independent of the content.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from burn_verify.system.files import digest_of, read_json, sha256_of, write_if_changed

logger = logging.getLogger("burn_verify")

_FILES: Final = "files"
_OWN: Final = "sha256"


def seal(note: Path, files: Iterable[Path], **about: Any) -> None:
    """Write the seal of files in their current state; the last step of creating them.

    Arguments:
        note: path of the seal, in the folder of the files or above it.
        about: further fields of the seal; JSON values.
    """
    write_note(note, {**about, _FILES: {os.path.relpath(file, note.parent): _entry(file) for file in files}})


def sealed(note: Path) -> Mapping[str, Any] | None:
    """Return the fields of a seal; None where the seal or one of its files is damaged or missing."""
    said = noted(note)
    if said is None:
        return None
    fresh = {name: _checked(note.parent / name, entry) for name, entry in said[_FILES].items()}
    if None in fresh.values():
        bad = ", ".join(name for name, entry in fresh.items() if entry is None)
        logger.info("%s: %s is damaged or missing, and is made again", note.parent, bad)
        return None
    with contextlib.suppress(OSError):  # on a read-only cache the content is checked each time
        if fresh != said[_FILES]:
            write_note(note, {**said, _FILES: fresh})
        os.utime(note)  # the time of last use, see `budget`
    return said


def extend(note: Path, files: Iterable[Path]) -> None:
    """Write the seal of files of which some are in the seal already; only the others are read."""
    said = noted(note) or {_FILES: {}}
    known = {note.parent / name: entry for name, entry in said[_FILES].items()}
    now = {os.path.relpath(file, note.parent): _extended(file, known.get(file)) for file in files}
    write_note(note, {**said, _FILES: now})


def damaged(note: Path) -> list[Path]:
    """Return the files of a seal that are not as they were; none where the seal itself cannot be read."""
    said = noted(note)
    if said is None:
        return []
    fresh = {name: _checked(note.parent / name, entry) for name, entry in said[_FILES].items()}
    with contextlib.suppress(OSError):
        write_note(note, {**said, _FILES: {name: fresh[name] or entry for name, entry in said[_FILES].items()}})
    return [note.parent / name for name, entry in fresh.items() if entry is None]


def keep(path: Path, content: bytes) -> None:
    """Write a file and its own seal."""
    write_if_changed(path, content)
    seal(_seal_of(path), [path])


def is_kept(path: Path) -> bool:
    """Return whether a file exists as `keep` wrote it."""
    return sealed(_seal_of(path)) is not None


def noted(note: Path) -> dict[str, Any] | None:
    """Return the fields of a note; None where there is none, or it is not as it was written."""
    said = read_json(note)
    if not isinstance(said, dict) or said.pop(_OWN, None) != _digest(said):
        return None
    return said


def write_note(note: Path, said: Mapping[str, Any]) -> None:
    """Write a note of JSON values, with a digest of itself: it may hold errors and times that are reported."""
    write_if_changed(note, json.dumps({**said, _OWN: _digest(said)}, sort_keys=True))


def _digest(said: Mapping[str, Any]) -> str:
    return digest_of(json.dumps(said, sort_keys=True))


def _extended(file: Path, known: list[Any] | None) -> list[Any]:
    return known if known is not None and known[:-1] == _stamp(file) else _entry(file)


def _seal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _entry(file: Path) -> list[Any]:
    return [*_stamp(file), sha256_of(file)]


def _checked(file: Path, entry: list[Any]) -> list[Any] | None:
    """Return the current entry of a file, None where its content has changed."""
    try:
        now = _stamp(file)
        if now == entry[:-1]:
            return entry
        return [*now, entry[-1]] if now[0] == entry[0] and sha256_of(file) == entry[-1] else None
    except OSError:
        return None


def _stamp(file: Path) -> list[int]:
    """Return size, mtime and ctime; unlike mtime, ctime cannot be set back."""
    found = file.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
