"""The list of models of a sweep: one path, folder, glob or URL a line; or a folder alone.

Reads the list and the names and sizes of files; opens no model, downloads nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from burn_verify.cases import files
from burn_verify.cases.load import stored_location
from burn_verify.cases.packed import SUFFIXES
from burn_verify.core.case import Case, Download, Hints, ModelFile, Source, Unavailable
from burn_verify.core.errors import UsageError
from burn_verify.system.cache import Cache

_HEX: Final = r"[0-9a-fA-F]{64}"
_AFTER: Final = re.compile(rf"(?P<place>.+?)\s+sha256[:=](?P<sha256>{_HEX})")
_BEFORE: Final = re.compile(rf"(?P<sha256>{_HEX})\s+\*?(?P<place>.+)")
_WEB: Final = ("http", "https")

LEAST: Final = 1 << 20
"""Bytes that every model counts at least: what a run does once for each model, whatever its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line: where the model is, and its hash where the line says it.

    Attributes:
        said: name of the list and number of the line, for messages.
    """

    place: str
    sha256: str | None
    said: str


def read(path: Path, cache: Cache, *, offline: bool = False, hints: Hints = Hints()) -> tuple[Case, ...]:  # noqa: B008
    """Return one case for each model of a list, in its order; the ids are the same on every machine that has it.

    A line is a path, a folder or a glob, relative to the folder of the list, or a URL; ``sha256:HEX`` may follow, and
    has to follow a URL. The output of ``sha256sum`` is understood too. ``#`` begins a comment line.

    Arguments:
        path: the list, or a folder of models, or a model.
        offline: a URL whose file is not in the cache becomes a case that says so.

    Raises:
        UsageError: a line is wrong, or names no model; the message says which.
    """
    found: dict[Path, Source] = {}
    for line in _lines(path):
        found |= _sources(line, path.parent, cache, offline)
    if not found:
        message = f"{path}: it names no model: a path, folder, glob or URL a line is needed"
        raise UsageError(message)
    return tuple(
        Case(id=f"{files.CORPUS}/{name}", corpus=files.CORPUS, source=source, hints=hints)
        for name, source in zip(files.names(list(found)), found.values(), strict=True)
    )


def sizes(cases: tuple[Case, ...]) -> dict[str, float]:
    """Return MiB by case id, of the cases whose file is on this machine: a guess at what they cost.

    Costs are what a run does for every model, and what grows with its weights.
    """
    known = {case.id: case.source.path for case in cases if isinstance(case.source, ModelFile)}
    return {case_id: (LEAST + path.stat().st_size) / LEAST for case_id, path in known.items() if path.is_file()}


def _lines(path: Path) -> Iterator[_Line]:
    if path.is_dir() or (path.name.endswith(SUFFIXES) and path.is_file()):
        yield _Line(place=str(path.absolute()), sha256=None, said=str(path))
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        said = "it is no text" if isinstance(error, ValueError) else error.strerror
        if path.parts[:1] in (("http:",), ("https:",)):
            said = "it is a URL: fetch the list first"
        message = f"{path}: the list of models cannot be read: {said}"
        raise UsageError(message) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _line(line.strip(), f"{path}:{number}")


def _line(text: str, said: str) -> _Line:
    match = _AFTER.fullmatch(text) or _BEFORE.fullmatch(text)
    if match is None and re.search(r"\ssha256[:=]\S*$", text):
        message = f"{said}: sha256: is followed by 64 hexadecimal digits, not as in {text[-80:]!r}"
        raise UsageError(message)
    if match is None:
        return _Line(place=text, sha256=None, said=said)
    return _Line(place=match["place"], sha256=match["sha256"].lower(), said=said)


def _sources(line: _Line, folder: Path, cache: Cache, offline: bool) -> dict[Path, Source]:
    """Return the models of a line, each by a path that names it."""
    if "://" in line.place:
        return _remote(line, cache, offline)
    try:
        found = files.paths(str(folder / Path(line.place).expanduser()))
    except (UsageError, RuntimeError) as error:
        message = f"{line.said}: {error}"
        raise UsageError(message) from None
    if line.sha256 is not None and len(found) > 1:
        message = f"{line.said}: one sha256 for {len(found)} files"
        raise UsageError(message)
    return {path: ModelFile(path=path, sha256=line.sha256) for path in found}


def _remote(line: _Line, cache: Cache, offline: bool) -> dict[Path, Source]:
    url = _url(line.place)
    name = PurePosixPath(unquote(url.path)) if url else PurePosixPath()
    if url is None or url.scheme not in _WEB or not url.hostname or not name.name:
        message = f"{line.said}: {line.place} is not the http or https URL of a file"
        raise UsageError(message)
    if line.sha256 is None:
        message = f"{line.said}: a URL needs its hash: {line.place} sha256:HEX"
        raise UsageError(message)
    # The query is no part of a file's name.
    rest = line.place.partition("://")[2]
    download = Download(path=rest, sha256=line.sha256, size=0, base=f"{url.scheme}://", name=name.name)
    if offline and not stored_location(cache, download).is_file():
        why = f"{line.place} is not in the cache, and --burn-offline forbids to fetch it"
        return {_place(url.netloc, name): Unavailable(reason=why)}
    return {_place(url.netloc, name): download}


def _url(text: str) -> SplitResult | None:
    """Return the parts of a URL, or None where its host or port is none that there can be."""
    try:
        url = urlsplit(text)
        # A port is looked at only when it is asked for.
        return url if url.port != 0 else None
    except ValueError:
        return None


def _place(host: str, name: PurePosixPath) -> Path:
    return Path("/", host, *(part for part in name.parts if part not in ("/", "..")))
