"""What other values an input of a model may take, from the operators that use it: any, some, or only its own.

A conservative table: an integer that may decide a shape keeps its value. Takes protobuf messages; runs nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx.helper import get_attribute_value
from onnx.numpy_helper import to_array

from burn_verify.graph import facts
from burn_verify.graph.dtypes import dtype_of
from burn_verify.graph.operators import canonical

Array: TypeAlias = npt.NDArray[Any]


class Role(StrEnum):
    """The values that an input may take."""

    FREE = "free"
    NEAR = "near"
    """Values of the sign and size of its own: scales, variances, coordinates."""
    KEPT = "kept"
    """Only its own: it decides a shape, an axis, a length, or nothing is known of it."""
    INDEX = "index"
    """Integers below a bound."""
    PLACES = "places"
    """Rows of integers, each column below a bound of its own."""
    RANGE = "range"
    """Numbers inside a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """The values that an input may take.

    Attributes:
        bounds: for indices, the size of the axis or axes that they index.
        negative: whether an index may count from the end.
        once: along which axis an index must not occur twice; None where it may.
        distinct: whether no row of indices may occur twice.
        low, high: of a range, both included.
    """

    role: Role
    bounds: tuple[int, ...] = ()
    negative: bool = True
    once: int | None = None
    distinct: bool = False
    low: int = 0
    high: int = 0


FREE: Final = Operand(role=Role.FREE)
NEAR: Final = Operand(role=Role.NEAR)
KEPT: Final = Operand(role=Role.KEPT)

