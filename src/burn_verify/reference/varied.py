"""Other values for stored inputs, of the same shapes and dtypes: signs, ties, magnitudes, NaN and infinities.

Stored data are often positive, constant or alike, and a wrong program passes on them. Pure functions: the same model,
inputs and kind give the same arrays. Whether a model takes the values is for its reference to say.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx

from burn_verify.graph import facts
from burn_verify.graph.dtypes import dtype_name
from burn_verify.graph.operands import KEPT, Operand, Role, operands_of
from burn_verify.judge.metrics import is_float

Array: TypeAlias = npt.NDArray[Any]
Rng: TypeAlias = np.random.Generator

_KINDS: Final = ("near", "normal", "ties", "large", "small", "edges", "special")
NAMES: Final = tuple(f"varied-{kind}" for kind in _KINDS)
"""Names of the data sets, one for each kind of values, in the order in which they are asked."""

ORDINARY: Final = ("varied-near", "varied-normal", "varied-ties")
"""Those of ordinary size, without NaN and infinities."""
_SPECIAL: Final = "special"
_MOST: Final = 1 << 16
"""Elements of all inputs up to which every kind is asked; larger models take time, and are weak less often."""
_FEW: Final = ("normal", "ties")
_SCALE: Final = {"near": 1.0, "normal": 2.0, "large": 1e3, "small": 1e-3, "edges": 1.0, "special": 2.0}
_EDGE: Final = 4e-3
"""How far from a constant of the model values are drawn beside it: a threshold that is off by a percent shows."""
_LARGE_HALF: Final = 30.0
"""Sums of squares of larger numbers overflow float16."""

_MOVES: Final = frozenset(
    {
        *(
            "Compress",
            "Concat",
            "Constant",
            "DepthToSpace",
            "Expand",
            "Flatten",
            "Gather",
            "GatherElements",
            "GatherND",
        ),
        *("Identity", "Pad", "Reshape", "ReverseSequence", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile"),
        *("Transpose", "Unsqueeze", "Where"),
    }
)
_ORDERLESS: Final = frozenset(
    {
        *("Abs", "Add", "And", "Atan", "Ceil", "Cos", "Div", "Equal", "Erf", "Exp", "Floor", "Greater"),
        *("GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Log", "Mul", "Neg", "Not", "Or", "Reciprocal"),
        *("Sigmoid", "Sin", "Sqrt", "Sub", "Tanh", "Xor"),
    }
)
"""Operators whose results for NaN and infinities are those of IEEE 754 or of the standard's formula."""


def varied_inputs(model: onnx.ModelProto, inputs: Sequence[Array], digest: str) -> dict[str, list[Array]]:
    """Return sets of inputs by name, without those that are no other values than the given ones.

    Arguments:
        inputs: the stored values, in the order of the graph.
        digest: of the model; decides the values.
    """
    operands = operands_of(model, inputs)
    if all(operand == KEPT for operand in operands):
        return {}
    found: dict[str, list[Array]] = {}
    edges = facts.numbers(model)
    for kind in _kinds(model, inputs):
        drawn = [
            _drawn(_rng(digest, kind, place), kind, operand, array, edges)
            for place, (operand, array) in enumerate(zip(operands, inputs, strict=True))
        ]
        if not any(_same(drawn, other) for other in (inputs, *found.values())):
            found[f"varied-{kind}"] = drawn
    return found


def _kinds(model: onnx.ModelProto, inputs: Sequence[Array]) -> list[str]:
    few = sum(array.size for array in inputs) > _MOST
    known = _MOVES | _ORDERLESS
    defined = all(node.op_type in known and not node.domain for node in facts.nodes(model))
    return [kind for kind in _KINDS if (not few or kind in _FEW) and (kind != _SPECIAL or defined)]


