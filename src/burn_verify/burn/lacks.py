"""What a device lacks of what a program holds there: then its answers would say nothing of Burn.

Burn leaves it to its users to ask a device for a dtype before they compute in it (`Device::supports_dtype`); whoever
does not gets an error, or garbage.
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
    """Return the dtypes of tensors that a generated program surely holds on its device.

    That is what it is fed as a tensor, and what its text names. Numbers and arrays of Rust stay off the device.

    Arguments:
        rust: text of the generated module.
        dtypes: names of the inputs' dtypes, in the order of the graph.
    """
    signature = _FORWARD.search(rust)
    kinds = _ARGUMENT.findall(signature[1]) if signature else []
    fed = {dtype for kind, dtype in zip(kinds, dtypes, strict=False) if kind == "Tensor<"}
    return frozenset(fed | {SAFETENSORS_NAMES[code] for code in _DTYPE.findall(rust) if code in SAFETENSORS_NAMES})


def in_words(lacks: Iterable[str]) -> str:
    """Return what a device lacks, in words; empty where that is nothing.

    >>> in_words(["int64", "uint64", "float16"])
    'no 64-bit integers, no 16-bit floats'
    """
    return ", ".join(dict.fromkeys(f"no {_WORDS.get(dtype, dtype)}" for dtype in lacks))


def lacking(device: Device, rust: str, dtypes: Sequence[str]) -> Collection[str]:
    """Return the dtypes that a program needs on a device and that the device lacks, see `held`."""
    needed = held(rust, dtypes) if device.lacks else frozenset()
    return tuple(dtype for dtype in device.lacks if dtype in needed)
