"""Images and volumes read at computed places: GridSample and RoiAlign, by gathering and weighing neighbours."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site

_FLOAT = TensorProto.FLOAT
_CUBIC = -0.75


def grid_sample(site: Site, body: Body) -> Sequence[str] | None:
    """Replace GridSample of known sizes, with zeros or the border outside."""
    shape, grid, dtype = site.shape(0), site.shape(1), site.elem_type(0)
    padding = site.attribute("padding_mode", "zeros")
    if shape is None or grid is None or len(shape) != len(grid) or dtype != _FLOAT or padding == "reflection":
        return None
    sizes, spatial = shape[2:], len(shape) - 2
    count = int(np.prod(grid[1:-1]))
    flat = body("Reshape", site.input(1), body.const([grid[0], count, spatial]))
    # The last coordinate of the grid is the first spatial axis.
    places = [_place(site, body, flat, spatial - 1 - axis, sizes[axis]) for axis in range(spatial)]
    taps = [_taps(site, body, place) for place in places]
    image = body("Reshape", site.input(0), body.const([shape[0], shape[1], int(np.prod(sizes))]))
    total = ""
    for chosen in product(*taps):
        part = _read(body, image, chosen, sizes, shape[1], zeros=padding == "zeros")
        total = body("Add", total, part) if total else part
    return [body("Reshape", total, body.const([shape[0], shape[1], *grid[1:-1]]))]


def _place(site: Site, body: Body, grid: str, column: int, size: int) -> str:
    """Return a coordinate in units of elements, float32 [batch, places]."""
    value = body("Slice", grid, body.const([column]), body.const([column + 1]), body.const([2]))
    value = body("Squeeze", value, body.const([2]))
    if site.attribute("align_corners", 0):
        found = body("Mul", body("Add", value, body.const([1.0])), body.const([(size - 1) / 2], _FLOAT))
    else:
        scaled = body("Mul", body("Add", value, body.const([1.0])), body.const([float(size)]))
        found = body("Mul", body("Sub", scaled, body.const([1.0])), body.const([0.5]))
    cubic = site.attribute("mode", "linear") in ("cubic", "bicubic")
    if site.attribute("padding_mode") == "border" and not cubic:
        found = body("Min", body("Max", found, body.const([0.0])), body.const([float(size - 1)]))
    return found


def _taps(site: Site, body: Body, place: str) -> list[tuple[str, str]]:
    """Return positions, whole numbers as float32, and their weights; an empty weight is 1."""
    mode = site.attribute("mode", "linear")
    if mode == "nearest":
        return [(body("Round", place), "")]
    low = body("Floor", place)
    part = body("Sub", place, low)
    if mode in ("linear", "bilinear"):
        rest = body("Sub", body.const([1.0]), part)
        return [(low, rest), (body("Add", low, body.const([1.0])), part)]
    found = []
    for offset in (-1.0, 0.0, 1.0, 2.0):
        distance = body("Abs", body("Sub", part, body.const([offset])))
        found.append((body("Add", low, body.const([offset])), _cubic(body, distance, near=offset in (0.0, 1.0))))
    return found


def _cubic(body: Body, distance: str, *, near: bool) -> str:
    a = _CUBIC
    factors = (a + 2, -(a + 3), 0.0, 1.0) if near else (a, -5 * a, 8 * a, -4 * a)
    found = body.const([factors[0]], _FLOAT)
    for factor in factors[1:]:
        found = body("Add", body("Mul", found, distance), body.const([factor], _FLOAT))
    return found


def _read(
    body: Body, image: str, taps: Sequence[tuple[str, str]], sizes: Sequence[int], channels: int, *, zeros: bool
) -> str:
    """Return the elements at some positions times their weights, [batch, channels, places]."""
    index = weight = ""
    for (position, own), size in zip(taps, sizes, strict=True):
        inside = body("Min", body("Max", position, body.const([0.0])), body.const([float(size - 1)]))
        if zeros:
            mask = body.cast(body("Equal", inside, position), _FLOAT)
            own = body("Mul", own, mask) if own else mask
        if own:
            weight = body("Mul", weight, own) if weight else own
        whole = body.cast(inside, TensorProto.INT64)
        index = body("Add", body("Mul", index, body.const([size])), whole) if index else whole
    wide = body("Unsqueeze", index, body.const([1]))
    # A sum with zeros of the full shape, as an Expand needs the batch.
    lanes = body("Add", wide, body.const(np.zeros((1, channels, 1), np.int64)))
    found = body("GatherElements", image, lanes, axis=2)
    return body("Mul", found, body("Unsqueeze", weight, body.const([1]))) if weight else found


def roi_align(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a RoiAlign of known sizes and a fixed number of samples in each bin."""
    shape, rois = site.shape(0), site.shape(1)
    ratio = site.attribute("sampling_ratio", 0)
    if shape is None or rois is None or ratio < 1 or site.elem_type(0) != _FLOAT:
        return None
    bins = [site.attribute("output_height", 1), site.attribute("output_width", 1)]
    image = body("Gather", site.input(0), site.input(2), axis=0)
    flat = body("Reshape", image, body.const([rois[0], shape[1], shape[2] * shape[3]]))
    places = [_samples(site, body, axis, bins[axis] * ratio, ratio) for axis in (0, 1)]
    rows, columns = places
    grid = [body("Unsqueeze", rows, body.const([2])), body("Unsqueeze", columns, body.const([1]))]
    reads = _four(body, flat, grid, shape, [rois[0], bins[0] * ratio, bins[1] * ratio])
    # The greatest of the four weighed neighbours, or their sum.
    joins = "Max" if site.attribute("mode", "avg") == "max" else "Add"
    total = reads[0]
    for part in reads[1:]:
        total = body(joins, total, part)
    split = body("Reshape", total, body.const([rois[0], shape[1], bins[0], ratio, bins[1], ratio]))
    return [body.reduced("ReduceMax" if joins == "Max" else "ReduceMean", split, [3, 5], site.opset, keepdims=0)]


