"""Elementwise operators and movements by others: Max of many inputs, BitShift, Clip, CumProd, Range, Compress."""

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import TensorProto, helper

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Decomposer, Site
from burn_verify.prepare.rewritings.axes import chosen

_WIDTHS: Mapping[int, int] = {
    TensorProto.UINT8: 8,
    TensorProto.UINT16: 16,
    TensorProto.UINT32: 32,
    TensorProto.INT8: 8,
    TensorProto.INT16: 16,
    TensorProto.INT32: 32,
}

_REALS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def chained(op_type: str) -> Decomposer:
    """Return a decomposer of a variadic operator to pairs."""

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        first, *others = site.node.input
        if len(others) == 1:
            return None
        for other in others:
            first = body(op_type, first, other)
        return [first]

    return decompose


def bit_shift(site: Site, body: Body) -> Sequence[str] | None:
    """Replace BitShift by arithmetic in int64, where shifts by the width or more, or negative ones, give 0."""
    dtype = site.elem_type()
    width = _WIDTHS.get(dtype)
    if width is None:
        return None
    value, places = (body.cast(name, TensorProto.INT64) for name in site.node.input)
    zero, limit = body.const([0]), body.const([width])
    fits = body("And", body("GreaterOrEqual", places, zero), body("Less", places, limit))
    inside = body.cast(fits, TensorProto.INT64)
    power = _power_of_two(body, body("Mul", places, inside))
    if site.attribute("direction") == "LEFT":
        found = body("Mul", _wrapped(body, body("Mul", value, power), width, dtype), inside)
    else:
        found = _shifted_right(body, value, power, fits)
    return [body.cast(found, dtype)]


def _shifted_right(body: Body, value: str, power: str, fits: str) -> str:
    """Return the quotient rounded down; -1 or 0 where everything is shifted out."""
    sign = body("Where", body("Less", value, body.const([0])), body.const([-1]), body.const([0]))
    # The quotient of integers is rounded to 0: what is below 0 is moved by the divisor less 1 before.
    moved = body("Add", value, body("Mul", sign, body("Sub", power, body.const([1]))))
    return body("Where", fits, body("Div", moved, power), sign)


def _power_of_two(body: Body, places: str) -> str:
    """Return 2 to the power of int64 values from 0 to 32."""
    table = body.const([1 << place for place in range(33)])
    return body("Gather", table, places, axis=0)


def _wrapped(body: Body, value: str, width: int, dtype: int) -> str:
    """Return int64 values modulo 2 to the power of a width, signed where the dtype is."""
    size = body.const([1 << width])
    value = body("Sub", value, body("Mul", body("Div", value, size), size))
    if dtype in (TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32):
        return value
    too_large = body.cast(body("GreaterOrEqual", value, body.const([1 << (width - 1)])), TensorProto.INT64)
    return body("Sub", value, body("Mul", too_large, size))


