"""Rules for dimensions: what weights, constants, windows and declared outputs say about their sizes."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import onnx

from burn_verify.graph.infer.finding import Dim, Rank
from burn_verify.graph.infer.view import View, attribute, place_of

_ELEMENTWISE: Final = frozenset(
    {"Add", "And", "Div", "Equal", "Greater", "Less", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub"}
    | {"Sum", "Where", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "GreaterOrEqual", "LessOrEqual"}
)

IMAGE: Final = (224, 320, 416, 640, 256, 512, 384, 128, 96)
"""Sides of images that models take, the most usual first; all are multiples of 32."""

_STRIDES: Final = (8, 16, 32)
"""Of the grids of a detector's anchors."""

SAMPLES: Final = (1600, 4000, 16000, 512, 480, 48000)
"""Numbers of audio samples that models take: parts of a second at 16 kHz."""


def weights(view: View) -> Iterator[Dim]:
    """A dimension that meets a constant has its size."""
    for node, name, axis, size, why in _met(view):
        dim = view.dim(name, axis)
        if isinstance(dim, str) and size > 0:
            yield Dim(symbol=dim, rule="weights", why=f"{why} of {_called(node)}", size=size)


def ties(view: View) -> Iterator[Dim]:
    """Dimensions that meet each other in an operator have one size."""
    for node in _once(view):
        for one, other in _pairs(view, node):
            if isinstance(one, str) and isinstance(other, str) and one != other:
                first, second = _ordered(view, one, other)
                yield Dim(symbol=second, rule="tie", why=f"it meets {first} in {_called(node)}", equals=first)


def images(view: View) -> Iterator[Dim]:
    """Height and width of an image are multiples of 32."""
    anchors = tuple(_anchors(view))
    for node in _once(view):
        if node.op_type != "Conv":
            continue
        shape = view.shape(node.input[0]) or ()
        if len(shape) != 4 or not all(isinstance(dim, str) for dim in shape[2:]):
            continue
        why = "an image that a convolution takes" + (f"; {anchors[0]}² has the declared anchors" if anchors else "")
        for dim in shape[2:]:
            yield Dim(
                symbol=str(dim),
                rule="image",
                why=why,
                candidates=(*anchors, *IMAGE),
                multiple=32,
                least=_window(view, node),
            )


def windows(view: View) -> Iterator[Dim]:
    """A dimension is not smaller than the window that moves along it, nor than what is reflected at its end."""
    for node in _once(view):
        for axis, least, why in _needed(view, node):
            dim = view.dim(node.input[0], axis)
            if isinstance(dim, str) and least > 1:
                wide = tuple(size for size in (2 * least + 1, 4 * least, *SAMPLES) if size >= least)
                yield Dim(symbol=dim, rule="window", why=f"{why} of {_called(node)}", least=least, candidates=wide)


def batches(view: View) -> Iterator[Dim]:
    """The first dimension of an input counts samples where its name says nothing else; others by their name alone."""
    for spec in view.inputs:
        first = spec.shape[0] if spec.shape else None
        if isinstance(first, str) and is_batch(first, spec.name) and len(spec.shape) > 1:
            yield Dim(symbol=first, rule="batch", why=f"the first dimension of {spec.name}", batch=True)
        for dim in spec.shape:
            if isinstance(dim, str) and _is_called_batch(dim):
                yield Dim(symbol=dim, rule="batch", why="its name", batch=True)


def is_batch(symbol: str, input_name: str = "") -> bool:
    """Return whether a symbol is that of an unnamed first dimension, or its name is usual for a batch."""
    word = symbol.lower()
    if symbol == place_of(input_name, 0):
        return True
    return word in {"n", "b", "none", "?", "samples_n"} or word.startswith("unk__") or _is_called_batch(symbol)


def _is_called_batch(symbol: str) -> bool:
    """Return whether a name says that a dimension counts samples, on whatever axis."""
    word = symbol.lower()
    return word in {"bs", "bsz"} or (word.startswith(("batch", "dynbatch")) and word.isidentifier())


