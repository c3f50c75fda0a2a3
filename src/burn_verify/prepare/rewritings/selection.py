"""Operators that choose, count or place elements: Unique, TfIdfVectorizer, TensorScatter, OneHot, MaxUnpool, Col2Im."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Site

_INT64 = TensorProto.INT64
_FLOAT = TensorProto.FLOAT
_MOST = 1024
"""Elements whose pairs are all compared."""


def unique(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Unique by comparisons of all pairs."""
    shape, axis = site.shape(0), site.attribute("axis")
    if shape is None or not shape or 0 in shape:
        return None
    place = 0 if axis is None else axis % len(shape)
    order = [place, *(one for one in range(len(shape)) if one != place)]
    count = int(np.prod(shape)) if axis is None else shape[place]
    width = 1 if axis is None else int(np.prod(shape)) // count
    if count > _MOST or width > 64:
        return None
    value = site.input(0) if axis is None or len(shape) == 1 else body("Transpose", site.input(0), perm=order)
    less, same = _compared(
        body, body.cast(body("Reshape", value, body.const([count, width])), _comparable(site)), width
    )
    first, inverse, counts = _numbered(site, body, less, same, count)
    # Row by row: the places of the first ones, in the order of their numbers.
    chosen = body("And", body("Equal", body.const(np.arange(count).reshape(-1, 1)), inverse), first)
    rows = body("NonZero", chosen)
    indices = body("Reshape", body("Slice", rows, body.const([1]), body.const([2]), body.const([0])), body.const([-1]))
    source = body("Reshape", site.input(0), body.const([-1])) if axis is None else site.input(0)
    values = body("Gather", source, indices, axis=0 if axis is None else place)
    return [values, indices, inverse, body("Gather", counts, indices, axis=0)]


def _comparable(site: Site) -> int:
    """Return the element type in which elements are compared: half precision is exact in float32."""
    dtype = site.elem_type(0)
    return _FLOAT if dtype in (TensorProto.FLOAT16, TensorProto.BFLOAT16) else dtype


def _compared(body: Body, rows: str, width: int) -> tuple[str, str]:
    """Return whether row i is less than row j, and whether it is the same, as booleans [count, count]."""
    less = same = ""
    for column in range(width):
        part = body("Slice", rows, body.const([column]), body.const([column + 1]), body.const([1]))
        other = body("Transpose", part, perm=[1, 0])
        smaller, equal = body("Less", part, other), body("Equal", part, other)
        less = body("Or", less, body("And", same, smaller)) if less else smaller
        same = body("And", same, equal) if same else equal
    return less, same


def _numbered(site: Site, body: Body, less: str, same: str, count: int) -> tuple[str, str, str]:
    """Return for each row whether it is the first of its kind, the number of its kind, and how many are alike."""
    places = np.arange(count)
    equal = body.cast(same, _INT64)
    earlier = body.const((places[:, None] > places).astype(np.int64))
    before = body.reduced("ReduceSum", body("Mul", equal, earlier), [1], site.opset, keepdims=0)
    first = body("Equal", before, body.const([0]))
    counts = body.reduced("ReduceSum", equal, [1], site.opset, keepdims=0)
    if site.attribute("sorted", 1):
        # How many first ones are less than a row.
        smaller = body("Mul", body.cast(less, _INT64), body("Unsqueeze", body.cast(first, _INT64), body.const([1])))
        return first, body.reduced("ReduceSum", smaller, [0], site.opset, keepdims=0), counts
    mine = body("Add", body("Mul", equal, body.const([0])), body.const(places.reshape(1, -1)))
    far = body("Where", same, mine, body.const([count]))
    nearest = body.reduced("ReduceMin", far, [1], site.opset, keepdims=0)
    ahead = body("Less", body.const(places.reshape(1, -1)), body("Unsqueeze", nearest, body.const([1])))
    firsts = body("Mul", body.cast(ahead, _INT64), body("Unsqueeze", body.cast(first, _INT64), body.const([0])))
    return first, body.reduced("ReduceSum", firsts, [1], site.opset, keepdims=0), counts


