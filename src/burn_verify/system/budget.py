"""The size limit of reproducible content in the cache; the least recently used entries are deleted first.

Depends on the folders, not on their content. Entries used since the start of the oldest active run are kept.
"""

import contextlib
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from burn_verify.system import files
from burn_verify.system.cache import Cache, is_alive

KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reference": "answers of ONNX Runtime",
        "measured": "what is measured of these answers",
        "verdicts": "which further values agree",
        "forecast": "forecasts of models",
        "converted": "models converted to Rust",
        "binaries": "compiled batches of models",
        "release": "models compiled as release builds",
        "conformance": "ONNX's own test cases",
        "generated": "generated graphs",
        "seeded": "stand-ins with random weights",
        "models": "models given in memory",
        "samples": "data of one's own, one sample of each run",
        "unpacked": "models unpacked or copied with their data",
        "zoo": "downloaded models",
    }
)
"""Folders of the cache whose entries are made or downloaded again when needed, with the kind of their content."""

_BY_STATE: Final = frozenset({"reference", "measured", "seeded", "verdicts", "forecast"})
# Folders with one subfolder for each state of the code, see `Cache.generation`, and many entries in each.

DOWNLOADED: Final = "zoo"
"""The folder of downloads: deleted only on request, since they need the network, which may be unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A unit of deletion: a folder, or a file and its seal.

    Attributes:
        used: time of creation or last use (seconds since the epoch).
    """

    paths: tuple[Path, ...]
    size: int
    used: float


def entries(cache: Cache, folder: str) -> list[Entry]:
    """Return the entries of a folder of `KEPT`."""
    root = cache.root / folder
    grouped: dict[tuple[Path, str], list[Path]] = {}
    with contextlib.suppress(OSError):
        for path in root.glob("*/*") if folder in _BY_STATE else root.iterdir():
            name = path.name if path.is_dir() else path.name.partition(".")[0]
            grouped.setdefault((path.parent, name), []).append(path)
    return [_entry(paths) for paths in grouped.values()]


def trim(cache: Cache, budget: int) -> int:
    """Delete the least recently used entries until the rest is within a budget (bytes); return the freed bytes.

    Downloads count towards the budget, and are not deleted.
    """
    known = [(name, entry) for name in KEPT for entry in entries(cache, name)]
    over = sum(entry.size for _, entry in known) - budget
    freed = 0
    oldest_first = sorted((entry for name, entry in known if name != DOWNLOADED), key=lambda entry: entry.used)
    since = _running_since(cache)
    for entry in oldest_first:
        if freed >= over or entry.used >= since:
            break
        freed += delete([entry])
    return freed


def idle(cache: Cache, some: Iterable[Entry]) -> list[Entry]:
    """Return the entries that no active run needs."""
    since = _running_since(cache)
    return [entry for entry in some if entry.used < since]


def delete(some: Iterable[Entry]) -> int:
    """Delete entries; return the freed bytes."""
    freed = 0
    for entry in some:
        for path in entry.paths:
            files.delete(path)
        freed += 0 if any(path.exists() for path in entry.paths) else entry.size
    return freed


def _entry(paths: Iterable[Path]) -> Entry:
    found = tuple(paths)
    stats = []
    for path in (below for one in found for below in (one, *(one.rglob("*") if one.is_dir() else ()))):
        with contextlib.suppress(OSError):
            stats.append(path.lstat())
    size = sum(one.st_size for one in stats if not stat.S_ISDIR(one.st_mode))
    return Entry(paths=found, size=size, used=max((one.st_mtime for one in stats), default=0.0))


def _running_since(cache: Cache) -> float:
    """Return the start (seconds since the epoch) of the oldest active run; the current time where there is none."""
    began = [time.time()]
    for path in (cache.root / "runs").glob("*-*-*"):
        stamp, _, pid = path.name.rpartition("-")
        with contextlib.suppress(ValueError, OverflowError):
            if is_alive(int(pid)):
                began.append(time.mktime(time.strptime(stamp, "%Y%m%d-%H%M%S")))
    return min(began)
