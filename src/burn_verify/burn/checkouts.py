"""Inspect local checkouts of Burn and burn-onnx: crates, commit and digest of the sources.

Runs git and cargo. Changes no checkout and compiles nothing. A revision is unpacked in the cache.
"""

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.recipe import LocalCrate, Patch, overlaid, packaged_sources, replaced
from burn_verify.core.errors import CommandFailed, UsageError
from burn_verify.core.target import Checkout, Target
from burn_verify.core.versions import built_with, resolve
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of
from burn_verify.system.process import output_of

_OPTIONS: Final = {"burn": "--burn-path", "burn-onnx": "--burn-onnx-path", "hooks": "--burn-hooks"}
_NO_SOURCES: Final = frozenset({"target", ".git"})


def look(cache: Cache, project: str, text: str) -> Checkout:
    """Inspect a folder of sources.

    Arguments:
        project: ``burn``, ``burn-onnx`` or ``hooks``.
        text: a folder, or ``folder@revision``: a revision of a git repository, unpacked in the cache.

    Raises:
        UsageError: there is no such folder or revision, or it is neither a crate nor a workspace of crates.
    """
    folder, revision = _parted(text)
    if not folder.is_dir():
        message = f"{_OPTIONS[project]} {text}: there is no folder {folder}"
        raise UsageError(message)
    if revision:
        return _unpacked(cache, project, folder.resolve(), revision)
    path = folder.resolve()
    crates = crates_in(project, path)
    commit, dirty = _state(project, path)
    return Checkout(
        path=path, commit=commit, dirty=dirty, digest=_digest(path, crates), version=_version(project, crates)
    )


def patches_of(target: Target) -> tuple[Patch, ...]:
    """Return the crates of a target's checkouts that replace crates of the registry.

    Raises:
        UsageError: a checkout has no such crate, or its version is not supported.
    """
    asked = [
        ("burn", target.burn_checkout, partial(resolve, target.burn)),
        ("burn-onnx", target.burn_onnx_checkout, partial(built_with, target.burn_onnx)),
    ]
    patches = []
    for project, checkout, going_with in asked:
        if checkout is None:
            continue
        crates = crates_in(project, checkout.path)
        try:
            version = going_with()
            lock = overlaid(packaged_sources(), version)["Cargo.lock"]
            chosen = replaced(project, crates, lock, version)
        except UsageError as error:
            message = f"{_OPTIONS[project]} {checkout.path}: {error}"
            raise UsageError(message) from error
        patches.append(Patch(project=project, checkout=checkout, crates=chosen))
    return tuple(patches)


def crates_in(project: str, path: Path) -> tuple[LocalCrate, ...]:
    """Return the crates of a folder: its own, or those of its workspace.

    Raises:
        UsageError: cargo finds none.
    """
    found = (
        LocalCrate(name=package["name"], version=package["version"], folder=str(Path(package["manifest_path"]).parent))
        for package in metadata_of(project, path)
    )
    return tuple(sorted(found, key=lambda crate: crate.name))


def _version(project: str, crates: Sequence[LocalCrate]) -> str:
    """Return the version of the crate that a checkout is named after; of the first one where it is not there."""
    named = [crate for crate in crates if crate.name == project]
    return next((crate.version for crate in [*named, *crates]), "")


def metadata_of(project: str, path: Path) -> list[dict[str, Any]]:
    """Return what cargo says of the packages of a folder: its own, or those of its workspace.

    Raises:
        UsageError: cargo finds none.
    """
    manifest = path / "Cargo.toml"
    what = "crate with hooks" if project == "hooks" else f"checkout of {project}"
    no_checkout = f"{_OPTIONS[project]} {path}: this is no {what}"
    if not manifest.is_file():
        message = f"{no_checkout}: it has no Cargo.toml"
        raise UsageError(message)
    # With --no-deps cargo resolves no dependencies, so crates that are not on this machine cause no error.
    arguments = ["--no-deps", "--offline", "--format-version=1", "--manifest-path", str(manifest)]
    try:
        said = output_of(["cargo", "metadata", *arguments])
    except CommandFailed as error:
        message = f"{no_checkout}: cargo cannot read its Cargo.toml: {error.summary}"
        raise UsageError(message) from error
    packages: list[dict[str, Any]] = json.loads(said)["packages"]
    return packages


def _state(project: str, path: Path) -> tuple[str, bool]:
    """Return the commit of a folder and whether it has uncommitted changes; no commit outside of a repository.

    Raises:
        UsageError: the folder is in a repository, and ``git status`` fails.
    """
    try:
        commit = output_of(["git", "-C", str(path), "rev-parse", "HEAD"])
    except CommandFailed:
        return "", False
    try:
        return commit, bool(output_of(["git", "-C", str(path), "status", "--porcelain", "--", "."]))
    except CommandFailed as error:
        message = f"{_OPTIONS[project]} {path}: git does not say whether it was changed: {error.summary}"
        raise UsageError(message) from error


def _parted(text: str) -> tuple[Path, str]:
    whole = Path(text).expanduser()
    folder, sign, revision = text.rpartition("@")
    return (Path(folder).expanduser(), revision) if sign and not whole.exists() else (whole, "")


def _unpacked(cache: Cache, project: str, clone: Path, revision: str) -> Checkout:
    try:
        commit = output_of(["git", "-C", str(clone), "rev-parse", "--verify", f"{revision}^{{commit}}"])
    except CommandFailed as error:
        message = f"{_OPTIONS[project]} {clone}@{revision}: git knows no such revision there: {error.summary}"
        raise UsageError(message) from error
    path = cache.folder("checkouts") / f"{project}-{commit[:12]}"
    with cache.lock(f"checkout-{commit[:12]}"):
        if not path.is_dir():
            _unpack(clone, commit, path)
    crates = crates_in(project, path)
    return Checkout(path=path, commit=commit, digest=_digest(path, crates), version=_version(project, crates))


def _unpack(clone: Path, commit: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as scratch:
        packed, unpacked = Path(scratch) / "sources.tar", Path(scratch) / "sources"
        # The path may be a folder inside the repository, and git archive packs only what is below its working folder.
        try:
            # The output is empty for a bare repository, which has no working tree.
            top = output_of(["git", "-C", str(clone), "rev-parse", "--show-cdup"])
            output_of(["git", "-C", str(clone / top), "archive", "--format=tar", "-o", str(packed), commit])
        except CommandFailed as error:
            message = f"git cannot unpack {commit} of {clone}: {error.summary}"
            raise UsageError(message) from error
        with tarfile.open(packed) as archive:
            archive.extractall(unpacked, filter="data")
        shutil.move(unpacked, path)


def _digest(path: Path, crates: tuple[LocalCrate, ...]) -> str:
    """Return the sha256 (hex) of all files that cargo may read: the crates' folders and the workspace's manifest."""
    inside = {file for crate in crates for file in _files(Path(crate.folder))} | {path / "Cargo.toml"}
    named = sorted((os.path.relpath(file, path), file) for file in inside if file.is_file())
    return digest_of(*(part for name, file in named for part in (name, sha256_of(file))))


def _files(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _NO_SOURCES:
                yield from _files(Path(entry.path))
        else:
            yield Path(entry.path)
