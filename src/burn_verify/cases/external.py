"""Data that a model keeps in other files: where they are, whether they are whole, and a copy where links are used.

The rule for links is that of docs/decisions/0021-links-to-external-data.md.
"""

import errno
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import onnx
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from burn_verify.cases.formats import POINTER
from burn_verify.cases.packed import FOLDER, is_packed
from burn_verify.cases.recognise import by_beginning
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind
from burn_verify.graph import facts
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically
from burn_verify.system.kept import seal, sealed

MISSING: Final = "external data missing"
OUTSIDE: Final = "external data outside the model's folder"

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFile:
    """A file with data of a model.

    Attributes:
        location: as the model has it, relative to its folder.
        path: the file itself, every link followed.
        plain: whether it is an ordinary file at that very place, which every reader of ONNX takes.
    """

    location: str
    path: Path
    plain: bool


def external_files(model: onnx.ModelProto, path: Path) -> tuple[ExternalFile, ...]:
    """Return the files with data of a model, each once.

    Arguments:
        path: of the file that is named; locations are relative to its folder.

    Raises:
        LoadError: a location leaves the model's folder, a file is missing or too short, or the model is compressed.
        ValueError: the model is damaged.
        OSError: a file cannot be looked at.
    """
    found: dict[str, ExternalFile] = {}
    for tensor in facts.tensors(model):
        if uses_external_data(tensor):
            info = ExternalDataInfo(tensor)
            location = facts.text(info.location)
            if is_packed(path):
                message = (
                    f"{path}: the compressed model has data in {location!r}: unpack it, and name the unpacked file"
                )
                raise LoadError(message, MISSING)
            if location not in found:
                found[location] = _file(path, _text_of(tensor), location)
            _check_size(path, tensor, info, found[location])
    return tuple(found.values())


def size_of(path: Path) -> int:
    """Return the bytes of a model and of the files with its data; raises as `external_files`."""
    model = onnx.load(path, format="protobuf", load_external_data=False)
    return path.stat().st_size + sum(file.path.stat().st_size for file in external_files(model, path))


def gathered(path: Path, files: Sequence[ExternalFile], digest: str, cache: Cache) -> Path:
    """Return a path of the model at which its data are ordinary files beside it: its own, or that of a copy.

    onnx and burn-onnx refuse data behind links, ONNX Runtime those of some; all read a copy in the cache.

    Arguments:
        digest: sha256 (hex) over the model and its data.
    """
    if not files or (all(file.plain for file in files) and not path.is_symlink()):
        return path
    folder = cache.folder(FOLDER) / digest[:32]
    copies = {folder / path.name: path} | {folder / PurePosixPath(file.location): file.path for file in files}
    with cache.lock(f"unpack-{digest[:16]}"):
        note = folder / "done.json"
        if sealed(note) is None:
            shutil.rmtree(folder, ignore_errors=True)
            for copy, original in copies.items():
                copy_atomically(original, copy)
            seal(note, copies)
    return folder / path.name


def _text_of(tensor: onnx.TensorProto) -> str:
    """Return the name of a tensor as part of a sentence."""
    return f"tensor {tensor.name!r}"


def _file(path: Path, tensor: str, location: str) -> ExternalFile:
    folder = path.parent.resolve()
    named = folder / location
    target = _resolved(named)
    # What the location says is judged first: a model file can name a place, it cannot make a link.
    place = Path(os.path.normpath(named))
    if not place.is_relative_to(folder):
        raise _outside(path, tensor, location, "")
    if not target.is_relative_to(folder) and not target.is_relative_to(_resolved(path).parent):
        raise _outside(path, tensor, location, f", a link to {target}")
    if not is_there(target):
        beside = _resolved(path).parent / location
        hint = f"; the model is a link, and they are beside {_resolved(path)}" if beside.is_file() else ""
        message = f"{path}: {tensor} keeps its data in {location!r}, which is not there{hint}"
        raise LoadError(message, MISSING, kind=FailureKind.MACHINE)
    plain = target == place and target.stat().st_nlink == 1
    return ExternalFile(location=location, path=target, plain=plain)


def _outside(path: Path, tensor: str, location: str, link: str) -> LoadError:
    message = (
        f"{path}: {tensor} keeps its data outside the model's folder: {location!r}{link}; put the file into the folder"
    )
    return LoadError(message, OUTSIDE)


def _check_size(path: Path, tensor: onnx.TensorProto, info: ExternalDataInfo, file: ExternalFile) -> None:
    """Check that a file is as long as a tensor in it needs: as it says, or where it says nothing, as its elements do.

    Raises:
        LoadError: it is too short.
    """
    needed = info.length or facts.bytes_of(tensor) or 0
    there, end = file.path.stat().st_size, (info.offset or 0) + needed
    if end <= there:
        return
    pointer = f"; {POINTER.name}: {POINTER.how}" if by_beginning(file.path) is POINTER else ""
    where = f"keeps its data in {file.location!r} up to byte {end}, and that has {there}"
    message = f"{path}: {_text_of(tensor)} {where}{pointer}"
    raise LoadError(message, "external data cut short", kind=FailureKind.MACHINE)


def is_there(path: Path) -> bool:
    """Return whether a path is a file.

    Unlike `Path.is_file`, which since Python 3.14 says no wherever it cannot tell.

    Raises:
        OSError: it cannot be told: the name is too long, or a folder of it must not be read.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except ValueError:  # a name with a zero byte
        return False
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:
        # Python 3.11 and 3.12 raise it for a loop of symbolic links; later versions leave it to `is_file`.
        return path