def tf_idf(site: Site, body: Body) -> Sequence[str] | None:
    """Replace a TfIdfVectorizer of integers by comparisons of shifted slices."""
    shape, pool = site.shape(0), site.attribute("pool_int64s")
    if shape is None or len(shape) not in (1, 2) or not pool:
        return None
    value = body.cast(site.input(0) if len(shape) == 2 else body("Unsqueeze", site.input(0), body.const([0])), _INT64)
    places = site.attribute("ngram_indexes")
    total = ""
    for grams, own, skip in _grams(site):
        found = _occurrences(site, body, value, np.array(grams), skip, shape[-1])
        if found is None:
            continue
        target = np.zeros((len(grams), max(places) + 1), np.float32)
        target[np.arange(len(grams)), [places[one] for one in own]] = 1
        part = body("MatMul", found, body.const(target))
        total = body("Add", total, part) if total else part
    if not total:
        return None
    result = _weighted(site, body, total, places)
    return [result if len(shape) == 2 else body("Reshape", result, body.const([max(places) + 1]))]


def _grams(site: Site) -> Iterator[tuple[list[list[int]], list[int], int]]:
    """Yield the n-grams of each length with their numbers, once for each number of skipped elements."""
    pool, starts = site.attribute("pool_int64s"), site.attribute("ngram_counts")
    number = 0
    for length, (start, end) in enumerate(zip(starts, [*starts[1:], len(pool)], strict=True), 1):
        grams = [pool[at : at + length] for at in range(start, end, length)]
        own = list(range(number, number + len(grams)))
        number += len(grams)
        wanted = site.attribute("min_gram_length") <= length <= site.attribute("max_gram_length")
        if grams and wanted:
            for skip in range(site.attribute("max_skip_count", 0) + 1 if length > 1 else 1):
                yield grams, own, skip


def _occurrences(
    site: Site, body: Body, value: str, grams: "np.typing.NDArray[np.int64]", skip: int, size: int
) -> str | None:
    """Return how often each n-gram occurs in each row, float32 [rows, n-grams]; None where the rows are too short."""
    length = grams.shape[1]
    count = size - (length - 1) * (skip + 1)
    if count < 1:
        return None
    same = ""
    for place in range(length):
        start = place * (skip + 1)
        part = body("Slice", value, body.const([start]), body.const([start + count]), body.const([1]))
        wide = body("Unsqueeze", part, body.const([2]))
        equal = body("Equal", wide, body.const(grams[:, place].reshape(1, 1, -1)))
        same = body("And", same, equal) if same else equal
    return body.reduced("ReduceSum", body.cast(same, _FLOAT), [1], site.opset, keepdims=0)


def _weighted(site: Site, body: Body, counts: str, places: Sequence[int]) -> str:
    mode = site.attribute("mode")
    if mode == "TF":
        return counts
    weights = np.ones(max(places) + 1, np.float32)
    given = site.attribute("weights")
    if given:
        weights[list(places)] = given
    if mode == "IDF":
        counts = body.cast(body("Greater", counts, body.const([0.0])), _FLOAT)
    return body("Mul", counts, body.const(weights))


def tensor_scatter(site: Site, body: Body) -> Sequence[str] | None:
    """Replace TensorScatter by a product with a mask of places."""
    shape, new = site.shape(0), site.shape(1)
    axis = site.attribute("axis", -2)
    if shape is None or new is None or not shape:
        return None
    place = axis % len(shape)
    if place == 0:
        return None
    rank, size = len(shape), shape[place]
    start = body("Reshape", site.input(2), body.const([-1, 1, 1])) if site.input(2) else body.const([[[0]]])
    targets = body("Add", start, body.const(np.arange(new[place]).reshape(1, -1, 1)))
    if site.attribute("mode", "linear") == "circular":
        targets = body("Mod", targets, body.const([size]))
    hit = body("Equal", targets, body.const(np.arange(size).reshape(1, 1, -1)))
    written = body.reduced("ReduceSum", body.cast(hit, _INT64), [1], site.opset, keepdims=0)
    source = body("ArgMax", body.cast(hit, _INT64), axis=1, keepdims=0)
    wide = [shape[0], *[1] * (place - 1), size, *[1] * (rank - place - 1)]
    full = body.const([shape[0], *[new[one] if one != place else size for one in range(1, rank)]])
    places = body("Expand", body("Reshape", source, body.const(wide)), full)
    moved = body("GatherElements", site.input(1), places, axis=place)
    mask = body("Greater", body("Reshape", written, body.const(wide)), body.const([0]))
    return [body("Where", mask, moved, site.input(0))]