def ranks(view: View) -> Iterator[Rank]:
    """An input without a declared shape has the rank that the first operator with weights takes."""
    for spec in view.inputs:
        if spec.shape or spec.name in view.shapes:
            continue
        for use in view.uses.get(spec.name, ()):
            if use.place == 0 and (shape := _taken(view, use.node, spec.name)) is not None:
                yield Rank(input=spec.name, rule="weights", why=f"the operand of {_called(use.node)}", shape=shape)
                break


def _taken(view: View, node: onnx.NodeProto, name: str) -> tuple[int | str, ...] | None:
    """Return the shape that a node with weights takes as its first operand."""
    weight = view.shape(view.operand(node, 1))
    if weight is None or not all(isinstance(dim, int) for dim in weight):
        return None
    sizes = [int(dim) for dim in weight if isinstance(dim, int)]
    if node.op_type == "Conv" and len(sizes) > 2:
        return (
            f"{name}.0",
            sizes[1] * attribute(node, "group", 1),
            *(f"{name}.{axis}" for axis in range(2, len(sizes))),
        )
    if node.op_type in ("MatMul", "Gemm") and len(sizes) == 2:
        return (place_of(name, 0), sizes[1 if attribute(node, "transB", 0) else 0])
    return None


def _once(view: View) -> Iterable[onnx.NodeProto]:
    """Return every node once, in the order of the graph."""
    return {id(node): node for node in view.makers.values()}.values()


def _met(view: View) -> Iterator[tuple[onnx.NodeProto, str, int, int, str]]:
    """Yield operands whose dimension has to have a size: node, name, axis, size and what says so."""
    for node in _once(view):
        x, w = view.operand(node, 0), view.operand(node, 1)
        shape = view.shape(w) if w else None
        fixed = shape is not None and all(isinstance(dim, int) for dim in shape)
        if node.op_type in _ELEMENTWISE:
            yield from _broadcast(view, node)
        elif fixed and shape is not None:
            sizes = [int(dim) for dim in shape if isinstance(dim, int)]
            yield from ((node, x, axis, size, "the weights") for axis, size in _weighed(node, sizes))
        if node.op_type == "MatMul" and (left := view.shape(x)) and isinstance(left[-1], int) and w:
            yield node, w, -2, left[-1], "the other operand"
        if node.op_type == "Reshape":
            yield from _reshaped(view, node)


