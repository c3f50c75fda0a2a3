"""Resize as a product with a matrix for each axis, or as a Gather; the formulas are those of ONNX's operator.

The sizes of input and output have to be known, as the model declares them; scales and the region may come at run time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """One axis that is resized.

    Attributes:
        place: its place among the axes of the node.
        scale: the name of a float32 value [1].
        region: the names of start and end of the region, float32 [1]; empty where there is none.
    """

    axis: int
    place: int
    before: int
    after: int
    scale: str
    region: tuple[str, str] | tuple[()] = ()


def resize(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a Resize of opset 11 or later."""
    shape, result = site.shape(0), site.result().static
    if site.opset < 11 or shape is None or result is None or len(shape) != len(result) or 0 in (*shape, *result):
        return None
    axes = [axis % len(shape) for axis in site.attribute("axes") or range(len(shape))]
    dtype = site.elem_type()
    value = site.input(0) if dtype == TensorProto.FLOAT else body.cast(site.input(0), TensorProto.FLOAT)
    nearest = site.attribute("mode", "nearest") == "nearest"
    for place, axis in enumerate(axes):
        about = _axis(site, body, axes, place, axis, shape, result)
        if nearest:
            value = _gathered(site, body, value, about)
        elif shape[axis] != result[axis] or _crops(site):
            value = _multiplied(site, body, value, about, len(shape))
    if _crops(site):
        value = _extrapolated(
            site, body, value, [_axis(site, body, axes, p, a, shape, result) for p, a in enumerate(axes)], len(shape)
        )
    return [value if dtype == TensorProto.FLOAT else body.cast(_rounded(body, value, dtype), dtype)]


def _rounded(body: Body, value: str, dtype: int) -> str:
    return value if dtype in (*_FLOATS, TensorProto.BFLOAT16) else body("Round", value)


