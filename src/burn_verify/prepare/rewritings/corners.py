"""Single corners of operators that burn-onnx has: axes left out, dtypes, modes, and values without elements."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from onnx import TensorProto, helper

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Decomposer, Site

_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
_EXACT_IN_FLOAT = (*_HALVES, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)
_SIGNED: Final[Mapping[int, int]] = {
    TensorProto.INT8: 8,
    TensorProto.INT16: 16,
    TensorProto.INT32: 32,
}
_UNSIGNED: Final[Mapping[int, int]] = {
    TensorProto.BOOL: 8,
    TensorProto.UINT8: 8,
    TensorProto.UINT16: 16,
    TensorProto.UINT32: 32,
}


def squeeze(site: Site, body: Body) -> Sequence[str] | None:
    """Say the axes of a Squeeze that names none."""
    shape = site.shape(0)
    if site.input(1) or shape is None:
        return None
    axes = [axis for axis, size in enumerate(shape) if size == 1]
    return [body("Squeeze", site.input(0), body.const(axes))] if axes else [site.input(0)]


def summed(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Sum by additions in pairs."""
    first, *others = site.node.input
    for other in others:
        first = body("Add", first, other)
    return [first]


def pad(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a Pad that wraps by slices, and one of narrow numbers by one in float32."""
    dtype, mode = site.elem_type(0), site.attribute("mode", "constant")
    if mode == "wrap":
        return _wrapped(site, body)
    if mode != "constant" or dtype not in _EXACT_IN_FLOAT:
        return None
    inputs = [body.cast(site.input(0), TensorProto.FLOAT), site.input(1)]
    if site.input(2):
        value = site.constant(2)
        # A constant stays one: burn-onnx needs to know it.
        given = body.cast(site.input(2), TensorProto.FLOAT) if value is None else body.scalar(value, TensorProto.FLOAT)
        inputs.append(given)
    elif site.input(3):
        inputs.append("")
    found = body("Pad", *inputs, *([site.input(3)] if site.input(3) else []))
    return [body.cast(found, dtype)]


def _wrapped(site: Site, body: Body) -> Sequence[str] | None:
    shape, result = site.shape(0), site.result().static
    pads = site.constant(1)
    if shape is None or result is None or site.input(3) or 0 in shape or (pads is not None and pads.min() < 0):
        return None
    value, rank = site.input(0), len(shape)
    low = body("Slice", site.input(1), body.const([0]), body.const([rank]), body.const([0]))
    for axis in range(rank):
        before = body("Slice", low, body.const([axis]), body.const([axis + 1]), body.const([0]))
        places = body("Sub", body.const(np.arange(result[axis]) + 64 * shape[axis]), before)
        value = body("Gather", value, body("Mod", places, body.const([shape[axis]])), axis=axis)
    return [value]


def reduction_of_nothing(fill: float) -> Decomposer:
    """Return a decomposer for a reduction over an axis of size 0, whose answer is one number.

    Arguments:
        fill: plus or minus infinity; integers give their greatest or least number.
    """

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        shape, result, dtype = site.shape(0), site.result().static, site.elem_type(0)
        if shape is None or result is None or 0 not in shape or not dtype:
            return None
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(dtype))
        if kind.kind not in "iuf":
            return None
        number = fill if kind.kind == "f" else (np.iinfo(kind).max if fill > 0 else np.iinfo(kind).min)
        return [body.scalar(np.full(result, number), dtype)]

    return decompose


def without_elements(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a value without elements by a constant of its shape."""
    result = site.result()
    if result.static is None or 0 not in result.static or len(site.node.output) != 1 or not result.elem_type:
        return None
    return [body.scalar(np.zeros(result.static), result.elem_type)]


def bit_cast(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a BitCast between integers of one width by arithmetic in int64."""
    old, new = site.elem_type(0), site.attribute("to", 0)
    widths = {**_SIGNED, **_UNSIGNED}
    if old not in widths or new not in widths or widths[old] != widths[new]:
        return None
    if new == TensorProto.BOOL:
        return None
    value, size = body.cast(site.input(0), TensorProto.INT64), 1 << widths[old]
    if new in _UNSIGNED and old in _SIGNED:
        value = _moved(body, value, "Less", 0, size)
    elif new in _SIGNED and old in _UNSIGNED:
        value = _moved(body, value, "GreaterOrEqual", size >> 1, -size)
    return [body.cast(value, new)]


def _moved(body: Body, value: str, compare: str, limit: int, by: int) -> str:
    beyond = body.cast(body(compare, value, body.const([limit])), TensorProto.INT64)
    return body("Add", value, body("Mul", beyond, body.const([by])))


def has_element(site: Site, body: Body) -> Sequence[str] | None:
    """Replace OptionalHasElement: what is fed as a tensor is there, what is left out is not."""
    there = bool(site.input(0))
    if there and not site.elem_type(0):
        return None
    return [body.scalar(there, TensorProto.BOOL)]


def get_element(site: Site, body: Body) -> Sequence[str] | None:
    """Replace OptionalGetElement of a tensor by the tensor."""
    del body
    return [site.input(0)] if site.elem_type(0) else None


def conv_transpose(site: Site, body: Body) -> Sequence[str] | None:
    """Say the size of a ConvTranspose's output by paddings, where it is said by itself or by ``auto_pad``."""
    sizes, auto = site.attribute("output_shape"), site.attribute("auto_pad", "NOTSET")
    shape, weights = site.type_of(0).shape, site.shape(1)
    if (not sizes and auto == "NOTSET") or shape is None or weights is None or None in shape[2:]:
        return None
    count = len(shape) - 2
    kernel = site.attribute("kernel_shape") or list(weights[2:])
    strides, dilations = (site.attribute(name) or [1] * count for name in ("strides", "dilations"))
    further = list(site.attribute("output_padding") or [0] * count)
    begins, ends = [0] * count, [0] * count
    for axis in range(count):
        size, stride = shape[axis + 2] or 0, strides[axis]
        whole = stride * (size - 1) + dilations[axis] * (kernel[axis] - 1) + 1 + further[axis]
        wanted = sizes[-count:][axis] if sizes else whole if auto == "VALID" else size * stride
        if wanted > whole:
            further[axis] += wanted - whole
        half = max(0, whole - wanted) // 2
        rest = max(0, whole - wanted) - half
        begins[axis], ends[axis] = (half, rest) if auto == "SAME_UPPER" else (rest, half)
    if any(more >= max(pair) for more, *pair in zip(further, strides, dilations, strict=True)):
        # No output may be padded by so much.
        return None
    names = [name for name in site.node.input if name]
    group = site.attribute("group", 1)
    given: dict[str, Any] = {
        "kernel_shape": kernel,
        "strides": strides,
        "dilations": dilations,
        "output_padding": further,
    }
    return [body("ConvTranspose", *names, pads=[*begins, *ends], group=group, **given)]