def _weighed(node: onnx.NodeProto, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield axis and size of the first operand, given the shape of the second."""
    kind = node.op_type
    if kind == "Conv" and len(sizes) > 2:
        yield 1, sizes[1] * attribute(node, "group", 1)
    elif kind == "ConvTranspose" and len(sizes) > 2:
        yield 1, sizes[0]
    elif kind == "MatMul" and sizes:
        yield -1, sizes[-2] if len(sizes) > 1 else sizes[0]
    elif kind == "Gemm" and len(sizes) == 2:
        yield (0 if attribute(node, "transA", 0) else 1), sizes[1 if attribute(node, "transB", 0) else 0]
    elif kind in ("LSTM", "GRU", "RNN") and len(sizes) == 3:
        yield 2, sizes[2]
    elif kind in ("BatchNormalization", "InstanceNormalization") and sizes:
        yield 1, sizes[0]
    elif kind in ("LayerNormalization", "RMSNormalization"):
        yield from ((place - len(sizes), size) for place, size in enumerate(sizes) if size > 1)


def _broadcast(view: View, node: onnx.NodeProto) -> Iterator[tuple[onnx.NodeProto, str, int, int, str]]:
    for name in node.input:
        for other in node.input:
            shape = view.shape(other)
            # What is computed may be of any size; only a constant or a declared input says something.
            if name == other or not shape or other in view.makers:
                continue
            for place, size in enumerate(shape):
                if isinstance(size, int) and size > 1:
                    yield node, name, place - len(shape), size, "the other operand"


def _reshaped(view: View, node: onnx.NodeProto) -> Iterator[tuple[onnx.NodeProto, str, int, int, str]]:
    """Yield the one unknown dimension of what is reshaped to a shape without unknown dimensions."""
    wanted, shape = view.constant(node, 1), view.shape(node.input[0])
    if wanted is None or not shape or not wanted.size or bool((wanted <= 0).any()):
        return
    unknown = [axis for axis, dim in enumerate(shape) if not isinstance(dim, int)]
    known = math.prod(dim for dim in shape if isinstance(dim, int))
    if len(unknown) == 1 and known and int(wanted.prod()) % known == 0:
        yield node, node.input[0], unknown[0], int(wanted.prod()) // known, "the shape"


def _pairs(view: View, node: onnx.NodeProto) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of dimensions that have to be equal."""
    shapes = [view.shape(name) if name else None for name in node.input]
    kind = node.op_type
    if kind in _ELEMENTWISE:
        whole = [shape for shape in shapes if shape]
        for one, other in itertools.pairwise(whole):
            yield from zip(reversed(one), reversed(other), strict=False)
    elif kind == "Concat" and all(shapes):
        axis = attribute(node, "axis", 0)
        for shape in shapes[1:]:
            first = shapes[0]
            if first and shape and len(first) == len(shape):
                kept = [place for place in range(len(first)) if place != axis % len(first)]
                yield from ((first[place], shape[place]) for place in kept)
    elif kind == "MatMul" and len(shapes) > 1 and shapes[0] and shapes[1] and len(shapes[1]) > 1:
        yield shapes[0][-1], shapes[1][-2]
        yield from zip(reversed(shapes[0][:-2]), reversed(shapes[1][:-2]), strict=False)
    elif kind in ("LSTM", "GRU", "RNN") and shapes[0] and len(shapes[0]) == 3:
        yield from ((shapes[0][1], shape[1]) for shape in shapes[5:7] if shape and len(shape) == 3)


def _ordered(view: View, one: str, other: str) -> tuple[str, str]:
    """Return two symbols in the order of the inputs."""
    order = [dim for spec in view.inputs for dim in spec.shape if isinstance(dim, str)]
    places = {name: order.index(name) if name in order else len(order) for name in (one, other)}
    return (one, other) if places[one] <= places[other] else (other, one)


def _window(view: View, node: onnx.NodeProto) -> int:
    return max((least for _, least, _ in _needed(view, node)), default=0)


def _needed(view: View, node: onnx.NodeProto) -> Iterator[tuple[int, int, str]]:
    """Yield axis, least size and what needs it."""
    if node.op_type in ("Conv", "MaxPool", "AveragePool", "LpPool"):
        kernel = list(attribute(node, "kernel_shape", ())) or list(view.shape(view.operand(node, 1)) or ())[2:]
        pads = list(attribute(node, "pads", ())) or [0] * 2 * len(kernel)
        steps = list(attribute(node, "dilations", ())) or [1] * len(kernel)
        if len(pads) == 2 * len(kernel) == 2 * len(steps) and all(isinstance(size, int) for size in kernel):
            for place, size in enumerate(kernel):
                around = pads[place] + pads[place + len(kernel)]
                yield place + 2, (int(size) - 1) * steps[place] + 1 - around, "the window"
    elif node.op_type == "Pad" and attribute(node, "mode", b"constant") in (b"reflect", b"wrap"):
        given = view.constant(node, 1)
        pads = list(attribute(node, "pads", ())) if given is None else given.reshape(-1).tolist()
        rank = len(pads) // 2
        for place in range(rank):
            yield place, max(pads[place], pads[place + rank]) + 1, "the reflected border"
    elif node.op_type == "STFT":
        window = view.constant(node, 3)
        shape = view.shape(view.operand(node, 2))
        length = int(window.reshape(-1)[0]) if window is not None and window.size else (shape or (0,))[0]
        if isinstance(length, int):
            yield 1, length, "the frame"


def _anchors(view: View) -> Iterator[int]:
    """Yield sides of a square image whose grids have as many anchors as an output declares."""
    declared = {dim for spec in view.outputs for dim in spec.shape[1:] if isinstance(dim, int) and dim >= 500}
    for side in range(32, 1537, 32):
        cells = sum((side // stride) ** 2 for stride in _STRIDES)
        if any(cells * each in declared for each in (1, 2, 3)):
            yield side


def _called(node: onnx.NodeProto) -> str:
    return f"{node.op_type} {node.name}".strip()
