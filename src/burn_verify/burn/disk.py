"""What Burn and compiled models take on disk, by what needs it, and how to get it back.

Deletes only what `free` is told to; whatever is deleted is made again when it is needed.
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
# The folders of cargo's target folder whose entries carry the hash of a unit.
_BY_UNIT: Final = ("deps", "build", ".fingerprint")


class Kind(StrEnum):
    """What something on disk is for."""

    TARGET = "target"
    """A workspace: Burn for a version, a set of backends and checkouts."""
    MODELS = "models"
    """Generated crates of a version, compiled; each takes milliseconds a model to make again."""
    LEFTOVERS = "leftovers"
    """What no workspace of a version needs any more: of an older burn-verify, or of an older compiler."""
    KEPT = "kept"
    """What was found out or made of models, by what it is; made again when it is needed, or downloaded."""
    CHECKOUT = "checkout"
    """A revision of a local clone, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A part of the disk.

    Attributes:
        name: for people: ``Burn 0.22.1 for flex and wgpu``.
        folder: of the workspace, of the version, of the checkout, or of what is kept.
        own: bytes that are free once this is deleted.
        shared: bytes that it needs and something else needs as well.
        used: when (seconds since the epoch) it was last built or used.
    """

    kind: Kind
    name: str
    folder: Path
    own: int
    shared: int
    used: float


def usages(cache: Cache) -> tuple[Usage, ...]:
    """Return what is on disk, by version and kind."""
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
    """Delete something; return how many bytes are free now that were not before.

    Waits for other runs that build with this version of Burn. What a run that goes on has used is kept.
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
    """Yield what cargo made, by file or by folder of a unit."""
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
    """Return the bytes below a path; one that is gone, or points elsewhere, has none."""
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
