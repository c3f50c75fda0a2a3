"""Graphs of the forms that burn-onnx's simplifier looks for, and of forms that only look like them.

A form comes from the sources of onnx-ir 0.22.0, ``src/simplify``: each pass rewrites a pattern of nodes, so what it
must leave alone is drawn as often as what it may rewrite. Makes protobuf messages and values; runs nothing.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

import numpy as np

from burn_verify.several.sketch import Size, Sketch
from burn_verify.several.woven import Woven


def pattern(name: str, rng: Random) -> Woven:
    """Return a graph of a form of `PATTERNS`."""
    sketch = Sketch(rng)
    PATTERNS[name](sketch)
    return sketch.woven(name)


def _shape(sketch: Sketch, rank: int) -> tuple[Size, ...]:
    """Return a shape of different sizes, symbolic in half of the cases."""
    sizes = sketch.rng.sample((2, 3, 4, 5), rank)
    if sketch.rng.random() < 0.5:
        return tuple(sizes)
    return tuple((f"d{place}", size) if sketch.rng.random() < 0.7 else size for place, size in enumerate(sizes))


def _maybe(sketch: Sketch, share: float = 0.5) -> bool:
    return sketch.rng.random() < share


def _after(sketch: Sketch, name: str) -> str:
    """Return a value, or what a node without parameters computes of it."""
    return str(sketch.op(sketch.rng.choice(("Relu", "Neg", "Tanh", "Abs")), name)) if _maybe(sketch) else name


def _permuted_sizes(sketch: Sketch) -> None:
    """Reshape to sizes that were taken from a shape one by one, in any order: no Transpose."""
    rank = sketch.rng.randint(2, 3)
    x = _after(sketch, sketch.input(_shape(sketch, rank)))
    shape = sketch.op("Shape", x)
    order = sketch.rng.sample(range(rank), rank)
    sizes = []
    for place in order:
        at = place - rank if _maybe(sketch, 0.3) else place
        taken = sketch.op("Gather", shape, sketch.constant(at, "int64"), axis=0)
        sizes.append(sketch.op("Unsqueeze", taken, sketch.constant([0], "int64")))
    if _maybe(sketch, 0.3):
        sizes[sketch.rng.randrange(rank)] = sketch.constant([-1], "int64")
    taken_from = x if _maybe(sketch, 0.8) else sketch.op("Neg", x)
    sketch.output(_after(sketch, sketch.op("Reshape", taken_from, sketch.op("Concat", *sizes, axis=0))))


def _sizes_of_a_shape(sketch: Sketch) -> None:
    """A size, or several, of a shape as a number that is computed with."""
    rank = sketch.rng.randint(2, 4)
    x = sketch.input(_shape(sketch, rank))
    shape = sketch.op("Shape", _after(sketch, x), **({"start": 1} if _maybe(sketch, 0.2) else {}))
    match sketch.rng.randrange(4):
        case 0:
            at = sketch.rng.choice((0, -1, rank - 2))
            size = sketch.op("Gather", shape, sketch.constant(at, "int64"), axis=0)
        case 1:
            several = sketch.rng.choice(([0], [-1], [0, 0]))
            size = sketch.op("Gather", shape, sketch.constant(several, "int64"), axis=0)
        case 2:
            start, end = sketch.rng.choice(((0, 1), (-1, 99), (0, 99), (-2, -1)))
            given = [sketch.constant([value], "int64") for value in (start, end, 0)]
            size = sketch.op("Slice", shape, *given[: sketch.rng.choice((2, 3))])
        case _:
            size = sketch.op("Size", sketch.rng.choice((shape, x)))
    if _maybe(sketch, 0.3):
        size = sketch.op("ReduceProd", size, keepdims=sketch.rng.randint(0, 1))
    number = sketch.op("Cast", size, to=1)
    if _maybe(sketch):
        number = sketch.op("Sqrt", number)
    result = sketch.op(
        sketch.rng.choice(("Mul", "Div", "Add")), x, number if _maybe(sketch) else _first(sketch, number)
    )
    sketch.output(result, *([size] if _maybe(sketch, 0.3) else []))


def _first(sketch: Sketch, number: str) -> str:
    return str(sketch.op("ReduceMax", number, keepdims=0))


def _attention(sketch: Sketch) -> None:
    """The product of queries and keys, scaled, masked, softmax, times values: with one step other than usual."""
    heads, length, width = 2, sketch.rng.choice((3, 5)), 4
    other = length if _maybe(sketch) else length + 1
    q = sketch.input((1, heads, length, width))
    k = sketch.input((1, heads, other, width) if (before := _maybe(sketch)) else (1, heads, width, other))
    v = sketch.input((1, heads, other, width))
    if _maybe(sketch, 0.3):
        q = sketch.op("Mul", q, _scale(sketch, width))
    if before:
        k = sketch.op("Transpose", k, perm=[0, 1, 3, 2])
    if _maybe(sketch, 0.3):
        k = sketch.op("Mul", k, _scale(sketch, width))
    scores = sketch.op("MatMul", q, k)
    match sketch.rng.randrange(4):
        case 0:
            scores = sketch.op("Mul", scores, _scale(sketch, width))
        case 1:
            scores = sketch.op("Div", scores, _scale(sketch, width))
        case 2:
            scores = sketch.op("Mul", _scale(sketch, width), scores)
        case _:
            pass
    if _maybe(sketch):
        of: tuple[int, ...] = sketch.rng.choice(((1, heads, length, other), (length, other), (1, 1, 1, other)))
        mask = sketch.drawn(of) if _maybe(sketch) else sketch.input(of)
        scores = sketch.op("Add", *((scores, mask) if _maybe(sketch, 0.8) else (mask, scores)))
    axis = -1 if _maybe(sketch, 0.6) else sketch.rng.choice((3, 2, 1))
    weights = sketch.op("Softmax", scores, axis=axis)
    sketch.output(_after(sketch, sketch.op("MatMul", weights, v)), *([weights] if _maybe(sketch, 0.2) else []))


def _scale(sketch: Sketch, width: int) -> str:
    value = sketch.rng.choice((width**-0.5, width**-0.25, 2.0, 0.5, 1.0, -1.0))
    match sketch.rng.randrange(4):
        case 0:
            return sketch.constant(value)
        case 1:
            return sketch.constant([value], node=True)
        case 2:
            return sketch.input(())
        case _:
            return str(sketch.op("Sqrt", sketch.constant(abs(value))))


def _folded(sketch: Sketch) -> None:
    """What is computed of constants alone, before it meets an input."""
    shape = sketch.rng.choice(((3,), (2, 3), (1, 3), (2, 1, 3)))
    value = sketch.drawn(shape)
    for _ in range(sketch.rng.randint(1, 4)):
        match sketch.rng.randrange(9):
            case 0:
                value = sketch.op(sketch.rng.choice(("Add", "Sub", "Mul", "Div")), value, sketch.drawn(shape[-1:]))
            case 1:
                value = sketch.op("Neg", value)
            case 2:
                value = sketch.op("Sqrt", sketch.op("Abs", value))
            case 3:
                value = sketch.op("Cast", sketch.op("Cast", value, to=sketch.rng.choice((6, 7, 9, 10, 11))), to=1)
            case 4:
                start = sketch.rng.choice((0, 1, -2, -1))
                step = sketch.rng.choice((1, 1, 2, -1))
                end = -99 if step < 0 else sketch.rng.choice((3, 99))
                value = sketch.op("Slice", value, *(sketch.constant([one], "int64") for one in (start, end, -1, step)))
            case 5:
                value = sketch.op("Concat", value, value, axis=sketch.rng.choice((0, -1)))
            case 6:
                value = sketch.op("Unsqueeze", value, sketch.constant([sketch.rng.choice((0, -1))], "int64"))
            case 7:
                value = sketch.op("Reshape", value, sketch.constant(sketch.rng.choice(([-1], [1, -1])), "int64"))
            case _:
                value = sketch.op("Transpose", value)
    flat = sketch.op("Reshape", value, sketch.constant([-1, 1], "int64"))
    sketch.output(sketch.op(sketch.rng.choice(("Add", "Mul", "Sub")), sketch.input((1, 3)), flat))


def _folded_sizes(sketch: Sketch) -> None:
    """Shapes, axes and limits that are constants only once they are computed."""
    x = sketch.input((2, 3, 4))
    half = sketch.op("Div", sketch.constant([4], "int64"), sketch.constant([2], "int64"))
    match sketch.rng.randrange(5):
        case 0:
            sizes = [half, sketch.op("Sub", sketch.constant([5], "int64"), half), sketch.constant([-1], "int64")]
            result = sketch.op("Reshape", x, sketch.op("Concat", *sizes, axis=0))
        case 1:
            end = sketch.op("Add", half, sketch.constant([1], "int64"))
            result = sketch.op("Slice", x, half, end, sketch.op("Neg", sketch.constant([1], "int64")))
        case 2:
            result = sketch.op("Unsqueeze", x, sketch.op("Mul", half, sketch.constant([1], "int64")))
        case 3:
            times = sketch.op("Concat", sketch.constant([1], "int64"), half, sketch.constant([1], "int64"), axis=0)
            result = sketch.op("Tile", x, times)
        case _:
            result = sketch.op("ReduceSum", x, half, keepdims=sketch.rng.randint(0, 1))
    sketch.output(_after(sketch, result))


def _twice(sketch: Sketch) -> None:
    """The same operator once more: the same function, if it is one of those that change nothing the second time."""
    names = ("Relu", "Ceil", "Floor", "Round", "Sign", "Abs", "Neg", "Reciprocal", "Sigmoid", "Tanh", "Identity", "Sin")
    first = sketch.rng.choice(names)
    value = sketch.op(first, sketch.input((2, 3)))
    if _maybe(sketch, 0.3):
        value = sketch.op("Add", value, sketch.constant(0.25))
    between = [value] if _maybe(sketch, 0.3) else []
    for _ in range(sketch.rng.randint(1, 2)):
        value = sketch.op(first if _maybe(sketch, 0.8) else sketch.rng.choice(names), value)
    sketch.output(value, *between)


def _neutral(sketch: Sketch) -> None:
    """An operand that changes nothing, or nearly nothing, or only the shape or the sign."""
    shape = sketch.rng.choice(((3,), (2, 3), (1, 3), (1,), ()))
    dtype = sketch.rng.choice(("float32", "float32", "int64"))
    x = sketch.input(shape, dtype)
    neutral = sketch.rng.choice(((), (1,), (3,), (2, 3), (1, 1, 1)))
    operator, number = sketch.rng.choice((("Add", 0), ("Sub", 0), ("Mul", 1), ("Div", 1), ("Pow", 1)))
    value = np.full(neutral, number + (sketch.rng.choice((0, 0, 0, 1e-3)) if dtype == "float32" else 0))
    if _maybe(sketch, 0.2) and value.size > 1:
        value.flat[-1] += 1
    known = sketch.constant(value, dtype, node=_maybe(sketch))
    left = _maybe(sketch, 0.35) and not (dtype == "int64" and operator in ("Div", "Pow"))
    if left and operator in ("Div", "Pow"):
        x = sketch.op("Add", sketch.op("Abs", x), sketch.constant(0.5))
    result = sketch.op(operator, *((known, x) if left else (x, known)))
    result = result if _maybe(sketch) else sketch.op("Neg", result)
    sketch.output(result, *([sketch.op("Shape", result)] if _maybe(sketch, 0.3) else []))


def _same_again(sketch: Sketch) -> None:
    """Two nodes that are equal, or differ in an attribute, an operand, or which of their outputs is taken."""
    x = sketch.input((2, 4))
    match sketch.rng.randrange(5):
        case 0:
            axes = sketch.rng.choice(((0, 1), (1, 1), (-1, 1)))
            one, two = (sketch.op("Softmax", x, axis=axis) for axis in axes)
        case 1:
            one, two = (sketch.op("Concat", x, x, axis=sketch.rng.randint(0, 1)) for _ in range(2))
            one, two = (sketch.op("ReduceSum", value, keepdims=0) for value in (one, two))
        case 2:
            one, _ = sketch.op("Split", x, outputs=2, axis=1, num_outputs=2)
            _, two = sketch.op("Split", x, outputs=2, axis=1, num_outputs=2)
        case 3:
            largest = [sketch.rng.randint(0, 1) for _ in range(2)]
            k = sketch.constant([2], "int64")
            (one, _), (two, _) = (sketch.op("TopK", x, k, outputs=2, largest=value) for value in largest)
        case _:
            slopes = sketch.rng.choice(((0.1, 0.1), (0.1, 0.5)))
            one, two = (sketch.op("LeakyRelu", x, alpha=slope) for slope in slopes)
    both = sketch.op(sketch.rng.choice(("Add", "Sub", "Mul")), one, two)
    sketch.output(both, *([one, two] if _maybe(sketch, 0.4) else []))


def _unused(sketch: Sketch) -> None:
    """Values that nobody takes, an output that another node takes too, and an output that is an input."""
    x, y = sketch.input((2, 3)), sketch.input((2, 3))
    value = sketch.op("Add", x, y)
    sketch.op("Exp", sketch.op("Mul", x, y))
    after = sketch.op("Relu", value)
    ends = [value, after, sketch.op("Identity", x), sketch.op("Identity", sketch.drawn((2,)))]
    sketch.output(after, *(one for one in ends if _maybe(sketch)))


def _parts_of_a_sequence(sketch: Sketch) -> None:
    """A tensor split to a sequence of which single elements are taken."""
    axis = sketch.rng.choice((0, 1, -1))
    x = sketch.input((4, 4))
    given = sketch.rng.choice(((), (2,), ((1, 3),), (1,)))
    kept = sketch.rng.choice(({}, {"keepdims": 0})) if not given else {}
    inputs = [sketch.constant(value, "int64") for value in given]
    parts = sketch.op("SplitToSequence", x, *inputs, axis=axis, **kept)
    for place in sketch.rng.sample((0, 1), sketch.rng.randint(1, 2)):
        sketch.output(_after(sketch, sketch.op("SequenceAt", parts, sketch.constant(place, "int64"))))


def _there_and_back(sketch: Sketch) -> None:
    """A change of layout, and one that undoes it, or nearly."""
    x = sketch.input(_shape(sketch, 3))
    match sketch.rng.randrange(5):
        case 0:
            one, two = (sketch.rng.sample(range(3), 3) for _ in range(2))
            result = sketch.op("Transpose", sketch.op("Transpose", x, perm=one), perm=two)
        case 1:
            axes = [sketch.constant([sketch.rng.randint(0, 1)], "int64") for _ in range(2)]
            result = sketch.op("Squeeze", sketch.op("Unsqueeze", x, axes[0]), axes[0])
            result = sketch.op("Unsqueeze", result, axes[1])
        case 2:
            flat = sketch.op("Reshape", x, sketch.constant([0, -1], "int64"))
            result = sketch.op("Reshape", flat, sketch.op("Shape", x))
        case 3:
            limits = ((0, 1, 2), (1, 99, 2))
            first, second = (sketch.op("Slice", x, *(sketch.constant([one], "int64") for one in own)) for own in limits)
            order = (first, second) if _maybe(sketch) else (second, first)
            result = sketch.op("Concat", *order, axis=2)
        case _:
            result = sketch.op("Cast", sketch.op("Cast", x, to=sketch.rng.choice((6, 7, 11, 1))), to=1)
    sketch.output(_after(sketch, result))


PATTERNS: Final[Mapping[str, Callable[[Sketch], None]]] = MappingProxyType(
    {
        "permuted-sizes": _permuted_sizes,
        "sizes-of-a-shape": _sizes_of_a_shape,
        "attention": _attention,
        "folded": _folded,
        "folded-sizes": _folded_sizes,
        "twice": _twice,
        "neutral": _neutral,
        "same-again": _same_again,
        "unused": _unused,
        "parts-of-a-sequence": _parts_of_a_sequence,
        "there-and-back": _there_and_back,
    }
)
"""The forms by name."""