def one_hot(site: Site, body: Body) -> Sequence[str] | None:
    """Replace OneHot of a known depth by comparisons, so that what is out of range gives the off value."""
    rank, result = site.rank(0), site.result().static
    if rank is None or result is None:
        return None
    axis = site.attribute("axis", -1) % (rank + 1)
    depth = result[axis]
    indices = body("Unsqueeze", body.cast(site.input(0), _INT64), body.const([axis]))
    negative = body("Less", indices, body.const([0]))
    moved = body("Where", negative, body("Add", indices, body.const([depth])), indices)
    shape = [1] * (rank + 1)
    shape[axis] = depth
    hit = body("Equal", moved, body.const(np.arange(depth).reshape(shape)))
    off, on = (
        body("Slice", site.input(2), body.const([one]), body.const([one + 1]), body.const([0])) for one in (0, 1)
    )
    return [body("Where", hit, on, off)]


def max_unpool(site: Site, body: Body) -> Sequence[str] | None:
    """Replace MaxUnpool by ScatterElements into zeros of the declared shape."""
    shape, result = site.shape(0), site.result().static
    if shape is None or result is None:
        return None
    # Indices count in the shape that there is without the last input.
    plain = _unpooled(site, shape)
    flat = body("Reshape", site.input(0), body.const([-1]))
    indices = body("Reshape", site.input(1), body.const([-1]))
    if plain != list(result):
        indices = _moved(body, indices, plain, result)
    zeros = body.const(np.zeros(int(np.prod(result)), np.float32), site.elem_type(0))
    found = body("ScatterElements", zeros, indices, flat, axis=0)
    return [body("Reshape", found, body.const(list(result)))]


def _unpooled(site: Site, shape: Sequence[int]) -> list[int]:
    kernel = site.attribute("kernel_shape")
    strides = site.attribute("strides") or [1] * len(kernel)
    pads = site.attribute("pads") or [0] * (2 * len(kernel))
    ends = zip(shape[2:], strides, kernel, pads[: len(kernel)], pads[len(kernel) :], strict=True)
    return [*shape[:2], *((size - 1) * stride + k - low - high for size, stride, k, low, high in ends)]


def _moved(body: Body, indices: str, plain: Sequence[int], result: Sequence[int]) -> str:
    """Return indices of one shape as those of the same places in a larger one."""
    old = np.arange(int(np.prod(plain))).reshape(plain)
    table = np.ravel_multi_index(np.unravel_index(old.ravel(), plain), result)
    return body("Gather", body.const(table), indices, axis=0)


def col2im(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Col2Im by a product with a matrix that adds each element to its place."""
    shape, result = site.shape(0), site.result().static
    block = site.constant(2)
    if shape is None or result is None or len(shape) != 3:
        return None
    sizes = _blocks(site, shape, result) if block is None else [int(one) for one in block]
    if sizes is None:
        return None
    matrix = _places(site, sizes, result[2:], shape[2])
    if matrix is None:
        return None
    rows = int(np.prod(sizes)) * shape[2]
    value = body("Reshape", site.input(0), body.const([shape[0], result[1], rows]))
    return [body("Reshape", body("MatMul", value, body.const(matrix)), body.const(list(result)))]


def _blocks(site: Site, shape: Sequence[int], result: Sequence[int]) -> list[int] | None:
    """Return the only sizes of blocks that fit the shapes; None where there are several."""
    count = shape[1] // result[1]
    divisors = [one for one in range(1, count + 1) if count % one == 0]
    fitting = [
        list(sizes)
        for sizes in product(divisors, repeat=len(result) - 2)
        if int(np.prod(sizes)) == count and _places(site, sizes, result[2:], shape[2]) is not None
    ]
    return fitting[0] if len(fitting) == 1 else None


def _places(
    site: Site, block: Sequence[int], image: Sequence[int], count: int
) -> "np.typing.NDArray[np.float32] | None":
    """Return a matrix [elements of all blocks, elements of the image]; None where so many blocks do not fit."""
    axes = len(image)
    strides, dilations = (site.attribute(name) or [1] * axes for name in ("strides", "dilations"))
    pads = site.attribute("pads") or [0] * (2 * axes)
    steps = [
        (image[axis] + pads[axis] + pads[axis + axes] - dilations[axis] * (block[axis] - 1) - 1) // strides[axis] + 1
        for axis in range(axes)
    ]
    if min(steps) < 1 or int(np.prod(steps)) != count:
        return None
    matrix = np.zeros((int(np.prod(block)) * count, int(np.prod(image))), np.float32)
    if matrix.size > 1 << 24:
        return None
    for row, (inner, step) in enumerate(product(product(*map(range, block)), product(*map(range, steps)))):
        at = [step[axis] * strides[axis] + inner[axis] * dilations[axis] - pads[axis] for axis in range(axes)]
        if all(0 <= one < size for one, size in zip(at, image, strict=True)):
            matrix[row, np.ravel_multi_index(at, image)] = 1
    return matrix
