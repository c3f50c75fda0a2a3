"""Tables of element types: ONNX's number, the dtype name, and the names in Burn and safetensors.

Imports neither onnx nor a module that reads a model. A unit test checks the tables against onnx.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

import ml_dtypes
import numpy as np

BurnKind: TypeAlias = Literal["float", "int", "bool"]
"""The kinds of Burn's tensors: ``Tensor<D>``, ``Tensor<D, Int>``, ``Tensor<D, Bool>``."""

STRING: Final = "string"
"""The dtype name of text, which NumPy has under several names."""

ELEM_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "float32",
        2: "uint8",
        3: "int8",
        4: "uint16",
        5: "int16",
        6: "int32",
        7: "int64",
        8: STRING,
        9: "bool",
        10: "float16",
        11: "float64",
        12: "uint32",
        13: "uint64",
        14: "complex64",
        15: "complex128",
        16: "bfloat16",
        17: "float8_e4m3fn",
        18: "float8_e4m3fnuz",
        19: "float8_e5m2",
        20: "float8_e5m2fnuz",
        21: "uint4",
        22: "int4",
        23: "float4_e2m1fn",
        24: "float8_e8m0fnu",
        25: "uint2",
        26: "int2",
        27: "float6_e2m3fn",
        28: "float6_e3m2fn",
    }
)
"""Number of ``onnx.TensorProto.DataType`` → dtype name."""

SAFETENSORS_DTYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bool": "BOOL",
        "uint8": "U8",
        "int8": "I8",
        "uint16": "U16",
        "int16": "I16",
        "uint32": "U32",
        "int32": "I32",
        "uint64": "U64",
        "int64": "I64",
        "float16": "F16",
        "bfloat16": "BF16",
        "float32": "F32",
        "float64": "F64",
        "float8_e4m3fn": "F8_E4M3",
        "float8_e5m2": "F8_E5M2",
    }
)
"""dtype name → dtype code of a safetensors header. A dtype that is missing here cannot be stored."""

SAFETENSORS_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {code: name for name, code in SAFETENSORS_DTYPES.items()}
)
"""The inverse: dtype code → dtype name."""

_ELEM_TYPES_BY_NAME: Final[Mapping[str, int]] = MappingProxyType({name: number for number, name in ELEM_TYPES.items()})

_BURN_KINDS: Final[Mapping[str, BurnKind]] = MappingProxyType(
    {
        "float64": "float",
        "float32": "float",
        "float16": "float",
        "bfloat16": "float",
        "int64": "int",
        "int32": "int",
        "int16": "int",
        "int8": "int",
        "uint64": "int",
        "uint32": "int",
        "uint16": "int",
        "uint8": "int",
        "bool": "bool",
    }
)


def dtype_of(elem_type: int) -> str:
    """Return the dtype name of an ``onnx.TensorProto`` element type.

    Raises:
        ValueError: the number is 0 (undefined) or not known.
    """
    if elem_type not in ELEM_TYPES:
        msg = f"no dtype for ONNX elem_type {elem_type}"
        raise ValueError(msg)
    return ELEM_TYPES[elem_type]


def elem_type_of(name: str) -> int:
    """Return the ``onnx.TensorProto`` element type of a dtype name.

    Raises:
        ValueError: ONNX has no such dtype.
    """
    if name not in _ELEM_TYPES_BY_NAME:
        msg = f"no ONNX elem_type for dtype {name!r}"
        raise ValueError(msg)
    return _ELEM_TYPES_BY_NAME[name]


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of a dtype name; ``string`` is an array of Python objects.

    Raises:
        ValueError: the name is not the dtype of an ONNX tensor, e.g. that of a sequence.
    """
    elem_type_of(name)
    if name == STRING:
        return np.dtype(object)
    return np.dtype(getattr(ml_dtypes, name, name))


@functools.cache  # NumPy builds a name on every access, and the judge needs it often
def dtype_name(dtype: np.dtype[Any]) -> str:
    """Return the dtype name of a NumPy dtype: text, of fixed or variable width or as objects, is ``string``."""
    return STRING if dtype.kind in "OUST" else dtype.name


def burn_kind(name: str) -> BurnKind | None:
    """Return the kind of Burn tensor that holds a dtype name, None where Burn has none."""
    return _BURN_KINDS.get(name)
