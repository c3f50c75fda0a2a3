"""Disk usage of Burn and compiled models by purpose, and its deletion.

Only `free` deletes, and only what it is given. Whatever is deleted is made again when it is needed.
"""

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from burn_verify.burn.codegen import LATENCY, PROFILE
from burn_verify.burn.recipe import lock_name
from burn_verify.burn.units import LINKING, entries, generated_crate, unit_of, units_noted
from burn_verify.system import budget
from burn_verify.system.cache import Cache
from burn_verify.system.files import delete, read_json


class Kind(StrEnum):
    """The purpose of files on disk."""

    TARGET = "target"
    """A workspace: Burn for a version, a set of backends and checkouts."""
    MODELS = "models"
    """Compiled generated crates of a version; compiling them again takes milliseconds per model."""
    LEFTOVERS = "leftovers"
    """Files that nothing needs any more: of an older burn-verify, an older compiler, or of runs that were killed."""
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
        shared: bytes that this entry needs and deleting it does not free, since other entries need them.
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
        size, used = _freed_by([folder]), folder.stat().st_mtime
        found.append(Usage(kind=Kind.CHECKOUT, name=folder.name, folder=folder, own=size, shared=0, used=used))
    if some_left := cache.abandoned(LINKING):
        folder = cache.root / LINKING
        size, used, name = _freed_by(some_left), folder.stat().st_mtime, "what runs that were killed left"
        found.append(Usage(kind=Kind.LEFTOVERS, name=name, folder=folder, own=size, shared=0, used=used))
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
    if usage.folder == cache.root / LINKING:
        return _removed(cache.abandoned(LINKING))
    version = usage.folder.parent if usage.kind is Kind.TARGET else usage.folder
    with contextlib.ExitStack() as stack:
        for name in sorted(_locks(version)):
            stack.enter_context(cache.lock(name))
        freed = _removed(_doomed(version, usage))
        if not _workspaces(version):
            freed += _removed([version])
        return freed


def _locks(version: Path) -> set[str]:
    """Return the names of the locks of all that is compiled for a version."""
    names = {folder.name for folder in _folders(version, "")} - {"target"}
    return {lock_name(version, name, profile) for name in names for profile in (PROFILE, LATENCY)}


def _doomed(version: Path, usage: Usage) -> list[Path]:
    if usage.kind is Kind.TARGET:
        return _own(version, usage.folder)
    return _leftovers(version) if usage.kind is Kind.LEFTOVERS else _models(version)


def _version(version: Path) -> Iterator[Usage]:
    for workspace in _workspaces(version):
        own = _freed_by(_own(version, workspace))
        yield Usage(
            kind=Kind.TARGET,
            name=_title(workspace),
            folder=workspace,
            own=own,
            shared=_size_of(_all_of(version, workspace)) - own,
            used=max((path.stat().st_mtime for path in workspace.iterdir()), default=0.0),
        )
    number, used = version.name.removeprefix("burn-"), version.stat().st_mtime
    parts = {
        Kind.MODELS: (f"models compiled with Burn {number}", _models(version)),
        Kind.LEFTOVERS: (f"what nothing needs any more of Burn {number}", _leftovers(version)),
    }
    for kind, (name, paths) in parts.items():
        if size := _freed_by(paths):
            yield Usage(kind=kind, name=name, folder=version, own=size, shared=0, used=used)


def compiled(workspace: Path) -> Iterator[Path]:
    """Yield every file of a compiled workspace, the units of the common target folder included, but no models."""
    models = set(_models(workspace.parent))
    for path in _all_of(workspace.parent, workspace):
        yield from _files_but(path, models)


def _files_but(path: Path, left_out: Collection[Path]) -> Iterator[Path]:
    if path in left_out:
        return
    if path.is_dir() and not path.is_symlink():
        for entry in path.iterdir():
            yield from _files_but(entry, left_out)
    elif path.is_file():
        yield path


def _own(version: Path, workspace: Path) -> list[Path]:
    """Return what nothing but a workspace needs: its folder, and units of the version's common target folder."""
    return _all_of(version, workspace, _needed(version, but=workspace))


def _all_of(version: Path, workspace: Path, but: frozenset[str] = frozenset()) -> list[Path]:
    units = _common_units(workspace) - but
    return [workspace, *(path for path in entries(version / "target") if _is_needed(path, units))]


def _models(version: Path) -> list[Path]:
    kept = [path for workspace in _workspaces(version) for path in _generated_sources(workspace)]
    return [path for target in _targets(version) for path in entries(target) if generated_crate(path)] + kept


def _generated_sources(workspace: Path) -> list[Path]:
    own = ("groups.json", "workspace/generated", f"{LATENCY}/workspace/generated")
    return [workspace / name for name in own if (workspace / name).exists()]


def _leftovers(version: Path) -> list[Path]:
    workspaces = _workspaces(version)
    strays = [path for path in version.iterdir() if path not in workspaces and path.name != "target"]
    places = {version / "target": _needed(version), **{one / "target": units_noted(one) for one in workspaces}}
    old = [path for target, units in places.items() for path in entries(target) if not _is_used(path, units)]
    return strays + old


def _is_needed(path: Path, units: frozenset[str]) -> bool:
    return not generated_crate(path) and unit_of(path) in units


def _is_used(path: Path, units: frozenset[str]) -> bool:
    return bool(generated_crate(path)) or unit_of(path) in units


def _targets(version: Path) -> list[Path]:
    return [version / "target", *(workspace / "target" for workspace in _workspaces(version))]


def _workspaces(version: Path) -> list[Path]:
    return [folder for folder in _folders(version, "") if (folder / "units.json").is_file()]


def _needed(version: Path, but: Path | None = None) -> frozenset[str]:
    """Return the units of the common target folder that workspaces need."""
    return frozenset().union(*(_common_units(workspace) for workspace in _workspaces(version) if workspace != but))


def _common_units(workspace: Path) -> frozenset[str]:
    return frozenset() if (workspace / "target").is_dir() else units_noted(workspace)


def _title(workspace: Path) -> str:
    note = read_json(workspace / "ready.json")
    title = note.get("title") if isinstance(note, dict) else None
    return str(title or f"{workspace.parent.name} {workspace.name}, not complete")


def _folders(folder: Path, prefix: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.startswith(prefix))


def _size_of(paths: Iterable[Path]) -> int:
    """Return the bytes below paths; a file with several names counts once."""
    return sum({(one.st_dev, one.st_ino): one.st_size for one in _files(paths)}.values())


def _freed_by(paths: Iterable[Path]) -> int:
    """Return the bytes that deleting paths frees: those of files that have no other name than below the paths."""
    found = list(_files(paths))
    names = Counter((one.st_dev, one.st_ino) for one in found)
    inside = {(one.st_dev, one.st_ino): one.st_size for one in found if names[one.st_dev, one.st_ino] >= one.st_nlink}
    return sum(inside.values())


def _files(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    """Yield the status of each file below paths; symbolic links are not followed."""
    for path in paths:
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode):
                yield from _files(Path(entry.path) for entry in os.scandir(path))
            else:
                yield found


def _removed(paths: Iterable[Path]) -> int:
    """Delete paths and return the number of bytes that this freed."""
    doomed = list(paths)
    size = _freed_by(doomed)
    for path in doomed:
        delete(path)
    return size - _freed_by(doomed)
