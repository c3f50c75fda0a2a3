"""Quantised operators by arithmetic in float32: what is exact in integers stays exact up to 24 bits.

DequantizeLinear, the operator in float32 and QuantizeLinear are each written by elementwise operators, so that blocks,
scales of rank 0 and narrow dtypes are no question any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Decomposer, Site

_RANGES: Final[Mapping[int, tuple[int, int]]] = {
    TensorProto.UINT8: (0, 255),
    TensorProto.INT8: (-128, 127),
    TensorProto.UINT16: (0, 65535),
    TensorProto.INT16: (-32768, 32767),
}
_FLOAT = TensorProto.FLOAT


def dequantize(site: Site, body: Body) -> Sequence[str] | None:
    """Replace DequantizeLinear by a subtraction and a product."""
    rank, axis, block = site.rank(0), site.attribute("axis", 1), site.attribute("block_size", 0)
    if rank is None or site.rank(1) is None or site.elem_type(0) not in (*_RANGES, TensorProto.INT32):
        return None
    scale, zero = (_spread(site, body, place, axis, block) for place in (1, 2))
    if scale is None or (site.input(2) and zero is None):
        return None
    found = _real(body, site.input(0), body.cast(scale, _FLOAT), zero)
    wanted = site.elem_type(1)
    return [found if wanted == _FLOAT else body.cast(found, wanted)]


def quantize(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QuantizeLinear by a quotient that is rounded and clipped."""
    rank, axis, block = site.rank(0), site.attribute("axis", 1), site.attribute("block_size", 0)
    dtype = site.elem_type(2) or site.attribute("output_dtype", 0) or TensorProto.UINT8
    if rank is None or site.rank(1) is None or dtype not in _RANGES or site.elem_type(0) not in _REALS:
        return None
    scale, zero = (_spread(site, body, place, axis, block) for place in (1, 2))
    if scale is None or (site.input(2) and zero is None):
        return None
    return [_whole(body, body.cast(site.input(0), _FLOAT), body.cast(scale, _FLOAT), zero, dtype)]


_REALS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT32)


def _spread(site: Site, body: Body, place: int, axis: int, block: int) -> str | None:
    """Return a scale or a zero point in a shape that broadcasts with the value; None where it cannot be told."""
    name, rank, own = site.input(place), site.rank(0), site.type_of(place).shape
    if not name or rank is None or own is None:
        return None
    if block:
        return _blocks(site, body, name, axis % rank, block)
    if len(own) == 0:
        return _one(site, body, place)
    if own == (1,):
        return body("Reshape", name, body.const([1]))
    shape = [1] * rank
    shape[axis % rank] = -1
    return body("Reshape", name, body.const(shape))


