"""A compiled Burn as one archive, keyed by its content: packed on one machine, unpacked on others.

The archive holds what cargo made for one workspace, each file once, with digest and time, since cargo goes by times.
The sources of the crates are not in it; cargo fetches them where it needs them. Compiles nothing.
"""

import contextlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import zstandard

from burn_verify.burn.disk import compiled
from burn_verify.burn.recipe import Recipe
from burn_verify.burn.workspace import Workspace
from burn_verify.core import versions
from burn_verify.core.errors import StoreError, ToolchainError, UsageError
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, sha256_of, written_atomically

SUFFIX: Final = ".tar.zst"
_FORMAT: Final = 1
_CONTENT: Final = "toolchain.json"
_LEVEL: Final = 3
_BLOCK: Final = 1 << 20
_MOST_LISTED: Final = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One archive.

    Attributes:
        path: of the archive.
        title: what it holds: ``Burn 0.22.1 for flex``.
        files: how many files.
        size: bytes of the archive.
        content: bytes of what it holds.
    """

    path: Path
    title: str
    files: int
    size: int
    content: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One file of the archive, under all of its names: cargo makes hard links.

    Attributes:
        names: below the folder of the version.
    """

    names: tuple[str, ...]
    sha256: str
    size: int
    mtime_ns: int
    mode: int


def name_of(workspace: Workspace) -> str:
    """Return the name of the archive of a workspace: what decides its content decides its name."""
    version = workspace.folder.parent.name
    return f"{version}-{workspace.recipe.name}-{workspace.fingerprint[:16]}{SUFFIX}"


def pack(workspace: Workspace, cache: Cache, path: Path, listen: Listener = silent) -> Packed:
    """Write a compiled workspace as an archive; it must be compiled.

    Raises:
        ToolchainError: it is not compiled.
        StoreError: the archive cannot be written.
    """
    with cache.lock(workspace.lock, workspace.waiting):
        note = workspace.ready
        if note is None:
            message = f"{workspace.recipe.title} is not compiled"
            raise ToolchainError(message)
        version = workspace.folder.parent
        entries = list(_entries(version, compiled(workspace.folder)))
        about = {
            "format": _FORMAT,
            "title": note["title"],
            "burn": workspace.recipe.version.burn,
            "backends": list(workspace.recipe.backends),
            "fingerprint": workspace.fingerprint,
            "rustc": note["rustc"],
            "files": [[list(one.names), one.sha256, one.size, one.mtime_ns, one.mode] for one in entries],
        }
        try:
            with written_atomically(path) as file:
                _write(file, about, version, entries, listen)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise StoreError(message) from error
    content = sum(one.size for one in entries)
    return Packed(path=path, title=note["title"], files=len(entries), size=path.stat().st_size, content=content)


