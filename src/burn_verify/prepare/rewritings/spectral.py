"""DFT as products with matrices of cosines and sines."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site
from burn_verify.prepare.rewritings.axes import chosen

_LONGEST = 2048


def dft(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a DFT of known sizes; the axis may come at run time where the declared output allows."""
    shape, result = site.shape(0), site.result().static
    if shape is None or result is None or len(shape) != len(result) or site.elem_type() != TensorProto.FLOAT:
        return None
    rank = len(shape)
    axes = [axis for axis in _axes(site, rank) if _fits(site, shape, result, axis)]
    if not axes:
        return None
    return [chosen(body, site.input(2), axes, rank, lambda axis: _along(site, body, shape, result, axis))]


def _axes(site: Site, rank: int) -> Sequence[int]:
    """Return the axes that are possible; the last one holds the parts of a complex number."""
    if site.opset < 20:
        return [site.attribute("axis", 1) % rank]
    if not site.input(2):
        return [rank - 2]
    axis = site.constant(2)
    return range(rank - 1) if axis is None else [int(axis.ravel()[0]) % rank]


def _fits(site: Site, shape: Sequence[int], result: Sequence[int], axis: int) -> bool:
    others = all(a == b for place, (a, b) in enumerate(zip(shape[:-1], result[:-1], strict=True)) if place != axis)
    length = _length(site, shape, result, axis)
    if length is None or not 0 < length <= _LONGEST:
        return False
    onesided, inverse = site.attribute("onesided", 0), site.attribute("inverse", 0)
    wanted = length // 2 + 1 if onesided and not inverse else length
    return others and result[axis] == wanted


def _length(site: Site, shape: Sequence[int], result: Sequence[int], axis: int) -> int | None:
    """Return the length of the transformed signal."""
    given = site.constant(1)
    if given is not None:
        return int(given.ravel()[0])
    onesided, inverse = site.attribute("onesided", 0), site.attribute("inverse", 0)
    if not onesided or inverse:
        return result[axis]
    return None if site.input(1) else shape[axis]


def _along(site: Site, body: Body, shape: Sequence[int], result: Sequence[int], axis: int) -> str:
    length = _length(site, shape, result, axis)
    assert length is not None
    taken = min(shape[axis], length)
    value = site.input(0)
    if taken < shape[axis]:
        value = body("Slice", value, body.const([0]), body.const([taken]), body.const([axis]))
    order = [*(place for place in range(len(shape) - 1) if place != axis), axis]
    parts = [_part(body, value, place, len(shape), order) for place in range(shape[-1])]
    angle = 2 * np.pi * np.outer(np.arange(taken), np.arange(result[axis])) / length
    if site.attribute("inverse", 0):
        return _inverse(site, body, parts, angle, length, result, order)
    real = _sum(body, parts, np.cos(angle), np.sin(angle))
    imaginary = _sum(body, parts, -np.sin(angle), np.cos(angle))
    return _joined(body, [real, imaginary], order)


def _inverse(
    site: Site,
    body: Body,
    parts: Sequence[str],
    angle: "np.typing.NDArray[np.float64]",
    length: int,
    result: Sequence[int],
    order: Sequence[int],
) -> str:
    weights = np.ones((len(angle), 1)) / length
    if site.attribute("onesided", 0):
        # The other half is the conjugate of this one: what has a partner there counts twice.
        twice = [place for place in range(len(angle)) if place and 2 * place != length]
        weights[twice] *= 2
    cosines, sines = weights * np.cos(angle), weights * np.sin(angle)
    real = _sum(body, parts, cosines, -sines)
    if result[-1] == 1:
        return _joined(body, [real], order)
    return _joined(body, [real, _sum(body, parts, sines, cosines)], order)


def _part(body: Body, value: str, place: int, rank: int, order: Sequence[int]) -> str:
    """Return the real or the imaginary part, with the transformed axis last."""
    part = body("Slice", value, body.const([place]), body.const([place + 1]), body.const([rank - 1]))
    flat = body("Squeeze", part, body.const([rank - 1]))
    return flat if list(order) == sorted(order) else body("Transpose", flat, perm=list(order))


def _sum(body: Body, parts: Sequence[str], *matrices: "np.typing.NDArray[np.float64]") -> str:
    """Return the sum of products; a real signal has no second part."""
    products = [
        body("MatMul", part, body.const(matrix, TensorProto.FLOAT))
        for part, matrix in zip(parts, matrices, strict=False)
    ]
    return products[0] if len(products) == 1 else body("Add", *products)


def _joined(body: Body, parts: Sequence[str], order: Sequence[int]) -> str:
    back = [list(order).index(axis) for axis in range(len(order))]
    moved = [part if back == sorted(back) else body("Transpose", part, perm=back) for part in parts]
    wide = [body("Unsqueeze", part, body.const([len(order)])) for part in moved]
    return wide[0] if len(wide) == 1 else body("Concat", *wide, axis=len(order))
