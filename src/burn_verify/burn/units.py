"""The compilation units in a target folder of cargo, by the hash in the names of their files.

Knows cargo's layout and no models. `disk` measures and deletes units, `workspace` takes them to another target folder.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from burn_verify.system.files import link_or_copy, read_json

LINKING: Final = "linking"
"""Name of the cache folder for copies of workspaces in which crates of a busy workspace are linked."""

_UNIT: Final = re.compile(r"-([0-9a-f]{16})(?=\.|$)")
_LIBRARIES: Final = (".rlib", ".rmeta", ".so", ".dylib")
_GENERATED: Final = re.compile(r"(lib)?((?:g|batch)_[0-9a-f]{16})\b")
# Subfolders of cargo's target folder in which the names of the entries contain the hash of a unit. What tells that a
# unit is complete comes first: a unit that is taken over while cargo works is complete, or counts as not built.
_BY_UNIT: Final = (".fingerprint", "build", "deps")


def entries(target: Path) -> Iterator[Path]:
    """Yield the files and folders in a target folder that belong to one unit each."""
    for folder in _folders(target):
        yield from folder.iterdir()


def unit_of(path: Path) -> str:
    """Return the hash in a name, empty where it has none."""
    found = _UNIT.search(path.name)
    return found[1] if found else ""


def generated_crate(path: Path) -> str:
    """Return the name of the generated crate that an entry belongs to, empty for other crates."""
    found = _GENERATED.match(path.name)
    return found[2] if found else ""


def units_noted(folder: Path) -> frozenset[str]:
    """Return the units that the workspace in a folder needs, in all profiles; none where a note is damaged."""
    notes = (read_json(note) for note in folder.glob("units*.json"))
    return frozenset(unit for note in notes if isinstance(note, list) for unit in note if isinstance(unit, str))


def libraries(target: Path, profile: str) -> list[Path]:
    """Return what cargo compiled in a profile and links later: libraries and procedural macros."""
    return sorted(path for path in (target / profile / "deps").glob("lib*") if path.suffix in _LIBRARIES)


def forget(libraries: Iterable[Path]) -> None:
    """Make cargo compile units again, given libraries of them."""
    for path in libraries:
        for note in (path.parents[1] / ".fingerprint").glob(f"*-{unit_of(path)}"):
            shutil.rmtree(note, ignore_errors=True)


def take_over(source: Path, target: Path, wanted: Callable[[Path], bool]) -> None:
    """Make a target folder with units of another one, which cargo then need not compile again.

    The folder appears when it is complete. Compiled code is linked, since cargo and rustc replace it as a whole; what
    cargo or a build script may write to is copied.

    Arguments:
        wanted: called with each entry of `entries`.
    """
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for folder in _folders(source):
        place = fresh / folder.relative_to(source)
        place.mkdir(parents=True)
        for path in filter(wanted, folder.iterdir()):
            if path.is_dir():
                shutil.copytree(path, place / path.name, symlinks=True)
            else:
                link_or_copy(path, place / path.name)
    fresh.replace(target)


def _folders(target: Path) -> Iterator[Path]:
    profiles = sorted(path for path in target.iterdir() if path.is_dir()) if target.is_dir() else []
    for profile in profiles:
        yield from (profile / name for name in _BY_UNIT if (profile / name).is_dir())
