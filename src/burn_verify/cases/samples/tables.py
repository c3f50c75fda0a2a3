"""Files of arrays: ``.npz``, ``.npy`` and ``.safetensors``, mapped into memory where they are not compressed."""

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy

from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.columns import Column, source_of
from burn_verify.cases.samples.sample import Array, Model, Source
from burn_verify.core.text import one_line
from burn_verify.graph.dtypes import SAFETENSORS_NAMES, numpy_dtype
from burn_verify.reference.fills import BROKEN_ARRAY

_LOCAL: Final = 30
_BROKEN: Final = (*BROKEN_ARRAY, zipfile.BadZipFile, zlib.error, NotImplementedError)


def table(path: Path, label: str, model: Model) -> Source:
    """Return the samples of a file of arrays.

    Raises:
        Wrong: it cannot be read, or does not fit the model.
    """
    if path.suffix.lower() == ".npy" and len(model.inputs) > 1:
        several = ", ".join(spec.name for spec in model.inputs)
        raise Wrong(place=label, text=f"one array, and the model has the inputs {several}: .npz holds arrays by name")
    readers: Mapping[str, Callable[[Path], Mapping[str, Callable[[], Column]]]] = {
        ".npz": archived,
        ".npy": _npy,
        ".safetensors": _safetensors,
    }
    try:
        return source_of(label, readers[path.suffix.lower()](path), model)
    except _BROKEN as error:
        raise Wrong(place=label, text=one_line(f"it cannot be read: {error}")) from error


def _npy(path: Path) -> dict[str, Callable[[], Column]]:
    array = npy.open_memmap(path, mode="r")
    return {"arr_0": lambda: array}


def archived(path: Path) -> dict[str, Callable[[], Column]]:
    """Return what opens each array of a ``.npz`` file, by name."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    if not members:
        raise Wrong(place=path.name, text="it holds no array")
    return {member.filename.removesuffix(".npy"): partial(_member, path, member) for member in members}


def _member(path: Path, member: zipfile.ZipInfo) -> Array:
    """Return an array of an archive; it is in memory only where it is compressed."""
    if member.compress_type != zipfile.ZIP_STORED:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[member.filename.removesuffix(".npy")])
    with path.open("rb") as file:
        file.seek(member.header_offset)
        local = file.read(_LOCAL)
        # Names and extra fields of the local header need not be those of the directory.
        start = member.header_offset + _LOCAL + int.from_bytes(local[26:28], "little")
        file.seek(start + int.from_bytes(local[28:30], "little"))
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(file)
        if dtype.hasobject:
            msg = "an array of Python objects is not read"
            raise ValueError(msg)
        if not shape or 0 in shape:
            return np.fromfile(file, dtype, int(np.prod(shape))).reshape(shape)
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


def _safetensors(path: Path) -> dict[str, Callable[[], Column]]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= path.stat().st_size - 8:
            msg = "it is no safetensors file, or a damaged one"
            raise ValueError(msg)
        header: dict[str, Any] = json.loads(file.read(length))
    found = {key: value for key, value in header.items() if key != "__metadata__"}
    return {key: partial(_tensor, path, 8 + length, value) for key, value in found.items()}


def _tensor(path: Path, start: int, about: Mapping[str, Any]) -> Array:
    dtype = numpy_dtype(SAFETENSORS_NAMES[about["dtype"]])
    shape, (begin, end) = tuple(about["shape"]), about["data_offsets"]
    if end - begin != int(np.prod(shape)) * dtype.itemsize or start + end > path.stat().st_size:
        msg = "it is no safetensors file, or a damaged one"
        raise ValueError(msg)
    if begin == end:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start + begin, shape or (1,)).reshape(shape)