_ALL: Final = range(64)
_KEPT: Final[Mapping[str, Sequence[int]]] = {
    **dict.fromkeys(("Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "TopK", "Split", "SplitToSequence"), (1,)),
    **dict.fromkeys(("CumSum", "CumProd", "Trilu", "Upsample", "CenterCropPad", "AffineGrid", "OneHot"), (1,)),
    **dict.fromkeys(("ReverseSequence", "SequenceAt", "SequenceErase", "StringSplit", "MaxRoiPool"), (1,)),
    **dict.fromkeys(("Slice", "MaxUnpool", "Resize", "DynamicSlice"), (1, 2, 3, 4)),
    **dict.fromkeys(("ConstantOfShape", "HannWindow", "HammingWindow", "BlackmanWindow", "ImageDecoder"), (0,)),
    **dict.fromkeys(
        ("Range", "MelWeightMatrix", "Loop", "Scan", "Optional", "StringNormalizer", "TfIdfVectorizer"), _ALL
    ),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (4,)),
    **dict.fromkeys(("Dropout", "Clip", "Col2Im", "DFT", "SequenceInsert"), (1, 2)),
    **dict.fromkeys(("Pad", "STFT"), (1, 3)),
    "NonMaxSuppression": (2, 3, 4),
    "RoiAlign": (1, 2),
    "TensorScatter": (2,),
    "Attention": (3, 6),
    "BatchNormalization": (5, 6),
}
_NEAR: Final[Mapping[str, Sequence[int]]] = {
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "GridSample"), (1,)),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), (1, 4, 6)),
    **dict.fromkeys(("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), (2,)),
    "BatchNormalization": (4,),
    "NonMaxSuppression": (0,),
    "DeformConv": (2, 4),
}
_AXES_ARE_SECOND: Final = "Reduce"
_LARGEST: Final = 100
"""Integers beyond it overflow 8 bits, for which ONNX defines no result."""


def operands_of(model: onnx.ModelProto, inputs: Sequence[Array]) -> tuple[Operand, ...]:
    """Return, for each runtime input of a model, the values that it may take.

    Arguments:
        inputs: values that the model takes, in the order of the graph.
    """
    names = [value.name for value in facts.runtime_inputs(model.graph)]
    known = {tensor.name: to_array(tensor) for tensor in model.graph.initializer if not tensor.external_data}
    known |= dict(zip(names, inputs, strict=True))
    alone = len(list(facts.nodes(model))) == 1
    return tuple(_of_input(model, name, array, known, alone) for name, array in zip(names, inputs, strict=True))


def _of_input(model: onnx.ModelProto, name: str, array: Array, known: Mapping[str, Array], alone: bool) -> Operand:
    if array.dtype.kind not in "fiub" and not array.dtype.name.startswith("bfloat"):
        return KEPT
    found = [_of_use(node, place, known, array) for node, place in _uses(model, name)]
    if any(one.role is Role.KEPT for one in found):
        return KEPT
    if array.dtype.kind in "iu" and not alone and _decides(model, name):
        return KEPT
    special = [one for one in found if one.role is not Role.FREE]
    if not special:
        return FREE if found else KEPT
    return special[0] if all(one == special[0] for one in special) else KEPT


def _uses(model: onnx.ModelProto, name: str) -> Iterator[tuple[onnx.NodeProto, int]]:
    for node in facts.nodes(model):
        yield from ((node, place) for place, given in enumerate(node.input) if given == name)


def _decides(model: onnx.ModelProto, name: str) -> bool:
    """Return whether an integer may reach, through other nodes, an operand that keeps its value."""
    reached = {name}
    for node in facts.nodes(model):
        hit = [place for place, given in enumerate(node.input) if given in reached]
        if any(_keeps(node, place) for place in hit) or (hit and _has_body(node)):
            return True
        if hit:
            reached.update(node.output)
    return False


def _has_body(node: onnx.NodeProto) -> bool:
    return any(attribute.HasField("g") for attribute in node.attribute)


def _keeps(node: onnx.NodeProto, place: int) -> bool:
    if node.op_type.startswith(_AXES_ARE_SECOND):
        return place > 0
    return place in _KEPT.get(node.op_type, ()) or node.op_type in _INDEXED


def _of_use(node: onnx.NodeProto, place: int, known: Mapping[str, Array], array: Array) -> Operand:
    """Return the values that one operand of one node may take."""
    attributes = {one.name: get_attribute_value(one) for one in node.attribute}
    given = [known.get(name) for name in node.input]
    if node.op_type in _INDEXED:
        return _INDEXED[node.op_type](attributes, given, place) if canonical(node.domain) in _DOMAINS else KEPT
    if node.op_type in _SIZED and canonical(node.domain) in _DOMAINS:
        return _SIZED[node.op_type](given, place)
    if _keeps(node, place):
        return KEPT
    if place in _NEAR.get(node.op_type, ()):
        return NEAR
    if node.op_type in ("Cast", "CastLike"):
        return _converted(node.op_type, attributes, given, place)
    if node.op_type == "Pow" and given[0] is not None and given[0].dtype.kind in "iu":
        return _power_of_integers(place, given[1])
    if array.dtype.kind in "iu" and node.op_type in ("Div", "Mod", "BitShift", "Pow"):
        return _arithmetic(node.op_type, place, array)
    return FREE


_DOMAINS: Final = ("", "ai.onnx.ml")


def _arithmetic(op_type: str, place: int, array: Array) -> Operand:
    """Return the range of integers for which an operator has a result."""
    if op_type == "BitShift":
        return FREE if place == 0 else Operand(role=Role.RANGE, low=0, high=8 * array.dtype.itemsize - 1)
    if op_type == "Pow":
        return Operand(role=Role.RANGE, low=-3, high=3)
    return FREE if place == 0 else Operand(role=Role.RANGE, low=1, high=9)


def _power_of_integers(place: int, exponent: Array | None) -> Operand:
    """Return the numbers whose power is an integer of any width again: no root of a negative one, no large one."""
    whole = exponent is not None and exponent.dtype.kind in "iu"
    if place:
        return Operand(role=Role.RANGE, low=0, high=3) if whole else NEAR
    return Operand(role=Role.RANGE, low=-3 if whole else 1, high=3)


def _converted(op_type: str, attributes: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    """Return the numbers that the dtype of the result holds: others have no defined result; of a pattern, any."""
    if place:
        return FREE
    like = given[1].dtype.name if op_type == "CastLike" and given[1] is not None else ""
    name = like or dtype_of(int(attributes.get("to", 0)))
    if "int" in name:
        return Operand(role=Role.RANGE, low=0 if name.startswith("u") else -_LARGEST, high=_LARGEST)
    return FREE if name in ("float16", "bfloat16", "float32", "float64", "bool") else KEPT


def _limits(given: Sequence[Array | None], place: int) -> Operand:
    del given
    return (FREE, Operand(role=Role.RANGE, low=-3, high=-1), Operand(role=Role.RANGE, low=1, high=3))[place]


def _cumulated(given: Sequence[Array | None], place: int) -> Operand:
    rank = len(_shape(given[0]))
    if place == 0:
        return FREE
    return Operand(role=Role.RANGE, low=-rank, high=rank - 1) if rank else KEPT


def _diagonal(given: Sequence[Array | None], place: int) -> Operand:
    rows = max(_shape(given[0])[-2:], default=0)
    return FREE if place == 0 else Operand(role=Role.RANGE, low=-rows, high=rows)


def _mel_weights(given: Sequence[Array | None], place: int) -> Operand:
    del given
    return NEAR if place in (3, 4) else KEPT


def _into_body(given: Sequence[Array | None], place: int) -> Operand:
    """Return what a body gets: numbers are data, integers may count or decide a shape."""
    array = given[place]
    return KEPT if array is None or array.dtype.kind in "iu" else FREE


def _into_loop(given: Sequence[Array | None], place: int) -> Operand:
    return _into_body(given, place) if place > 1 else KEPT


def _condition(given: Sequence[Array | None], place: int) -> Operand:
    del given, place
    return FREE


_SIZED: Final[Mapping[str, Callable[[Sequence[Array | None], int], Operand]]] = {
    "Clip": _limits,
    "CumProd": _cumulated,
    "CumSum": _cumulated,
    "If": _condition,
    "Loop": _into_loop,
    "MelWeightMatrix": _mel_weights,
    "Scan": _into_body,
    "Trilu": _diagonal,
}
"""Operators some of whose operands decide how, or go into a body, and may have other values nevertheless."""


def _shape(array: Array | None) -> tuple[int, ...]:
    return () if array is None else array.shape


def _gather(attributes: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    data = _shape(given[0])
    if place != 1:
        return FREE
    return Operand(role=Role.INDEX, bounds=(data[attributes.get("axis", 0)],)) if data else KEPT


def _gather_nd(attributes: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    data, indices = _shape(given[0]), _shape(given[1])
    if place != 1:
        return FREE
    if not data or not indices:
        return KEPT
    batch = attributes.get("batch_dims", 0)
    return Operand(role=Role.PLACES, bounds=data[batch : batch + indices[-1]])


def _scatter(attributes: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    data, axis = _shape(given[0]), attributes.get("axis", 0)
    if place != 1:
        return FREE
    if not data:
        return KEPT
    once = None if _reduces(attributes) else axis % len(data)
    return Operand(role=Role.INDEX, bounds=(data[axis],), once=once)


def _scatter_nd(attributes: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    data, indices = _shape(given[0]), _shape(given[1])
    if place != 1:
        return FREE
    if not data or not indices:
        return KEPT
    return Operand(role=Role.PLACES, bounds=data[: indices[-1]], distinct=not _reduces(attributes))


def _reduces(attributes: Mapping[str, Any]) -> bool:
    return bool(attributes.get("reduction", b"none") != b"none")


def _classes(_: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    scores = _shape(given[0])
    if place != 1:
        return FREE if place == 0 else NEAR
    return Operand(role=Role.INDEX, bounds=(scores[1],), negative=False) if len(scores) > 1 else KEPT


def _one_hot(_: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    depth = given[1]
    if place:
        return KEPT if place == 1 else FREE
    return KEPT if depth is None else Operand(role=Role.INDEX, bounds=(int(np.asarray(depth).reshape(-1)[0]),))


def _extracted(_: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    data = _shape(given[0])
    if place != 1:
        return FREE
    return Operand(role=Role.INDEX, bounds=(data[-1],), negative=False) if data else KEPT


def _positions(_: Mapping[str, Any], given: Sequence[Array | None], place: int) -> Operand:
    cached = _shape(given[1]) if len(given) > 3 else ()
    if place != 3:
        return FREE
    return Operand(role=Role.INDEX, bounds=(cached[0],), negative=False) if cached else KEPT


_INDEXED: Final = {
    "Gather": _gather,
    "GatherElements": _gather,
    "GatherND": _gather_nd,
    "ScatterElements": _scatter,
    "Scatter": _scatter,
    "ScatterND": _scatter_nd,
    "NegativeLogLikelihoodLoss": _classes,
    "SoftmaxCrossEntropyLoss": _classes,
    "OneHot": _one_hot,
    "ArrayFeatureExtractor": _extracted,
    "RotaryEmbedding": _positions,
}
