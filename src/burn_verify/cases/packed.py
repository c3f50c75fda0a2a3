"""Compressed models, ``model.onnx.gz`` and ``model.onnx.zst``: unpacked once, into the cache.

An unpacked model is kept by the content of the compressed file. Its external data are not looked for.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from zstandard import ZstdDecompressor, ZstdError

from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of, written_atomically
from burn_verify.system.kept import seal, sealed

SUFFIX: Final = ".onnx"
LIMIT: Final = 1 << 31
"""The most that protobuf reads, and so the most that a model without its external data can have (bytes)."""
FOLDER: Final = "unpacked"
"""The folder of the cache that holds what was unpacked, and models whose data had to be copied beside them."""

_BLOCK: Final = 1 << 20
_PIECE: Final = 1 << 13
"""Bytes that Zstandard gets at once: the most that comes out is some 32,000 times as much."""


def _gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as packed:
        while block := packed.read(_BLOCK):
            yield block


def _zstandard(path: Path) -> Iterator[bytes]:
    # Not `stream_reader`, which takes the end of a file that is cut short for the end of its content.
    frame = ZstdDecompressor().decompressobj()
    with path.open("rb") as packed:
        while piece := packed.read(_PIECE):
            while piece:
                frame = ZstdDecompressor().decompressobj() if frame.eof else frame
                yield frame.decompress(piece)
                piece = frame.unused_data if frame.eof else b""
    if not frame.eof:
        message = "Compressed file ended before the end of a frame was reached"
        raise EOFError(message)


_READERS: Final[dict[str, Callable[[Path], Iterator[bytes]]]] = {".gz": _gzip, ".zst": _zstandard}
SUFFIXES: Final = (SUFFIX, *(f"{SUFFIX}{packed}" for packed in _READERS))
"""How models are called: plain, and compressed."""


def is_packed(path: Path) -> bool:
    """Return whether a file is a compressed model by its name."""
    return path.name.lower().endswith(SUFFIXES[1:])


def without_suffix(path: Path) -> Path:
    """Return a path without what names the kind of the file: ``a/model`` for ``a/model.onnx.gz``."""
    # Not `Path.with_suffix`: what it makes of `..onnx` and `a.` depends on the version of Python.
    name = path.name
    for _ in range(2 if is_packed(path) else 1):
        head, _, kind = name.rpartition(".")
        name = head if kind and head.strip(".") else name
    return path.parent / name


def beside(path: Path, suffix: str) -> Path:
    """Return the file of a model's name beside it: ``a/model.toml`` for ``a/model.onnx.gz``."""
    plain = without_suffix(path)
    return plain.with_name(f"{plain.name}{suffix}")


def unpacked(path: Path, cache: Cache, limit: int = LIMIT) -> Path:
    """Return the model in a compressed file, from the cache where it was unpacked before.

    Arguments:
        limit: the size of a model above which it is refused (bytes).

    Raises:
        LoadError: the file is damaged, or what is in it is larger than the limit.
        OSError: the file cannot be read, or the cache cannot be written.
    """
    digest = sha256_of(path)
    folder = cache.folder(FOLDER) / digest[:32]
    model = folder / path.with_suffix("").name
    with cache.lock(f"unpack-{digest[:16]}"):
        note = folder / "done.json"
        if sealed(note) is None or not model.is_file():
            with written_atomically(model) as file:
                for block in _within(_readable(path), limit, path):
                    file.write(block)
            seal(note, [model])
    return model


def _within(blocks: Iterable[bytes], limit: int, path: Path) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            message = f"{path}: unpacks to more than {limit >> 20} MiB, which no ONNX file has: not unpacked further"
            raise LoadError(message, "compressed model too large")
        yield block


def _readable(path: Path) -> Iterator[bytes]:
    """Yield the content of a compressed file.

    Raises:
        LoadError: the file is damaged.
    """
    try:
        yield from _READERS[path.suffix.lower()](path)
    except (gzip.BadGzipFile, EOFError, zlib.error, ZstdError) as error:
        message = f"{path}: the compressed file is damaged or cut short: {error}"
        raise LoadError(message, "compressed model damaged", kind=FailureKind.MACHINE) from error
