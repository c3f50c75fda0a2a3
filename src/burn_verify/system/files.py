"""Digests of content, and atomic writing of files."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


def digest_of(*parts: str | bytes) -> str:
    """Return the sha256 (hex) over parts of text or bytes; the digest depends on the boundaries of the parts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the sha256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file atomically unless it already has this content; return whether it was written.

    Cargo decides by modification times what to recompile, so an unneeded write costs minutes.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(path) as scratch:
        scratch.write_bytes(data)
        scratch.chmod(0o644)
    return True


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_if_changed(path, json.dumps(value, indent=1, sort_keys=True))


def read_json(path: Path) -> Any | None:
    """Return the value of a JSON file, None where it is missing or invalid."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def copy_atomically(source: Path, target: Path) -> None:
    """Copy a file atomically, with its mode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(target) as scratch:
        shutil.copy2(source, scratch)


def link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link to a file, or a copy with its times where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def delete(path: Path) -> None:
    """Delete a file, a link or a folder; what cannot be deleted stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a file whose content takes the place of `path` at the end of the block; nothing is left where it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(path) as scratch:
        with scratch.open("wb") as file:
            yield file
        scratch.chmod(0o644)


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Yield a temporary file that is renamed to `path`; delete it where the block fails, as on a full disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