def _samples(site: Site, body: Body, axis: int, count: int, ratio: int) -> str:
    """Return the places of the samples along an axis, float32 [regions, samples]."""
    scale = body.const([site.attribute("spatial_scale", 1.0)], _FLOAT)
    half = site.attribute("coordinate_transformation_mode", "half_pixel" if site.opset >= 16 else "output_half_pixel")
    moved = 0.5 if half == "half_pixel" else 0.0
    ends = []
    for column in (1 - axis, 3 - axis):
        one = body("Slice", site.input(1), body.const([column]), body.const([column + 1]), body.const([1]))
        ends.append(body("Sub", body("Mul", one, scale), body.const([moved], _FLOAT)))
    size = body("Sub", ends[1], ends[0])
    if not moved:
        size = body("Max", size, body.const([1.0]))
    steps = body.const(((np.arange(count) + 0.5) / count).reshape(1, -1), _FLOAT)
    del ratio
    return body("Add", ends[0], body("Mul", size, steps))


def _four(body: Body, image: str, grid: Sequence[str], shape: Sequence[int], wide: Sequence[int]) -> list[str]:
    """Return the four neighbours of each sample with their weights, each [regions, channels, samples]."""
    sides, outside = [], ""
    for place, size in zip(grid, shape[2:], strict=True):
        beyond = body("Or", body("Less", place, body.const([-1.0])), body("Greater", place, body.const([float(size)])))
        outside = body("Or", outside, beyond) if outside else beyond
        sides.append(_two(body, place, size))
    inside = body.cast(body("Not", outside), _FLOAT)
    found = []
    for (row, row_weight), (column, column_weight) in product(*sides):
        index = body("Add", body("Mul", row, body.const([shape[3]])), column)
        weight = body("Mul", body("Mul", row_weight, column_weight), inside)
        lanes = body.const([wide[0], 1, wide[1] * wide[2]])
        channels = body.const(np.zeros((1, shape[1], 1), np.int64))
        places = body("Add", body("Reshape", index, lanes), channels)
        found.append(body("Mul", body("GatherElements", image, places, axis=2), body("Reshape", weight, lanes)))
    return found


def _two(body: Body, place: str, size: int) -> list[tuple[str, str]]:
    last = body.const([float(size - 1)])
    inside = body("Min", body("Max", place, body.const([0.0])), last)
    low = body("Floor", inside)
    part = body("Sub", inside, low)
    high = body("Min", body("Add", low, body.const([1.0])), last)
    rest = body("Sub", body.const([1.0]), part)
    return [(body.cast(low, TensorProto.INT64), rest), (body.cast(high, TensorProto.INT64), part)]