def _crops(site: Site) -> bool:
    return bool(site.attribute("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")


def _axis(
    site: Site, body: Body, axes: Sequence[int], place: int, axis: int, shape: Sequence[int], result: Sequence[int]
) -> _Axis:
    region: tuple[str, str] | tuple[()] = ()
    if _crops(site):
        roi = body.cast(site.input(1), TensorProto.FLOAT)
        region = _at(body, roi, place), _at(body, roi, place + len(axes))
    scale = _scale(site, body, axes, place, shape, result)
    return _Axis(axis=axis, place=place, before=shape[axis], after=result[axis], scale=scale, region=region)


def _scale(site: Site, body: Body, axes: Sequence[int], place: int, shape: Sequence[int], result: Sequence[int]) -> str:
    axis = axes[place]
    if site.input(2):
        return _at(body, site.input(2), place)
    policy = site.attribute("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch" or not site.input(3):
        return body.const([result[axis] / shape[axis]], TensorProto.FLOAT)
    sizes = body.cast(site.input(3), TensorProto.FLOAT)
    ratios = body("Div", sizes, body.const([float(shape[axis]) for axis in axes], TensorProto.FLOAT))
    # The same scale for all axes: the smallest or the greatest.
    chosen = min if policy == "not_larger" else max
    parts = [_at(body, ratios, number) for number in range(len(axes))]
    name = parts[0]
    for part in parts[1:]:
        name = body("Min" if chosen is min else "Max", name, part)
    return name


def _at(body: Body, vector: str, place: int) -> str:
    """Return one element of a vector, with the shape [1]."""
    return body("Slice", vector, body.const([place]), body.const([place + 1]), body.const([0]))


def _coordinates(site: Site, body: Body, about: _Axis) -> str:
    """Return where each element of the result lies in the input, float32 [after]."""
    mode = site.attribute("coordinate_transformation_mode", "half_pixel")
    places = np.arange(about.after, dtype=np.float32)
    if mode == "pytorch_half_pixel" and about.after == 1:
        return body.const([0.0], TensorProto.FLOAT)
    if mode == "asymmetric":
        return body("Div", body.const(places), about.scale)
    if mode == "align_corners":
        return _corners(body, about, places)
    if about.region:
        return _cropped(body, about, places)
    found = body("Sub", body("Div", body.const(places + 0.5, TensorProto.FLOAT), about.scale), body.const([0.5]))
    if mode != "half_pixel_symmetric":
        return found
    width = body("Mul", about.scale, body.const([float(about.before)]))
    adjusted = body("Div", body.const([float(about.after)]), width)
    offset = body("Mul", body.const([about.before / 2]), body("Sub", body.const([1.0]), adjusted))
    return body("Add", found, offset)


def _corners(body: Body, about: _Axis, places: "np.typing.NDArray[np.float32]") -> str:
    if about.after == 1:
        return body.const([0.0], TensorProto.FLOAT)
    width = body("Sub", body("Mul", about.scale, body.const([float(about.before)])), body.const([1.0]))
    return body("Div", body.const(places * (about.before - 1), TensorProto.FLOAT), width)


def _cropped(body: Body, about: _Axis, places: "np.typing.NDArray[np.float32]") -> str:
    start, end = about.region  # type: ignore[misc]
    last = body.const([float(about.before - 1)])
    if about.after == 1:
        return body("Mul", body("Mul", body("Add", start, end), body.const([0.5])), last)
    step = body("Div", body("Mul", body("Sub", end, start), last), body.const([float(about.after - 1)]))
    return body("Add", body("Mul", start, last), body("Mul", body.const(places), step))


def _gathered(site: Site, body: Body, value: str, about: _Axis) -> str:
    """Return an axis resized to the nearest elements."""
    mode = site.attribute("nearest_mode", "round_prefer_floor")
    found = _coordinates(site, body, about)
    half = body.const([0.5])
    if mode == "round_prefer_floor":
        found = body("Ceil", body("Sub", found, half))
    elif mode == "round_prefer_ceil":
        found = body("Floor", body("Add", found, half))
    else:
        found = body("Floor" if mode == "floor" else "Ceil", found)
    inside = body("Min", body("Max", found, body.const([0.0])), body.const([float(about.before - 1)]))
    return body("Gather", value, body.cast(inside, TensorProto.INT64), axis=about.axis)


def _multiplied(site: Site, body: Body, value: str, about: _Axis, rank: int) -> str:
    """Return an axis resized by a matrix [before, after]."""
    matrix = _matrix(site, body, about)
    order = [axis for axis in range(rank) if axis != about.axis] + [about.axis]
    if about.axis == rank - 1:
        return body("MatMul", value, matrix)
    moved = body("MatMul", body("Transpose", value, perm=order), matrix)
    return body("Transpose", moved, perm=[order.index(axis) for axis in range(rank)])


def _matrix(site: Site, body: Body, about: _Axis) -> str:
    """Return the weights of each element of the input, float32 [before, after]."""
    cubic = site.attribute("mode") == "cubic"
    shrinks = bool(site.attribute("antialias", 0)) and about.after < about.before
    stretch = about.before / about.after if shrinks else 1.0
    margin = math.ceil((2 if cubic else 1) * stretch) + 2
    positions = np.arange(-margin, about.before + margin, dtype=np.float32).reshape(-1, 1)
    found = _coordinates(site, body, about)
    distance = body("Sub", found, body.const(positions))
    if shrinks:
        distance = body("Mul", distance, about.scale)
    # The sign decides on which side an element at the edge of the kernel counts; the weights there are 0.
    distance = body("Abs", distance)
    weights = _cubic(site, body, distance) if cubic else _linear(body, distance)
    outside = ((positions < 0) | (positions >= about.before)).astype(np.float32)
    if site.attribute("exclude_outside", 0):
        weights = body("Mul", weights, body.const(1 - outside, TensorProto.FLOAT))
    if site.attribute("exclude_outside", 0) or shrinks:
        weights = body("Div", weights, body("ReduceSum", weights, body.const([0]), keepdims=1))
    clamped = np.clip(positions.ravel(), 0, about.before - 1).astype(int)
    edges = (clamped == np.arange(about.before)[:, None]).astype(np.float32)
    return body("MatMul", body.const(edges), weights)


def _linear(body: Body, distance: str) -> str:
    return body("Relu", body("Sub", body.const([1.0]), distance))


def _cubic(site: Site, body: Body, distance: str) -> str:
    a = site.attribute("cubic_coeff_a", -0.75)
    square = body("Mul", distance, distance)
    cube = body("Mul", square, distance)
    near = body(
        "Add", body("Sub", body("Mul", cube, _c(body, a + 2)), body("Mul", square, _c(body, a + 3))), _c(body, 1)
    )
    far = body("Sub", body("Mul", cube, _c(body, a)), body("Mul", square, _c(body, 5 * a)))
    far = body("Sub", body("Add", far, body("Mul", distance, _c(body, 8 * a))), _c(body, 4 * a))
    is_near = body.cast(body("LessOrEqual", distance, _c(body, 1)), TensorProto.FLOAT)
    is_far = body.cast(body("Less", distance, _c(body, 2)), TensorProto.FLOAT)
    is_far = body("Sub", is_far, is_near)
    return body("Add", body("Mul", near, is_near), body("Mul", far, is_far))


def _c(body: Body, value: float) -> str:
    return body.const([value], TensorProto.FLOAT)


def _extrapolated(site: Site, body: Body, value: str, axes: Sequence[_Axis], rank: int) -> str:
    """Put the extrapolation value where a coordinate lies outside of the input."""
    fill = body.const([site.attribute("extrapolation_value", 0.0)], TensorProto.FLOAT)
    for about in axes:
        found = _coordinates(site, body, about)
        low = body.cast(body("GreaterOrEqual", found, _c(body, 0)), TensorProto.FLOAT)
        high = body.cast(body("LessOrEqual", found, _c(body, about.before - 1)), TensorProto.FLOAT)
        shape = [1] * rank
        shape[about.axis] = about.after
        inside = body("Reshape", body("Mul", low, high), body.const(shape))
        outside = body("Mul", body("Sub", _c(body, 1), inside), fill)
        value = body("Add", body("Mul", value, inside), outside)
    return value