def _same(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(left.tobytes() == right.tobytes() for left, right in zip(one, other, strict=True))


def _rng(digest: str, kind: str, place: int) -> Rng:
    seed = int.from_bytes(hashlib.sha256(f"{digest} {kind} {place}".encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(seed))


@np.errstate(all="ignore")
def _drawn(rng: Rng, kind: str, operand: Operand, like: Array, edges: Sequence[float]) -> Array:
    """Draw the values of one input; see `Operand`."""
    if operand.role is Role.KEPT or not like.size:
        return like
    if operand.role is Role.NEAR or (kind == "near" and operand.role is Role.FREE):
        return _near(rng, like)
    if operand.role is Role.INDEX:
        return _indices(rng, operand, like)
    if operand.role is Role.PLACES:
        return _places(rng, operand, like)
    if operand.role is Role.RANGE:
        return _ranged(rng, kind, operand, like)
    if kind == "edges" and is_float(like.dtype):
        return _at_edges(rng, like, edges)
    return _free(rng, kind, like)


def _free(rng: Rng, kind: str, like: Array) -> Array:
    if like.dtype.kind == "b":
        return np.asarray(~like if kind == "ties" else rng.random(like.shape) < 0.5)
    if is_float(like.dtype):
        return np.asarray(_floats(rng, kind, like)).astype(like.dtype)
    return _integers(rng, kind, like)


def _at_edges(rng: Rng, like: Array, edges: Sequence[float]) -> Array:
    """Draw zeros, numbers beside the constants of the model, the constants themselves, and normal numbers."""
    beside = rng.choice(np.asarray([0.0, *edges]), like.shape) * (1 + rng.choice([-_EDGE, 0.0, _EDGE], like.shape))
    return np.where(rng.random(like.shape) < 0.7, beside, rng.standard_normal(like.shape)).astype(like.dtype)


def _floats(rng: Rng, kind: str, like: Array) -> Array:
    if kind == "ties":
        return np.asarray(rng.integers(-3, 4, like.shape) / 2)
    half = kind == "large" and dtype_name(like.dtype) == "float16"
    values = np.asarray(rng.standard_normal(like.shape) * (_LARGE_HALF if half else _SCALE[kind]))
    if kind == _SPECIAL:
        special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], like.shape)
        return np.where(rng.random(like.shape) < 0.4, special, values)
    return values


def _integers(rng: Rng, kind: str, like: Array) -> Array:
    signed, narrow = like.dtype.kind == "i", like.dtype.itemsize == 1
    most = {"ties": 2, "small": 1, "large": 15 if narrow else 100}.get(kind, 9)
    return rng.integers(-most if signed else 0, most, like.shape, endpoint=True).astype(like.dtype)


def _near(rng: Rng, like: Array) -> Array:
    """Return the same values elsewhere, floats by up to a fifth larger or smaller."""
    moved = rng.permutation(like.reshape(-1)).reshape(like.shape)
    if not is_float(like.dtype):
        return moved
    return np.asarray(moved.astype(np.float64) * rng.uniform(0.8, 1.2, like.shape)).astype(like.dtype)


def _ranged(rng: Rng, kind: str, operand: Operand, like: Array) -> Array:
    if is_float(like.dtype):
        scale = 10.0 if kind in ("large", "normal") else 1.0
        values = _floats(rng, "ties", like) if kind == "ties" else rng.standard_normal(like.shape) * scale
        return np.asarray(np.clip(values, operand.low, operand.high)).astype(like.dtype)
    low = max(0, operand.low) if like.dtype.kind == "u" else operand.low
    return rng.integers(low, operand.high, like.shape, endpoint=True).astype(like.dtype)


def _indices(rng: Rng, operand: Operand, like: Array) -> Array:
    """Draw indices, of which half count from the end where they may."""
    (bound,) = operand.bounds
    if bound < 1:
        return like
    if operand.once is None:
        return _from_end(rng, rng.integers(0, bound, like.shape), bound, operand, like)
    others, count = np.delete(like.shape, operand.once), like.shape[operand.once]
    if count > bound:
        return like
    # Along the axis, every row is the beginning of a permutation of its own.
    rows = rng.permuted(np.tile(np.arange(bound), (*others, 1)), axis=-1)[..., :count]
    drawn = np.moveaxis(rows, -1, operand.once)
    return _from_end(rng, drawn, bound, operand, like)


def _places(rng: Rng, operand: Operand, like: Array) -> Array:
    """Draw rows of indices, no row twice where none may be."""
    rows, total = like[..., 0].size, int(np.prod(operand.bounds))
    if total < 1 or (operand.distinct and rows > total):
        return like
    flat = rng.permutation(total)[:rows] if operand.distinct else rng.integers(0, total, rows)
    drawn = np.stack(np.unravel_index(flat, operand.bounds), axis=-1).reshape(like.shape)
    return _from_end(rng, drawn, np.asarray(operand.bounds), operand, like)


def _from_end(rng: Rng, drawn: Array, bound: int | Array, operand: Operand, like: Array) -> Array:
    if operand.negative and like.dtype.kind != "u":
        drawn = np.where(rng.random(like.shape) < 0.5, drawn - bound, drawn)
    return drawn.astype(like.dtype)
