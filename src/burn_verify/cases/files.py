"""A user's own models: a file, a glob or a folder becomes cases.

Reads names only; opens no file.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from burn_verify.cases import formats
from burn_verify.cases.packed import SUFFIX, SUFFIXES, is_packed, without_suffix
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import UsageError

CORPUS: Final = "file"
"""The corpus, and the first part of the ids of its cases."""

_GLOB: Final = re.compile(r"[*?\[]")
# Brackets end a pytest id, `::` separates its parts, control characters and separators break a table, and half a
# surrogate pair, in place of a byte that is not UTF-8, cannot be encoded.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\[\]:]+")


def is_path(name: str) -> bool:
    """Return whether a name on the command line is a path, not a model of the zoo."""
    return (
        name.endswith(SUFFIXES)
        or formats.by_name(name) is not None
        or "/" in name
        or "\\" in name
        or bool(_GLOB.search(name))
        or _is_folder(name)
    )


def paths(name: str) -> list[Path]:
    """Return the ``.onnx`` files of a path, glob or folder, compressed ones included, sorted.

    A file or folder that is a model of another kind is returned as well, if it is named: its case says what it is.

    Raises:
        UsageError: there are none.
    """
    try:
        path = Path(name).expanduser()
        found = [file.absolute() for file in _found(path)]
    except (OSError, RuntimeError, ValueError) as error:
        # A name that is too long, the home of an unknown user, or a pattern such as `**.onnx`.
        message = f"{name}: {error}"
        raise UsageError(message) from None
    if found:
        return found
    if path.is_dir():
        message = f"the folder {name} holds no {SUFFIX} file{_instead(path)}"
    else:
        message = f"no file matches {name}" if _GLOB.search(name) else f"{name}: no such file"
    raise UsageError(message)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name that is too long
        return False


def _found(path: Path) -> list[Path]:
    if _is_there(path):
        return [path]
    if path.is_dir():
        models = sorted(match for match in path.rglob("*") if match.name.endswith(SUFFIXES) and _is_there(match))
        return models or ([path] if formats.of_folder(path) else [])
    pattern = str(path.relative_to(path.anchor))
    return sorted(match for match in Path(path.anchor).glob(pattern) if _is_there(match))


def _is_there(path: Path) -> bool:
    """Return whether a path is a file, or a link to nothing: that is told when it is loaded."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _instead(folder: Path) -> str:
    """Return what models of other kinds are in a folder, as the end of a sentence; empty where there are none."""
    named = ((file, formats.by_name(file.name)) for file in sorted(folder.rglob("*")) if file.is_file())
    known = ((file, kind) for file, kind in named if kind is not None)
    return next((f"; {kind.refusal(file.relative_to(folder))}" for file, kind in known), "")


def cases(files: Iterable[Path]) -> tuple[Case, ...]:
    """Return one case for each file, named after the file and, where names repeat, the folders that differ."""
    unique = list(dict.fromkeys(files))
    return tuple(
        Case(id=f"{CORPUS}/{name}", corpus=CORPUS, source=ModelFile(path=path))
        for path, name in zip(unique, names(unique), strict=True)
    )


def names(files: Sequence[Path]) -> list[str]:
    """Name each file by as few of its last parts as are unique; by one where none is unique.

    The work grows with the number of files, not with its square: only files whose names are equal are looked at again.
    """
    depths = _depths(files)
    short = [_name(path, depths.get(path, 1)) for path in files]
    count = Counter(short)
    return _numbered(
        [
            _fit(path.name) if is_packed(path) and count[name] > 1 else name
            for path, name in zip(files, short, strict=True)
        ]
    )


def _depths(files: Sequence[Path]) -> dict[Path, int]:
    """Return of how many last parts the name of each file is, where one is unique."""
    found: dict[Path, int] = {}
    alike, depth = [list(files)], 1
    while alike:
        still = []
        for group in alike:
            by_name: dict[str, list[Path]] = {}
            for path in group:
                by_name.setdefault(_name(path, depth), []).append(path)
            found |= {some[0]: depth for some in by_name.values() if len(some) == 1 and depth < len(some[0].parts)}
            still += [
                some for some in by_name.values() if len(some) > 1 and any(depth < len(one.parts) for one in some)
            ]
        alike, depth = still, depth + 1
    return found


def _name(path: Path, depth: int) -> str:
    return _fit("/".join(without_suffix(path).parts[-depth:]))


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name)


def _numbered(short: Sequence[str]) -> list[str]:
    """Number names that repeat: they differed only in characters that an id must not have."""
    count = Counter(short)
    taken = {name for name in short if count[name] == 1}
    last: dict[str, int] = {}
    numbered = []
    for name in short:
        if count[name] > 1:
            said = name
            while said in taken or said == name:
                last[name] = last.get(name, 0) + 1
                said = f"{name}#{last[name]}"
            taken.add(said)
            name = said
        numbered.append(name)
    return numbered
