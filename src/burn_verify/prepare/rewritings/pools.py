"""Pools that burn-onnx lacks, by slices: of three dimensions, dilated, of integers, or with other corners."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site

_MOST_TAPS = 400


class _Window:
    """Sizes of a pool along its spatial axes."""

    def __init__(self, site: Site, shape: Sequence[int]) -> None:
        self.shape = list(shape)
        spatial = len(shape) - 2
        self.kernel = list(site.attribute("kernel_shape"))
        self.strides = list(site.attribute("strides") or [1] * spatial)
        self.dilations = list(site.attribute("dilations") or [1] * spatial)
        self.ceil = bool(site.attribute("ceil_mode", 0))
        self.extent = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]
        self.low, self.high = self._pads(site, spatial)
        self.out = [self._size(place) for place in range(spatial)]

    def _pads(self, site: Site, spatial: int) -> tuple[list[int], list[int]]:
        kind = site.attribute("auto_pad", "NOTSET")
        pads = list(site.attribute("pads") or [0] * 2 * spatial)
        if kind in ("NOTSET", "VALID"):
            return (pads[:spatial], pads[spatial:]) if kind == "NOTSET" else ([0] * spatial, [0] * spatial)
        low, high = [], []
        for size, stride, extent in zip(self.shape[2:], self.strides, self.extent, strict=True):
            total = max(0, (math.ceil(size / stride) - 1) * stride + extent - size)
            first = total // 2 if kind == "SAME_UPPER" else total - total // 2
            low.append(first)
            high.append(total - first)
        return low, high

    def _size(self, place: int) -> int:
        size = self.shape[2 + place] + self.low[place] + self.high[place] - self.extent[place]
        found = (math.ceil if self.ceil else math.floor)(size / self.strides[place]) + 1
        # A window may not begin beyond the input and its padding in front.
        beyond = (found - 1) * self.strides[place] >= self.shape[2 + place] + self.low[place]
        return int(found - 1 if self.ceil and beyond else found)

    def padded(self) -> tuple[list[int], list[int]]:
        """Return what has to be added on both sides so that every window fits."""
        ends = [(o - 1) * s + e for o, s, e in zip(self.out, self.strides, self.extent, strict=True)]
        after = [max(0, end - size - low) for end, size, low in zip(ends, self.shape[2:], self.low, strict=True)]
        return self.low, after

    def taps(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield for each place in the window where its elements begin and end in the padded input."""
        for tap in product(*map(range, self.kernel)):
            starts = [k * d for k, d in zip(tap, self.dilations, strict=True)]
            yield starts, [b + (o - 1) * s + 1 for b, o, s in zip(starts, self.out, self.strides, strict=True)]


def _window(site: Site) -> _Window | None:
    shape, kernel = site.shape(0), site.attribute("kernel_shape")
    if shape is None or kernel is None or len(shape) != len(kernel) + 2 or math.prod(kernel) > _MOST_TAPS:
        return None
    window = _Window(site, shape)
    return window if min(window.out) > 0 else None


def _slices(body: Body, value: str, window: _Window, fill: float, elem_type: int) -> list[str]:
    """Return the elements of the windows, one value of the output's shape for each place in them."""
    low, high = window.padded()
    if any(low) or any(high):
        spatial = [0, 0]
        filling = body.scalar(fill, elem_type)
        value = body("Pad", value, body.const([*spatial, *low, *spatial, *high]), filling)
    axes = body.const(list(range(2, 2 + len(window.kernel))))
    steps = body.const(window.strides)
    return [body("Slice", value, body.const(start), body.const(end), axes, steps) for start, end in window.taps()]


_Join: TypeAlias = Callable[[str, str], str]


def _reduced(values: Sequence[str], join: _Join) -> str:
    found = values[0]
    for value in values[1:]:
        found = join(found, value)
    return found


def max_pool(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a MaxPool without indices by the greatest of slices."""
    window, elem_type = _window(site), site.elem_type()
    if window is None or site.wants(1):
        return None
    value, work = site.input(0), elem_type
    if elem_type in (TensorProto.INT8, TensorProto.UINT8):
        value, work = body.cast(value, TensorProto.FLOAT), TensorProto.FLOAT
    lowest = float(np.finfo(np.float16).min if work == TensorProto.FLOAT16 else np.finfo(np.float32).min)
    found = _reduced(_slices(body, value, window, lowest, work), lambda a, b: body("Max", a, b))
    return [found if work == elem_type else body.cast(found, elem_type)]


def average_pool(site: Site, body: Body) -> Sequence[str] | None:
    """Replace an AveragePool by a sum of slices over the number of elements that count."""
    window, elem_type = _window(site), site.elem_type()
    if window is None:
        return None
    total = _reduced(_slices(body, site.input(0), window, 0.0, elem_type), lambda a, b: body("Add", a, b))
    counts = _counts(window, inside=not site.attribute("count_include_pad", 0))
    return [body("Div", total, body.const(counts, elem_type))]


def lp_pool(site: Site, body: Body) -> Sequence[str] | None:
    """Replace an LpPool by a root of a sum of powers of slices."""
    window, elem_type, p = _window(site), site.elem_type(), float(site.attribute("p", 2))
    if window is None:
        return None
    value = body("Pow", body("Abs", site.input(0)), body.const([p], elem_type))
    total = _reduced(_slices(body, value, window, 0.0, elem_type), lambda a, b: body("Add", a, b))
    return [body("Pow", total, body.const([1.0 / p], elem_type))]


def _counts(window: _Window, *, inside: bool) -> "np.typing.NDArray[np.float64]":
    """Return how many elements of each window count: those of the input, and of its declared padding."""
    low, high = window.padded()
    own = [size + a + b for size, a, b in zip(window.shape[2:], low, high, strict=True)]
    mask = np.zeros(own)
    before = low if inside else [0] * len(low)
    ends = [a + size + (0 if inside else pad) for a, size, pad in zip(low, window.shape[2:], window.high, strict=True)]
    mask[tuple(slice(a, end) for a, end in zip(before, ends, strict=True))] = 1
    counts = np.zeros(window.out)
    for starts, ends_of in window.taps():
        counts += mask[tuple(slice(a, b, s) for a, b, s in zip(starts, ends_of, window.strides, strict=True))]
    return np.maximum(counts, 1).reshape(1, 1, *window.out)
