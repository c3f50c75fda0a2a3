"""Writes the crate of a verified model: once, into a folder that is not there yet."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from burn_verify import __version__
from burn_verify.cases.external import external_files
from burn_verify.core.errors import CommandFailed, StoreError, UsageError
from burn_verify.ship.crate import DEPENDENCIES, Contents, Load, files_of
from burn_verify.ship.face import RUST_WORDS, face_of, portable
from burn_verify.ship.golden import golden_of
from burn_verify.ship.proven import Proven
from burn_verify.system.process import output_of

_TAKEN: Final = frozenset(("alloc", "core", "proc-macro", "std", "test")) | DEPENDENCIES
"""Names of crates that this one cannot have: those of Rust itself, and those that it depends on."""


def require_absent(folder: Path) -> None:
    """Check that a folder can be made.

    Raises:
        UsageError: something is there.
    """
    if os.path.lexists(folder):
        message = f"{folder} is there already, and nothing is overwritten: name another place, or remove it"
        raise UsageError(message)


def crate_name(folder: Path) -> str:
    """Return the name of a crate for a folder, as cargo takes it."""
    name = re.sub(r"[^0-9a-z_]+", "-", folder.absolute().name.lower()).strip("-_") or "model"
    name = name if name[0].isalpha() else f"model-{name}"
    return f"{name}-model" if _in_rust(name) in {_in_rust(taken) for taken in _TAKEN | RUST_WORDS} else name


def _in_rust(name: str) -> str:
    return name.replace("-", "_")


def contents_of(proven: Proven, name: str, load: Load, *, pregenerated: bool) -> Contents:
    """Return what the crate of a verified model is made of.

    Raises:
        ConvertError: the generated code cannot be called in the terms of the graph.
        OracleError: the reference is not in the cache any more.
    """
    import onnx

    ready = proven.ready
    prepared, model = ready.prepared, ready.built.model
    generated = model.rust.read_text(encoding="utf-8")
    described = onnx.load(prepared.model, load_external_data=False)
    files = {"model.onnx": prepared.model.read_bytes()}
    files |= {file.location: file.path.read_bytes() for file in external_files(described, prepared.model)}
    return Contents(
        name=name,
        title=" ".join(prepared.case.id.split()),  # it goes into a comment
        target=ready.built.target,
        load=load,
        face=face_of(generated, prepared.inputs, prepared.outputs),
        generated=portable(generated),
        weights=model.loaded.read_bytes(),
        full_weights=model.weights.read_bytes(),
        model={} if pregenerated else files,
        golden=golden_of(ready, proven.outputs, proven.judge, proven.moves),
        about={
            **proven.about,
            "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "with": f"burn-verify {__version__}",
        },
    )


def write(folder: Path, contents: Contents) -> Path:
    """Write the crate; where that fails, nothing is left.

    Raises:
        UsageError: the folder is there.
        StoreError: it cannot be written.
    """
    return write_files(folder, files_of(contents))


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a folder with a crate in it, all of it or nothing.

    Arguments:
        files: contents by relative path.

    Raises:
        UsageError: the folder is there.
        StoreError: it cannot be written.
    """
    require_absent(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write_files(made, files)
            _prune_lock(made)
            made.chmod(0o755)
            require_absent(folder)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}"
        raise StoreError(message) from error
    return folder


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _prune_lock(folder: Path) -> None:
    """Have cargo take out of the lock file what the crate does not need; cargo does so anyway when it builds."""
    manifest = str(folder / "Cargo.toml")
    try:
        output_of(["cargo", "metadata", "--offline", "--format-version=1", f"--manifest-path={manifest}"])
    except CommandFailed:
        return