def clip(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Clip by Max and Min, which define what happens where the smallest is above the greatest."""
    value = site.input(0)
    if site.opset < 11 or len(site.node.input) < 2:
        return None
    for op_type, place in (("Max", 1), ("Min", 2)):
        if site.input(place):
            value = body(op_type, value, body("Expand", site.input(place), body.const([1])))
    return [value]


def cum_prod(site: Site, body: Body) -> Sequence[str] | None:
    """Replace CumProd by products of slices; the axis may come at run time."""
    shape, axis = site.shape(0), site.constant(1)
    if not shape or max(shape) > 256 or min(shape) < 1:
        return None
    axes = range(len(shape)) if axis is None else [int(axis.ravel()[0]) % len(shape)]
    return [chosen(body, site.input(1), axes, len(shape), lambda place: _products(site, body, place, shape[place]))]


def _products(site: Site, body: Body, axis: int, size: int) -> str:
    parts = [
        body("Slice", site.input(0), body.const([one]), body.const([one + 1]), body.const([axis]))
        for one in range(size)
    ]
    if site.attribute("reverse", 0):
        parts.reverse()
    found = []
    running = body("Add", body("Sub", parts[0], parts[0]), _one(body, site.elem_type()))
    for part in parts:
        before, running = running, body("Mul", running, part)
        found.append(before if site.attribute("exclusive", 0) else running)
    if site.attribute("reverse", 0):
        found.reverse()
    return body("Concat", *found, axis=axis) if len(found) > 1 else found[0]


def _one(body: Body, elem_type: int) -> str:
    return body.const(np.ones(1), elem_type or TensorProto.FLOAT)


def range_of(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Range of constants by its values, and others of half precision by those in float32."""
    if site.elem_type(0) in (TensorProto.FLOAT16, TensorProto.BFLOAT16) and site.constant(1) is None:
        return [
            body.cast(
                body("Range", *(body.cast(name, TensorProto.FLOAT) for name in site.node.input)), site.elem_type(0)
            )
        ]
    ends = [site.constant(place) for place in range(3)]
    if any(one is None or one.size != 1 for one in ends):
        return None
    start, limit, step = (one.ravel()[0] for one in ends if one is not None)
    if step == 0:
        return None
    count = max(0, int(np.ceil((float(limit) - float(start)) / float(step))))
    if count > 1 << 20:
        return None
    dtype = helper.tensor_dtype_to_np_dtype(site.elem_type())
    values = (np.arange(count).astype(np.float64) * np.float64(step) + np.float64(start)).astype(dtype)
    return [body.scalar(values, site.elem_type())]


def compress(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Compress by Gather at the places that NonZero finds."""
    axis, value = site.attribute("axis"), site.input(0)
    if axis is None:
        value, axis = body("Reshape", value, body.const([-1])), 0
    found = body("NonZero", site.input(1))
    places = body("Reshape", found, body.const([-1]))
    return [body("Gather", value, places, axis=axis)]


def matmul_of_vectors(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a MatMul of two vectors by a sum of products."""
    if site.rank(0) != 1 or site.rank(1) != 1:
        return None
    product = body("Mul", site.input(0), site.input(1))
    return [body("ReduceSum", product, body.const([0]), keepdims=0)]


def gemm_of_computed(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a Gemm whose weights are no constant by MatMul and Add."""
    dtype = site.elem_type(0) or TensorProto.FLOAT
    if site.constant(1) is not None or dtype not in _REALS:
        return None
    left, right = (
        body("Transpose", site.input(place), perm=[1, 0]) if site.attribute(name, 0) else site.input(place)
        for place, name in enumerate(("transA", "transB"))
    )
    found = _times(body, body("MatMul", left, right), site.attribute("alpha", 1.0), dtype)
    if not site.input(2):
        return [found]
    return [body("Add", found, _times(body, site.input(2), site.attribute("beta", 1.0), dtype))]


def _times(body: Body, value: str, factor: float, dtype: int) -> str:
    return value if factor == 1 else body("Mul", value, body.const([factor], dtype))


def reverse_sequence(site: Site, body: Body) -> Sequence[str] | None:
    """Replace ReverseSequence by Gather at computed places."""
    shape = site.shape(0)
    if shape is None or len(shape) < 2:
        return None
    batch, time = site.attribute("batch_axis", 1), site.attribute("time_axis", 0)
    moved = body("Transpose", site.input(0), perm=_first(len(shape), batch, time))
    lengths = body("Reshape", site.input(1), body.const([-1, 1]))
    steps = body.const(np.arange(shape[time]).reshape(1, -1))
    inside = body("Less", steps, lengths)
    back = body("Sub", body("Sub", lengths, body.const([[1]])), steps)
    places = body("Where", inside, back, steps)
    rest = [shape[axis] for axis in _first(len(shape), batch, time)[2:]]
    flat = body("Reshape", places, body.const([shape[batch], shape[time], *[1] * len(rest)]))
    wide = body("Expand", flat, body.const([shape[batch], shape[time], *rest]))
    found = body("GatherElements", moved, wide, axis=1)
    order = _first(len(shape), batch, time)
    return [body("Transpose", found, perm=[order.index(axis) for axis in range(len(shape))])]


def _first(rank: int, *axes: int) -> list[int]:
    return [*axes, *(axis for axis in range(rank) if axis not in axes)]
