"""What a file is that is no ONNX model, by its content and then by its name.

Reads the beginning of a file, and of a ZIP archive its list of names. Loads and unpickles nothing.
"""

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from burn_verify.cases.formats import (
    ARCHIVE,
    ARRAYS,
    CORE_ML,
    DEVICE_BLOB,
    EXECUTORCH,
    EXPORTED,
    FROZEN,
    GGUF,
    GZIP,
    HDF5,
    KERAS,
    ONNX_TEXT,
    OPENVINO,
    ORT,
    PAGE,
    PICKLE,
    POINTER,
    PYTORCH,
    SAFETENSORS,
    SAVED_MODEL,
    TENSORRT,
    TFLITE,
    TORCHSCRIPT,
    ZSTANDARD,
    Foreign,
    by_name,
)

_HEAD: Final = 4096
_ROOT_LIMIT: Final = 1 << 16
"""A FlatBuffer begins with the place of its root table, which writers put near the beginning."""
_LONGEST_HEADER: Final = 100_000_000
"""What safetensors itself allows for the JSON at the beginning of a file (bytes)."""

_FLATBUFFERS: Final = {b"ORTM": ORT, b"TFL3": TFLITE, b"ET12": EXECUTORCH}
_MAGIC: Final = (
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"GGUF", GGUF),
    (b"\x93NUMPY", ARRAYS),
    (b"\x1f\x8b\x08", GZIP),
    (b"\x28\xb5\x2f\xfd", ZSTANDARD),
    (b"\xfd7zXZ\x00", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"version https://git-lfs", POINTER),
    (b"ftrt", TENSORRT),
    (b"ptrt", TENSORRT),
    (b"RKNN", DEVICE_BLOB),
    (b"7767517\n", DEVICE_BLOB),
)
"""Beginnings of files that no ONNX model can have: not one is the tag of a field of `ModelProto`."""

_MEMBERS: Final[tuple[tuple[str, Foreign], ...]] = (
    ("constants.pkl", TORCHSCRIPT),
    ("archive_format", EXPORTED),
    ("serialized_exported_program.json", EXPORTED),
    ("data.pkl", PYTORCH),
    ("model.weights.h5", KERAS),
    ("saved_model.pb", SAVED_MODEL),
    (".npy", ARRAYS),
)
"""Ends of names in a ZIP archive, the telling ones first."""


def by_beginning(path: Path) -> Foreign | None:
    """Return the kind of a file whose first bytes cannot be those of an ONNX model.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    if (kind := _FLATBUFFERS.get(head[4:8])) and int.from_bytes(head[:4], "little") < _ROOT_LIMIT:
        return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_archive(path)
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def by_content(path: Path) -> Foreign | None:
    """Return the kind of a file that was read, and is no ONNX model.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    return by_beginning(path) or next((kind for kind, fits in _TELLING if fits(head)), None) or by_name(path.name)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _in_archive(path: Path) -> Foreign:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        # Damaged, or cut short: the list of names is at the end.
        return by_name(path.name) or ARCHIVE
    return next((kind for end, kind in _MEMBERS if any(name.endswith(end) for name in names)), ARCHIVE)


def _is_safetensors(head: bytes) -> bool:
    return 2 <= int.from_bytes(head[:8], "little") <= _LONGEST_HEADER and head[8:9] == b"{"


def _is_pickle(head: bytes) -> bool:
    # The opcode PROTO, and a version.
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _is_torch_pickle(head: bytes) -> bool:
    # Before version 1.6 torch.save began with this number as a pickle.
    return _is_pickle(head) and head[2:].startswith(b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")


def _is_saved_model(head: bytes) -> bool:
    """Return whether a protobuf begins with the schema version 1 and the MetaInfoDef of a MetaGraphDef."""
    inner = next((value for number, value in _fields(head[2:]) if number == 2), b"")
    return head[:2] == b"\x08\x01" and inner[:1] == b"\x0a" and b"serve" in head


def _is_core_ml(head: bytes) -> bool:
    """Return whether a protobuf begins with a version and the description of a model, whose first field is an input."""
    inner = next((value for number, value in _fields(head[2:]) if number == 2), b"")
    return head[:1] == b"\x08" and inner[:1] == b"\x0a" and b"serve" not in head


def _is_frozen(head: bytes) -> bool:
    """Return whether a protobuf begins with a NodeDef: name, operator."""
    number, inner = next(_fields(head), (0, b""))
    fields = [number for number, _ in _fields(inner)]
    return head[:1] == b"\x0a" and number == 1 and inner[:1] == b"\x0a" and fields[:2] == [1, 2]


def _is_page(head: bytes) -> bool:
    return head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def _is_openvino(head: bytes) -> bool:
    return head.lstrip().startswith(b"<") and b"<net " in head


def _is_text_of_onnx(head: bytes) -> bool:
    text = head.lstrip()
    return (
        text.startswith((b"ir_version:", b"ir_version :"))
        or (text[:1] in (b"<", b"{") and b"ir_version" in text)
        or (text[:1] == b"{" and b'"irVersion"' in text)
    )


_TELLING: Final[tuple[tuple[Foreign, Callable[[bytes], bool]], ...]] = (
    (PYTORCH, _is_torch_pickle),
    (PICKLE, _is_pickle),
    (SAFETENSORS, _is_safetensors),
    (SAVED_MODEL, _is_saved_model),
    (FROZEN, _is_frozen),
    (CORE_ML, _is_core_ml),
    (ONNX_TEXT, _is_text_of_onnx),
    (PAGE, _is_page),
    (OPENVINO, _is_openvino),
)
"""What tells a kind from an unreadable ONNX model; some of these a readable one may have as well."""


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the length-delimited fields that a protobuf message begins with."""
    while data and (tag := data[0]) & 0x87 == 2:
        size, place, shift = 0, 1, 0
        while place < len(data):
            byte = data[place]
            size |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if not byte & 0x80:
                break
        yield tag >> 3, data[place : place + size]
        data = data[place + size :]
