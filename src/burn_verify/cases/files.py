"""A user's own models: a file, a glob or a folder becomes cases.

Looks at names only; no file is opened.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from burn_verify.errors import UsageError
from burn_verify.types import Case, ModelFile

SUFFIX: Final = ".onnx"
_GLOB: Final = re.compile(r"[*?\[]")
# Brackets end a pytest id, `::` separates its parts, and control characters tear a table.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\[\]:]+")


def is_path(name: str) -> bool:
    """Return whether a name on the command line means files rather than a model of the zoo."""
    return name.endswith(SUFFIX) or "/" in name or "\\" in name or bool(_GLOB.search(name)) or Path(name).is_dir()


def paths(name: str) -> list[Path]:
    """Return the ``.onnx`` files that a path, glob or folder stands for, sorted.

    Raises:
        UsageError: there are none.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return [path.absolute()]
    if path.is_dir():
        found = sorted(path.rglob(f"*{SUFFIX}"))
        where = f"the folder {name} holds no {SUFFIX} file"
    else:
        pattern = str(path.relative_to(path.anchor))
        found = sorted(match for match in Path(path.anchor).glob(pattern) if match.is_file())
        where = f"{name}: no such file" if not _GLOB.search(name) else f"no file matches {name}"
    if not found:
        raise UsageError(where)
    return [file.absolute() for file in found]


def cases(files: Iterable[Path]) -> tuple[Case, ...]:
    """Return one case a file, named after the file and, where names repeat, the folders that tell them apart."""
    unique = list(dict.fromkeys(files))
    return tuple(
        Case(id=f"file/{name}", corpus="file", source=ModelFile(path=path))
        for path, name in zip(unique, _names(unique), strict=True)
    )


def _names(files: Sequence[Path]) -> list[str]:
    depth = 1
    longest = max((len(path.parts) for path in files), default=1)
    while True:
        names = [_UNFIT.sub("_", "/".join(path.with_suffix("").parts[-depth:])) for path in files]
        repeated = {name for name in names if names.count(name) > 1}
        if not repeated or depth >= longest:
            return _numbered(names)
        depth += 1


def _numbered(names: Sequence[str]) -> list[str]:
    """Tell apart what is left: two names that differ only in characters no id may hold."""
    return [
        name if names.count(name) == 1 else f"{name}#{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
