"""Disk usage of Burn and compiled models by purpose, and its deletion.

Only `free` deletes, and only what it is given. Whatever is deleted is made again when it is needed.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from burn_verify.system import budget
from burn_verify.system.cache import Cache
from burn_verify.system.files import read_json

_UNIT: Final = re.compile(r"-([0-9a-f]{16})(?=\.|$)")
_GENERATED: Final = re.compile(r"(lib)?(g|batch)_[0-9a-f]{16}\b")
# Subfolders of cargo's target folder in which the names of the entries contain the hash of a unit.
_BY_UNIT: Final = ("deps", "build", ".fingerprint")


class Kind(StrEnum):
    """The purpose of files on disk."""

    TARGET = "target"
    """A workspace: Burn for a version, a set of backends and checkouts."""
    MODELS = "models"
    """Compiled generated crates of a version; compiling them again takes milliseconds per model."""
    LEFTOVERS = "leftovers"
    """Files that no workspace of a version needs any more: of an older burn-verify, or of an older compiler."""
    KEPT = "kept"
    """Cached results for models, by kind; computed or downloaded again when they are needed."""
    CHECKOUT = "checkout"
    """A revision of a local clone, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Disk usage of one entry.

    Attributes:
        name: display name: ``Burn 0.22.1 for flex and wgpu``.
        folder: folder of the workspace, of the version, of the checkout, or of the cached results.
        own: bytes that deleting this entry frees.
        shared: bytes that this entry shares with other entries.
        used: time (seconds since the epoch) of the last build or use.
    """

    kind: Kind
    name: str
    folder: Path
    own: int
    shared: int
    used: float


def usages(cache: Cache) -> tuple[Usage, ...]:
    """Return the disk usage by version and kind."""
    found = [usage for folder in _folders(cache.root, "burn-") for usage in _version(folder)]
    for folder in _folders(cache.root / "checkouts", "burn"):
        size, used = _size(folder), folder.stat().st_mtime
        found.append(Usage(kind=Kind.CHECKOUT, name=folder.name, folder=folder, own=size, shared=0, used=used))
    for name, words in budget.KEPT.items():
        if some := budget.entries(cache, name):
            size, used = sum(entry.size for entry in some), max(entry.used for entry in some)
            folder = cache.root / name
            found.append(Usage(kind=Kind.KEPT, name=words, folder=folder, own=size, shared=0, used=used))
    return tuple(found)


def free(cache: Cache, usage: Usage) -> int:
    """Delete an entry and return the number of bytes that this freed.

    Waits for other runs that build with this version of Burn. Cached results that a running process has used are kept.
    """
    if usage.kind is Kind.KEPT:
        return budget.delete(budget.idle(cache, budget.entries(cache, usage.folder.name)))
    if usage.kind is Kind.CHECKOUT:
        return _removed([usage.folder])
    version = usage.folder.parent if usage.kind is Kind.TARGET else usage.folder
    with cache.lock(f"cargo-{version.name.removeprefix('burn-')}"):
        freed = 0
        if usage.kind is Kind.TARGET:
            before = _needed(version)
            freed += _removed([usage.folder])
            doomed = before - _needed(version)
            freed += _removed(path for path in _entries(version) if _unit(path) in doomed and not _is_generated(path))
        elif usage.kind is Kind.LEFTOVERS:
            freed += _removed(_leftovers(version))
        else:
            freed += _removed(_models(version))
        if not _workspaces(version):
            freed += _removed([version])
        return freed


def _version(version: Path) -> Iterator[Usage]:
    sizes: dict[str, int] = {}
    for path in _entries(version):
        if not _is_generated(path) and (unit := _unit(path)):
            sizes[unit] = sizes.get(unit, 0) + _size(path)
    for workspace in _workspaces(version):
        units = _units(workspace)
        others = _needed(version, but=workspace)
        yield Usage(
            kind=Kind.TARGET,
            name=_title(workspace),
            folder=workspace,
            own=_size(workspace) + sum(sizes.get(unit, 0) for unit in units - others),
            shared=sum(sizes.get(unit, 0) for unit in units & others),
            used=max((path.stat().st_mtime for path in workspace.iterdir()), default=0.0),
        )
    number, used = version.name.removeprefix("burn-"), version.stat().st_mtime
    parts = {
        Kind.MODELS: (f"models compiled with Burn {number}", _models(version)),
        Kind.LEFTOVERS: (f"what nothing needs any more of Burn {number}", _leftovers(version)),
    }
    for kind, (name, paths) in parts.items():
        if size := sum(map(_size, paths)):
            yield Usage(kind=kind, name=name, folder=version, own=size, shared=0, used=used)


def _models(version: Path) -> list[Path]:
    kept = [path for workspace in _workspaces(version) for path in _generated_sources(workspace)]
    return [path for path in _entries(version) if _is_generated(path)] + kept


def _generated_sources(workspace: Path) -> list[Path]:
    paths = [workspace / "groups.json", workspace / "workspace" / "generated"]
    return [path for path in paths if path.exists()]


def _leftovers(version: Path) -> list[Path]:
    needed = _needed(version)
    workspaces = {path.name for path in _workspaces(version)}
    strays = [path for path in version.iterdir() if path.name not in workspaces | {"target"}]
    return strays + [path for path in _entries(version) if not _is_generated(path) and _unit(path) not in needed]


def _entries(version: Path) -> Iterator[Path]:
    """Yield the files and folders that cargo made, each of one unit."""
    for profile in _folders(version / "target", ""):
        for name in _BY_UNIT:
            if (profile / name).is_dir():
                yield from (profile / name).iterdir()


def _workspaces(version: Path) -> list[Path]:
    return [folder for folder in _folders(version, "") if (folder / "units.json").is_file()]


def _needed(version: Path, but: Path | None = None) -> frozenset[str]:
    return frozenset().union(*(_units(workspace) for workspace in _workspaces(version) if workspace != but))


def _units(workspace: Path) -> frozenset[str]:
    return frozenset(read_json(workspace / "units.json") or ())


def _title(workspace: Path) -> str:
    note = read_json(workspace / "ready.json")
    return str(note["title"]) if note else f"{workspace.parent.name} {workspace.name}, not complete"


def _unit(path: Path) -> str:
    found = _UNIT.search(path.name)
    return found[1] if found else ""


def _is_generated(path: Path) -> bool:
    return _GENERATED.match(path.name) is not None


def _folders(folder: Path, prefix: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.startswith(prefix))


def _size(path: Path) -> int:
    """Return the bytes below a path; 0 for a path that does not exist. Symbolic links are not followed."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(_size(Path(entry.path)) for entry in os.scandir(path))
    except OSError:
        return 0


def _removed(paths: Collection[Path] | Iterator[Path]) -> int:
    freed = 0
    for path in list(paths):
        size = _size(path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        freed += size - _size(path) if path.exists() else size
    return freed
