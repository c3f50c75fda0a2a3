"""Whether generated Rust can reach what differs between two checkouts of Burn; where it cannot be told, it can.

Goes by crates: a crate whose files are the same on both sides changes nothing, nor does one that no runner is linked
with. burn-nn is reached only by models that name it: burn-onnx writes its layers, no operation on tensors uses them.
"""

import functools
import os
import re
import tomllib
from pathlib import Path
from typing import Final

from burn_verify.burn.checkouts import crates_in
from burn_verify.burn.recipe import packaged_sources
from burn_verify.core.target import Checkout
from burn_verify.system.files import digest_of, sha256_of

_LAYERS: Final = "burn-nn"
_NAMES_LAYERS: Final = re.compile(r"\bnn\b")
_SOURCES: Final = frozenset({"src", "build.rs", "Cargo.toml"})


def may_reach(rust: Path, one: Checkout | None, other: Checkout | None) -> bool:
    """Return whether a generated module may compute otherwise with another checkout of Burn.

    Arguments:
        rust: the generated text.
        one, other: None for the published release, of which nothing is known.
    """
    if one is None or other is None:
        return True
    crates = changed_crates(one, other)
    if crates <= {_LAYERS}:
        return bool(crates) and bool(_NAMES_LAYERS.search(rust.read_text(encoding="utf-8", errors="replace")))
    return True


@functools.lru_cache(maxsize=64)
def changed_crates(one: Checkout, other: Checkout) -> frozenset[str]:
    """Return the names of crates that differ, or are on one side only, of those that a runner may be linked with."""
    before, after = _digests(one.path), _digests(other.path)
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return frozenset(names & _linked())


@functools.lru_cache(maxsize=64)
def _digests(path: Path) -> dict[str, str]:
    # The manifest of the workspace decides versions and features of every crate.
    whole = sha256_of(path / "Cargo.toml")
    return {crate.name: digest_of(whole, _digest(Path(crate.folder))) for crate in crates_in("burn", path)}


def _digest(folder: Path) -> str:
    """Return the digest of what cargo compiles of a crate: neither its tests nor its benchmarks."""
    files = sorted(
        (os.path.relpath(file, folder), file)
        for entry in folder.iterdir()
        if entry.name in _SOURCES
        for file in (entry.rglob("*") if entry.is_dir() else [entry])
        if file.is_file()
    )
    return digest_of(*(part for name, file in files for part in (name, sha256_of(file))))


@functools.lru_cache(maxsize=1)
def _linked() -> frozenset[str]:
    """Return every crate of the pinned lock files: more than any one runner is linked with."""
    locks = (text for name, text in packaged_sources().items() if name.endswith("Cargo.lock"))
    return frozenset(package["name"] for lock in locks for package in tomllib.loads(lock)["package"])
