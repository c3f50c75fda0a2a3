"""Frames and tensors as bytes, for pipes between processes and for the reference cache.

Pure functions: no pipes and no files. The other side is ``rust/protocol`` and ``rust/runner/src/wire.rs``.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from burn_verify.graph.dtypes import SAFETENSORS_DTYPES, SAFETENSORS_NAMES, dtype_name, numpy_dtype

Array = npt.NDArray[Any]

VERSION: Final = 2
"""Version of frames and requests, sent first by both sides."""

PREFIX: Final = struct.Struct("<IQ")
"""Length of the header (bytes, u32) and of the payload (bytes, u64), little-endian."""

_LENGTH: Final = struct.Struct("<Q")
"""Length of the JSON header of a safetensors payload: its first eight bytes."""

MAX_HEADER: Final = 1 << 20
MAX_PAYLOAD: Final = 1 << 36


def pack(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """Return one frame."""
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(payload)) + text + payload


def unpack_prefix(prefix: bytes) -> tuple[int, int]:
    """Return the lengths (bytes) of header and payload.

    Raises:
        ValueError: the lengths are impossible.
    """
    if len(prefix) != PREFIX.size:
        msg = f"a prefix has {PREFIX.size} bytes, got {len(prefix)}"
        raise ValueError(msg)
    header, payload = PREFIX.unpack(prefix)
    if header > MAX_HEADER or payload > MAX_PAYLOAD:
        msg = f"a frame of {header} + {payload} bytes was announced"
        raise ValueError(msg)
    return header, payload


def unpack_header(text: bytes) -> dict[str, Any]:
    """Return the header of a frame.

    Raises:
        ValueError: it is not a JSON object.
    """
    try:
        header = json.loads(text)
    except RecursionError as error:
        msg = "a header is nested too deeply"
        raise ValueError(msg) from error
    if not isinstance(header, dict):
        msg = f"a header is a JSON object, got {header!r:.80}"
        raise ValueError(msg)
    return header


def unsupported_dtype(arrays: Sequence[Array]) -> str | None:
    """Return the name of the first dtype that the format does not support, e.g. ``string`` or ``int4``."""
    return next((name for array in arrays if (name := dtype_name(array.dtype)) not in SAFETENSORS_DTYPES), None)


def encode(arrays: Sequence[Array]) -> bytes:
    """Return a safetensors payload with the arrays under the names ``000``, ``001`` …"""
    return encode_named({f"{index:03d}": array for index, array in enumerate(arrays)})


def decode(payload: bytes) -> list[Array]:
    """Return the arrays of a payload in the order of their names.

    Raises:
        ValueError: the payload is not safetensors, or holds an unknown dtype.
    """
    return in_order(decode_named(payload))


def in_order(named: Mapping[str, Array]) -> list[Array]:
    """Return the arrays whose names are a number after a prefix that they share, by that number."""
    # By length first, so that 1000 follows 999.
    return [named[name] for name in sorted(named, key=lambda name: (len(name), name))]


def placed(place: int, kind: str, arrays: Sequence[Array]) -> dict[str, Array]:
    """Return arrays by their names in a file of data sets: ``<place of the data set>/<kind>/<place of the array>``."""
    return {f"{_prefix(place, kind)}{index:03d}": array for index, array in enumerate(arrays)}


def at(named: Mapping[str, Array], place: int, kind: str) -> list[Array]:
    """Return the arrays of a data set from the names that `placed` gives."""
    return by_set(named)(place, kind)


def by_set(named: Mapping[str, Array]) -> Callable[[int, str], list[Array]]:
    """Return `at` for one mapping, in time that does not grow with the number of its data sets."""
    found: dict[str, dict[str, Array]] = {}
    for name, array in named.items():
        found.setdefault(name.rpartition("/")[0], {})[name] = array
    return lambda place, kind: in_order(found.get(_prefix(place, kind)[:-1], {}))


def _prefix(place: int, kind: str) -> str:
    return f"{place:03d}/{kind}/"


def encode_named(arrays: Mapping[str, Array], notes: Mapping[str, str] | None = None) -> bytes:
    """Return a safetensors payload with the arrays under their names, and `notes` as its metadata."""
    # `require` keeps rank 0; `ascontiguousarray` would return rank 1.
    contiguous = {name: np.require(array, requirements="C") for name, array in arrays.items()}
    return save(contiguous, dict(notes) if notes else None)


def decode_notes(payload: bytes) -> dict[str, str]:
    """Return the metadata of a payload.

    Raises:
        ValueError: the payload is not safetensors.
    """
    try:
        header = json.loads(payload[_LENGTH.size : _LENGTH.size + _LENGTH.unpack_from(payload)[0]])
    except (struct.error, ValueError) as error:
        msg = f"the payload is not safetensors: {error}"
        raise ValueError(msg) from error
    return {str(name): str(text) for name, text in header.get("__metadata__", {}).items()}


def decode_named(payload: bytes) -> dict[str, Array]:
    """Return the arrays of a payload by name.

    Raises:
        ValueError: the payload is not safetensors, or holds an unknown dtype.
    """
    try:
        tensors = deserialize(payload)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        msg = f"the payload is not safetensors: {error}"
        raise ValueError(msg) from error
    return {name: _array(tensor) for name, tensor in tensors}


def dealt(arrays: Sequence[Array], sets: int) -> list[list[Array]]:
    """Split arrays into `sets` lists of equal length."""
    size = len(arrays) // sets
    return [list(arrays[place * size : (place + 1) * size]) for place in range(sets)]


def _array(tensor: Mapping[str, Any]) -> Array:
    code = tensor["dtype"]
    if code not in SAFETENSORS_NAMES:
        msg = f"no NumPy dtype for {code}"
        raise ValueError(msg)
    return np.frombuffer(tensor["data"], dtype=numpy_dtype(SAFETENSORS_NAMES[code])).reshape(tensor["shape"])
