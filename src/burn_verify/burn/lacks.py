"""Find dtypes that a program needs and a device does not support; its outputs there would not be evidence about Burn.

Burn requires its users to check that a device supports a dtype before they compute in it (`Device::supports_dtype`).
Without the check, the result is an error or garbage.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from burn_verify.burn.drivers import Device
from burn_verify.graph.dtypes import SAFETENSORS_NAMES

_WORDS: Final = {
    "int64": "64-bit integers",
    "uint64": "64-bit integers",
    "float64": "64-bit floats",
    "float16": "16-bit floats",
}
_DTYPE: Final = re.compile(r"\bDType::([A-Z]+\d+)\b")
_FORWARD: Final = re.compile(r"\bpub fn forward\(\s*&self,(.*?)\)\s*->", re.DOTALL)
_ARGUMENT: Final = re.compile(r"\b\w+: (Tensor<|\[|\w+)")


def held(rust: str, dtypes: Sequence[str]) -> frozenset[str]:
    """Return the dtypes of tensors that a generated program certainly stores on its device.

    These are the dtypes of its tensor inputs and those that its text names. Scalars and arrays of Rust are not stored
    on the device.

    Arguments:
        rust: text of the generated module.
        dtypes: names of the inputs' dtypes, in the order of the graph.
    """
    signature = _FORWARD.search(rust)
    kinds = _ARGUMENT.findall(signature[1]) if signature else []
    fed = {dtype for kind, dtype in zip(kinds, dtypes, strict=False) if kind == "Tensor<"}
    return frozenset(fed | {SAFETENSORS_NAMES[code] for code in _DTYPE.findall(rust) if code in SAFETENSORS_NAMES})


def in_words(lacks: Iterable[str]) -> str:
    """Return the unsupported dtypes in words; empty where there are none.

    >>> in_words(["int64", "uint64", "float16"])
    'no 64-bit integers, no 16-bit floats'
    """
    return ", ".join(dict.fromkeys(f"no {_WORDS.get(dtype, dtype)}" for dtype in lacks))


def lacking(device: Device, rust: str, dtypes: Sequence[str]) -> Collection[str]:
    """Return the dtypes that a program needs on a device and that the device does not support, see `held`."""
    needed = held(rust, dtypes) if device.lacks else frozenset()
    return tuple(dtype for dtype in device.lacks if dtype in needed)
