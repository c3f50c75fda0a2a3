"""Quantisation, and arithmetic on quantised values."""

from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.families.conv import spatial
from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, Operand, OperatorSpec, Point, fixed
from burn_verify.graph.dtypes import elem_type_of

FAMILY: Final = "quantisation"
_SHAPE: Final = (3, 4, 2)


def _scales(point: Point) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Return the shape of scales, and the attributes that select what they scale."""
    form, axis = point["form"], point["axis"]
    attributes: dict[str, Any] = {}
    if form == "tensor":
        if axis != OMIT:
            raise NotApplicable
        return (), attributes
    place = 1 if axis == OMIT else axis
    if axis != OMIT:
        if not point.has("axis"):
            raise NotApplicable
        attributes["axis"] = axis
    if form == "channel":
        if not point.has("axis"):
            raise NotApplicable
        return (_SHAPE[place],), attributes
    if not point.has("block_size"):
        raise NotApplicable
    shape = list(_SHAPE)
    size = 3 if shape[place] == 3 else 2
    shape[place] //= size
    return tuple(shape), {**attributes, "block_size": size}


def _ramp(shape: tuple[int, ...], values: tuple[float, ...], dtype: str) -> Operand:
    """Return a fixed operand that repeats some values."""
    return fixed(np.resize(np.array(values), shape), dtype)


def _quantize(point: Point) -> Call:
    shape, attributes = _scales(point)
    source = point["x_dtype"]
    target = point.dtype
    if source not in ("float32", "float16") or (source == "float16" and point.version < 19):
        raise NotApplicable
    zero: Operand | None = None
    if point["zero_point"] == OMIT:
        if target != "uint8" and not point.has("output_dtype"):
            raise NotApplicable
        if target != "uint8":
            attributes["output_dtype"] = elem_type_of(target)
    else:
        value = (0, 0) if target.startswith("float") else ((3, 1) if target.startswith("u") else (-2, 1))
        zero = _ramp(shape, value, target)
    attributes |= point.attributes("saturate") if target.startswith("float8") else {}
    operands = point.data(_SHAPE, dtype=source, low=-9, high=9), _ramp(shape, (0.5, 0.25, 2), source), zero
    return Call(inputs=point.named(*operands), attributes=attributes)


def _dequantize(point: Point) -> Call:
    shape, attributes = _scales(point)
    scale = point["scale_dtype"]
    if scale != "float32" and point.version < 19:
        raise NotApplicable
    high = 100 if "int" in point.dtype else 4
    zero = None
    if point["zero_point"] != OMIT:
        unsigned = point.dtype.startswith("u")
        wide = point.dtype == "int32" or point.dtype.startswith("float")
        zero = _ramp(shape, (0, 0) if wide else ((3, 1) if unsigned else (-2, 1)), point.dtype)
    x = point.data(_SHAPE, low=-high, high=high, special=False)
    return Call(inputs=point.named(x, _ramp(shape, (0.5, 0.25, 2), scale), zero), attributes=attributes)


def _dynamic(point: Point) -> Call:
    x = point.wide(point["shape"], low=point["low"], high=4, special=False)
    return Call(inputs=point.named(x), outputs=("Y", "y_scale", "y_zero_point"))


def _bytes(shape: tuple[int, ...], dtype: str) -> Operand:
    return Operand(dtype=dtype, shape=shape, low=0 if dtype == "uint8" else -40, high=40, special=False)


def _matmul_integer(point: Point) -> Call:
    left, right = point["shape"]
    b_dtype, zeros = point["b_dtype"], point["zero_points"]
    a_zero = fixed(3, point.dtype) if zeros in ("a", "both", "rows") else None
    b_zero = fixed(2, b_dtype) if zeros == "both" else None
    if zeros == "rows":
        b_zero = _ramp((right[-1],), (1, 2), b_dtype)
    return Call(inputs=point.named(_bytes(left, point.dtype), _bytes(right, b_dtype), a_zero, b_zero))


def _qlinear_matmul(point: Point) -> Call:
    left, right = point["shape"]
    other, scales = point.dtype, point["scale_dtype"] if point.version >= 21 else "float32"
    if point.dtype.startswith("float") or point["scale_dtype"] != scales:
        raise NotApplicable
    per = (right[-1],) if point["per"] == "column" else ()
    operands = (
        _bytes(left, point.dtype),
        fixed(0.25, scales),
        fixed(3, point.dtype),
        _bytes(right, other),
        _ramp(per, (0.5, 0.25), scales),
        _ramp(per, (1, 2), other),
        fixed(4.0, scales),
        fixed(5, point.dtype),
    )
    return Call(inputs=point.named(*operands))


def _qlinear_conv(point: Point) -> Call:
    w_dtype, kind = point["w_dtype"], point.dtype
    per = (4,) if point["per"] == "channel" else ()
    attributes = spatial(point, 2, "strides", "dilations", "pads", "auto_pad")
    if attributes.get("auto_pad", "NOTSET") != "NOTSET" and ("pads" in attributes or "dilations" in attributes):
        raise NotApplicable
    groups = 1 if point["group"] == OMIT else point["group"]
    if point["group"] != OMIT:
        attributes["group"] = groups
    operands = (
        _bytes((2, 4, 5, 5), kind),
        fixed(0.25, "float32"),
        fixed(3, kind),
        _bytes((4, 4 // groups, 3, 3), w_dtype),
        _ramp(per, (0.5, 0.25), "float32"),
        _ramp(per, (0, 0) if w_dtype == "int8" else (2, 2), w_dtype),
        fixed(16.0, "float32"),
        fixed(5, kind),
        Operand(dtype="int32", shape=(4,), low=-40, high=40, special=False) if point["bias"] else None,
    )
    return Call(inputs=point.named(*operands), attributes=attributes)


_FORMS: Final = {
    "form": ("tensor", "channel", "block"),
    "axis": (OMIT, 0, 1, -1),
}
_ZEROS: Final = ("given", OMIT)
_BYTES: Final = ("uint8", "int8")
_MATRICES: Final = (((2, 3), (3, 4)), ((2, 2, 3), (2, 3, 4)), ((1, 3), (3, 1)))

SPECS: Final = (
    OperatorSpec(
        op_type="QuantizeLinear",
        make=_quantize,
        axes={**_FORMS, "zero_point": _ZEROS, "x_dtype": ("float32", "float16"), "saturate": (OMIT, 0)},
        dtypes=("uint8", "int8", "uint16", "int16", "int4", "uint4", "float8_e4m3fn", "float8_e5m2"),
    ),
    OperatorSpec(
        op_type="DequantizeLinear",
        make=_dequantize,
        axes={**_FORMS, "zero_point": _ZEROS, "scale_dtype": ("float32", "float16")},
        dtypes=("uint8", "int8", "int32", "uint16", "int16", "int4", "uint4", "float8_e4m3fn", "float8_e5m2"),
    ),
    OperatorSpec(
        op_type="DynamicQuantizeLinear",
        make=_dynamic,
        axes={"shape": ((2, 3), (5,), (2, 3, 4), (1,)), "low": (-4, 0, 1)},
        dtypes=("float32",),
    ),
    OperatorSpec(
        op_type="MatMulInteger",
        make=_matmul_integer,
        axes={"shape": _MATRICES, "b_dtype": _BYTES, "zero_points": ("none", "a", "both", "rows")},
        dtypes=_BYTES,
    ),
    OperatorSpec(
        op_type="QLinearMatMul",
        make=_qlinear_matmul,
        axes={"shape": _MATRICES, "scale_dtype": ("float32", "float16"), "per": ("tensor", "column")},
        dtypes=_BYTES,
    ),
    OperatorSpec(
        op_type="QLinearConv",
        make=_qlinear_conv,
        axes={
            "auto_pad": (OMIT, "SAME_UPPER", "VALID"),
            "strides": (OMIT, 2),
            "dilations": (OMIT, 2),
            "pads": (OMIT, 1, (0, 1, 1, 0)),
            "group": (OMIT, 2),
            "w_dtype": _BYTES,
            "per": ("tensor", "channel"),
            "bias": (True, False),
        },
        dtypes=_BYTES,
    ),
)