def _blocks(site: Site, body: Body, name: str, axis: int, block: int) -> str | None:
    """Return scales by block, each repeated for the elements of its block."""
    shape = site.shape(0)
    if shape is None:
        return None
    places = body.const(np.arange(shape[axis]) // block)
    return body("Gather", name, places, axis=axis)


def _real(body: Body, value: str, scale: str, zero: str | None) -> str:
    found = body.cast(value, _FLOAT)
    if zero is not None:
        found = body("Sub", found, body.cast(zero, _FLOAT))
    return body("Mul", found, scale)


def _whole(body: Body, value: str, scale: str, zero: str | None, dtype: int) -> str:
    """Return integers of a float32 value: rounded to even, moved by the zero point, clipped to the dtype."""
    low, high = (body.const([float(end)], _FLOAT) for end in _RANGES[dtype])
    found = body("Round", body("Div", value, scale))
    if zero is not None:
        found = body("Add", found, body.cast(zero, _FLOAT))
    return body.cast(body("Min", body("Max", found, low), high), dtype)


def _one(site: Site, body: Body, place: int) -> str:
    """Return a per-tensor scale or zero point in the shape [1]; burn-onnx refuses constants of 8 bits of rank 0."""
    if site.rank(place) != 0:
        return site.input(place)
    value = site.constant(place)
    if value is not None:
        return body.const(value, site.elem_type(place))
    return body("Expand", site.input(place), body.const([1]))


def _pair(site: Site, body: Body, place: int) -> str:
    """Return the real value of an input that is followed by its scale and zero point, per tensor."""
    scale = body.cast(_one(site, body, place + 1), _FLOAT)
    zero = _one(site, body, place + 2) if site.input(place + 2) else None
    return _real(body, site.input(place), scale, zero)


def _result(site: Site, body: Body, value: str, place: int) -> str | None:
    """Return the integers of a value; its scale and zero point are at a place and the next."""
    dtype = site.elem_type(place + 1) or site.elem_type(0)
    if dtype not in _RANGES:
        return None
    scale = body.cast(_one(site, body, place), _FLOAT)
    zero = _one(site, body, place + 1) if site.input(place + 1) else None
    return _whole(body, value, scale, zero, dtype)


def _is_per_tensor(site: Site, place: int) -> bool:
    return not site.input(place) or site.type_of(place).static in ((), (1,))


def _is_per_column(site: Site, place: int, operand: int) -> bool:
    """Return whether a scale or a zero point is one number, or one for each column of a matrix."""
    columns = site.type_of(operand).shape
    by_column = columns is not None and len(columns) == 2 and site.type_of(place).static == columns[1:]
    return by_column or _is_per_tensor(site, place)


def qlinear_matmul(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QLinearMatMul by a product of whole numbers in float32, exact up to 24 bits, and one factor."""
    per_tensor = all(_is_per_tensor(site, place) for place in (1, 2, 6, 7))
    if not per_tensor or not all(_is_per_column(site, place, 3) for place in (4, 5)):
        return None
    product = body("MatMul", _moved(site, body, 0, 2), _moved(site, body, 3, 5))
    found = _requantised(site, body, product, _scale(site, body, 4), [])
    return None if found is None else [found]


def _scale(site: Site, body: Body, place: int) -> str:
    return body.cast(_one(site, body, place), _FLOAT)


def _requantised(site: Site, body: Body, product: str, scale: str, wide: Sequence[int]) -> str | None:
    """Return the integers of a product of whole numbers, multiplied by one factor as ONNX Runtime does it.

    Arguments:
        scale: of the right operand.
        wide: the shape in which the factor broadcasts; empty where it is one number.
    """
    dtype = site.elem_type(7) or site.elem_type(0)
    if dtype not in _RANGES:
        return None
    factor = body("Div", body("Mul", _scale(site, body, 1), scale), _scale(site, body, 6))
    if wide:
        factor = body("Reshape", factor, body.const(list(wide)))
    low, high = (body.const([float(end)], _FLOAT) for end in _RANGES[dtype])
    found = body("Round", body("Mul", product, factor))
    if site.input(7):
        found = body("Add", found, body.cast(_one(site, body, 7), _FLOAT))
    return body.cast(body("Min", body("Max", found, low), high), dtype)


def qlinear_conv(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QLinearConv by a convolution of whole numbers in float32, exact up to 24 bits, and a factor a channel."""
    rank, scale = site.rank(3), site.type_of(4).static
    if rank is None or scale is None:
        return None
    wide = [1, -1, *[1] * (rank - 2)]
    weights = body.cast(site.input(3), _FLOAT)
    if site.input(5):
        zero = body.cast(_one(site, body, 5), _FLOAT)
        weights = body("Sub", weights, body("Reshape", zero, body.const([-1, *[1] * (rank - 1)])))
    product = body("Conv", _moved(site, body, 0, 2), weights, **_attributes(site, 3))
    if site.input(8):
        # The bias is in units of the product already.
        product = body("Add", product, body("Reshape", body.cast(site.input(8), _FLOAT), body.const(wide)))
    found = _requantised(site, body, product, _scale(site, body, 4), wide if scale not in ((), (1,)) else [])
    return None if found is None else [found]


def _attributes(site: Site, place: int) -> dict[str, Any]:
    """Return the attributes of a convolution; burn-onnx needs the kernel's shape where the weights are computed."""
    names = ("auto_pad", "dilations", "group", "pads", "strides")
    found = {name: site.attribute(name) for name in names}
    weights = site.shape(place)
    return {**found, "kernel_shape": site.attribute("kernel_shape") or (list(weights[2:]) if weights else None)}


def conv_integer(site: Site, body: Body) -> Sequence[str] | None:
    """Replace ConvInteger by a convolution in float32, exact up to 24 bits."""
    value, weights = (_moved(site, body, place, place + 2) for place in (0, 1))
    product = body("Conv", value, weights, **_attributes(site, 1))
    return [body.cast(product, TensorProto.INT32)]


def matmul_integer(site: Site, body: Body) -> Sequence[str] | None:
    """Replace MatMulInteger by a product in float32, exact up to 24 bits."""
    if not _is_per_tensor(site, 2) or not _is_per_column(site, 3, 1):
        return None
    product = body("MatMul", _moved(site, body, 0, 2), _moved(site, body, 1, 3))
    return [body.cast(product, TensorProto.INT32)]


def _moved(site: Site, body: Body, place: int, zero: int) -> str:
    found = body.cast(site.input(place), _FLOAT)
    known = site.constant(zero)
    if not site.input(zero) or (known is not None and not known.any()):
        return found
    return body("Sub", found, body.cast(_one(site, body, zero), _FLOAT))


# ── com.microsoft ────────────────────────────────────────────────────────────────────────────────────────────────────


def elementwise(op_type: str) -> Decomposer:
    """Return a decomposer of QLinearAdd or QLinearMul."""

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        found = _result(site, body, body(op_type, _pair(site, body, 0), _pair(site, body, 3)), 6)
        return None if found is None else [found]

    return decompose


def unary(op_type: str, *names: str) -> Decomposer:
    """Return a decomposer of QLinearSigmoid, QLinearLeakyRelu and the like."""

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        given = {name: site.attribute(name) for name in names}
        found = _result(site, body, body(op_type, _pair(site, body, 0), **given), 3)
        return None if found is None else [found]

    return decompose


def global_average_pool(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QLinearGlobalAveragePool."""
    value, last = _pair(site, body, 0), bool(site.attribute("channels_last", 0))
    rank = site.rank(0)
    if rank is None:
        # Its own domain has no shape inference; images have four dimensions, and the declared output the same.
        shape = site.result().shape
        rank = 4 if shape is None else len(shape)
    axes = list(range(1, rank - 1) if last else range(2, rank))
    mean = body.reduced("ReduceMean", value, axes, site.opset)
    found = _result(site, body, mean, 3)
    return None if found is None else [found]


def concat(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QLinearConcat."""
    count = (len(site.node.input) - 2) // 3
    values = [_pair(site, body, 2 + 3 * place) for place in range(count)]
    joined = body("Concat", *values, axis=site.attribute("axis", 0))
    dtype = site.elem_type(1)
    if dtype not in _RANGES:
        return None
    scale, zero = (_one(site, body, place) for place in (0, 1))
    return [_whole(body, joined, scale, zero, dtype)]
