"""Operators of the first opsets that are no part of the standard any more: Affine, Crop, ImageScaler, Scale.

Their models are older than opset 13, so these decompositions use nodes that all opsets have.
"""

from collections.abc import Sequence

from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site


def _number(site: Site, body: Body, name: str, default: float) -> str:
    return body.const([site.attribute(name, default)], TensorProto.FLOAT)


def affine(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Affine by a product and a sum."""
    scaled = body("Mul", site.input(0), _number(site, body, "alpha", 1.0))
    return [body("Add", scaled, _number(site, body, "beta", 0.0))]


def image_scaler(site: Site, body: Body) -> Sequence[str] | None:
    """Replace ImageScaler by a product and a sum of a bias for each channel."""
    scaled = body("Mul", site.input(0), _number(site, body, "scale", 1.0))
    bias = site.attribute("bias")
    if not bias:
        return [scaled]
    shaped = body.scalar([[[[one]] for one in bias]], TensorProto.FLOAT)
    return [body("Add", scaled, shaped)]


def crop(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Crop by a Slice: what the border takes away, or a part of a given size."""
    border = site.attribute("border")
    if not border or len(border) != 4:
        return None
    left, top, right, bottom = border
    scale = site.attribute("scale")
    ends = [top + scale[0], left + scale[1]] if scale else [-bottom or 1 << 31, -right or 1 << 31]
    if site.opset < 10:
        return [body("Slice", site.input(0), starts=[top, left], ends=ends, axes=[2, 3])]
    return [body("Slice", site.input(0), body.const([top, left]), body.const(ends), body.const([2, 3]))]