def unpack(path: Path, cache: Cache, listen: Listener = silent) -> Packed:
    """Put an archive into the cache, unless what it holds is there already; nothing is there before all is checked.

    Raises:
        UsageError: it is damaged, is something else, or was made with another rustc or burn-verify.
    """
    try:
        with path.open("rb") as file, _opened(file) as archive:
            about, entries = _about(archive, path)
            recipe = Recipe(version=versions.resolve(about["burn"]), backends=tuple(about["backends"]))
            workspace = Workspace(cache, listen, recipe)
            if workspace.fingerprint != about["fingerprint"]:
                message = (
                    f"{path} holds {about['title']} compiled by {about['rustc']}: it is of no use to another rustc or "
                    "burn-verify, so pack it again with those of this machine"
                )
                raise UsageError(message)
            with cache.lock(workspace.lock, workspace.waiting):
                if workspace.ready is None:
                    _place(archive, entries, workspace.folder.parent, cache, path, listen)
    except (
        tarfile.TarError,
        zstandard.ZstdError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise _damaged(path, str(error).partition("\n")[0]) from None
    except OSError as error:
        message = f"{path} cannot be unpacked: {error.strerror or error}"
        raise UsageError(message) from error
    content = sum(one.size for one in entries)
    return Packed(path=path, title=about["title"], files=len(entries), size=path.stat().st_size, content=content)


def _entries(version: Path, files: Iterable[Path]) -> Iterator[_Entry]:
    """Yield every file once, with all of its names."""
    names: dict[tuple[int, int], list[Path]] = {}
    for path in sorted(files):
        found = path.stat()
        names.setdefault((found.st_dev, found.st_ino), []).append(path)
    for some in names.values():
        found = some[0].stat()
        yield _Entry(
            names=tuple(path.relative_to(version).as_posix() for path in some),
            sha256=sha256_of(some[0]),
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            mode=found.st_mode & 0o777,
        )


def _write(
    file: IO[bytes], about: Mapping[str, Any], version: Path, entries: Sequence[_Entry], listen: Listener
) -> None:
    with (
        zstandard.ZstdCompressor(level=_LEVEL, threads=-1).stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        said = json.dumps({**about, "digest": digest(about)}).encode()
        listed = tarfile.TarInfo(_CONTENT)
        listed.size = len(said)
        archive.addfile(listed, io.BytesIO(said))
        for done, entry in enumerate(entries):
            listen(Progress(phase="pack", done=done, total=len(entries), text=entry.names[0]))
            member = tarfile.TarInfo(entry.sha256)
            member.size = entry.size
            with (version / entry.names[0]).open("rb") as content:
                archive.addfile(member, content)


def digest(about: Mapping[str, Any]) -> str:
    """Return the digest of an archive's list, which is a field of it."""
    return digest_of(json.dumps({key: value for key, value in about.items() if key != "digest"}, sort_keys=True))


@contextlib.contextmanager
def _opened(file: IO[bytes]) -> Iterator[tarfile.TarFile]:
    with (
        zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        yield archive


def _about(archive: tarfile.TarFile, path: Path) -> tuple[Mapping[str, Any], list[_Entry]]:
    """Read the list of an archive.

    Raises:
        UsageError: it is not the archive of a toolchain, or of another format.
    """
    member = archive.next()
    listed = None if member is None or member.name != _CONTENT else archive.extractfile(member)
    if member is None or listed is None or member.size > _MOST_LISTED:
        message = f"{path} is not an archive of 'burn-verify toolchain pack'"
        raise UsageError(message)
    about = json.loads(listed.read())
    if about.get("format") != _FORMAT:
        message = f"{path} is of format {about.get('format')!r}, and this burn-verify reads {_FORMAT}: pack it again"
        raise UsageError(message)
    if about["digest"] != digest(about):
        raise _damaged(path, "its list was changed")
    entries = [
        _Entry(names=tuple(names), sha256=sha256, size=size, mtime_ns=mtime, mode=mode)
        for names, sha256, size, mtime, mode in about["files"]
    ]
    for name in (name for entry in entries for name in entry.names):
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise _damaged(path, f"{name} lies outside of it")
    return about, entries


def _place(
    archive: tarfile.TarFile, entries: Sequence[_Entry], version: Path, cache: Cache, path: Path, listen: Listener
) -> None:
    """Write and check all files, then move them to their places; the note that the build is complete comes last."""
    with cache.scratch("unpacking") as scratch:
        for done, entry in enumerate(entries):
            listen(Progress(phase="unpack", done=done, total=len(entries), text=entry.names[0]))
            member = archive.next()
            content = None if member is None or member.name != entry.sha256 else archive.extractfile(member)
            if content is None:
                raise _damaged(path, f"{entry.names[0]} is missing")
            first = scratch / entry.names[0]
            first.parent.mkdir(parents=True, exist_ok=True)
            with first.open("wb") as file:
                shutil.copyfileobj(content, file, _BLOCK)
            if sha256_of(first) != entry.sha256:
                raise _damaged(path, f"{entry.names[0]} has another sha256 than it had")
            first.chmod(entry.mode)
            os.utime(first, ns=(entry.mtime_ns, entry.mtime_ns))
        pairs = [(name, entry.names[0]) for entry in entries for name in entry.names]
        for name, written in sorted(pairs, key=lambda pair: (pair[0].endswith("ready.json"), pair[0] == pair[1])):
            _move(scratch / written, version / name, last=name == written)


def _move(source: Path, target: Path, *, last: bool) -> None:
    """Move a file to its place, or make a hard link where it has further names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if last:
        source.replace(target)
        return
    target.unlink(missing_ok=True)
    os.link(source, target)


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} is damaged: {why}; nothing was unpacked")
