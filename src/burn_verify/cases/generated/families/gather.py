"""Gathering and scattering by indices."""

from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed, index

FAMILY: Final = "gather"


def _axis(point: Point, rank: int, default: int = 0) -> int:
    axis = default if point["axis"] == OMIT else int(point["axis"])
    if not -rank <= axis < rank or (axis < 0 and point.version < 11):
        raise NotApplicable
    return axis


def _signed(point: Point) -> bool:
    """Return whether indices may be negative, as they may since version 11."""
    return point.version >= 11


def _gather(point: Point) -> Call:
    shape = point["shape"]
    axis = _axis(point, len(shape))
    if point["indices_shape"] == ():
        indices: Any = index((), shape[axis], dtype=point["tind"], negative=_signed(point))
    else:
        indices = index(point["indices_shape"], shape[axis], dtype=point["tind"], negative=_signed(point))
    return Call(inputs=point.named(point.data(shape), indices), attributes=point.attributes("axis"))


def _gather_shaped(point: Point) -> Call:
    """Indices from a ``Shape``: known, and never negative."""
    if point["indices"] == "drawn":
        return _gather(point)
    shape = point["shape"]
    axis = _axis(point, len(shape))
    values: Any = {"known": [0, shape[axis] - 1], "last": shape[axis] - 1}[point["indices"]]
    operands = point.data(shape), fixed(values, point["tind"])
    return Call(inputs=point.named(*operands), attributes=point.attributes("axis"))


def _gather_elements(point: Point) -> Call:
    shape = point["shape"]
    axis = _axis(point, len(shape))
    less = [
        max(1, size - 1) if point["less"] and place != axis % len(shape) else size for place, size in enumerate(shape)
    ]
    if point["less"] and less == list(shape):
        raise NotApplicable
    indices = index(less, shape[axis], dtype=point["tind"], negative=_signed(point))
    return Call(inputs=point.named(point.data(shape), indices), attributes=point.attributes("axis"))


def _gather_nd(point: Point) -> Call:
    batch = 0 if point["batch_dims"] == OMIT else point["batch_dims"]
    depth = point["depth"]
    if batch + depth > 3:
        raise NotApplicable
    shape = (2, 2, 3)
    low = min(shape[batch : batch + depth])
    indices = index((*shape[:batch], *point["outer"], depth), low)
    return Call(inputs=point.named(point.data(shape), indices), attributes=point.attributes("batch_dims"))


def _scatter_elements(point: Point) -> Call:
    shape = point["shape"]
    axis = _axis(point, len(shape))
    reduced = point["reduction"] not in (OMIT, "none") and point.has("reduction")
    if reduced and point.dtype in ("bool", "string", "complex64", "complex128"):
        raise NotApplicable
    # Without a reduction an index that occurs twice has no defined result.
    order = np.indices(shape)[axis % len(shape)]
    indices = index(shape, shape[axis], dtype=point["tind"]) if reduced else fixed(np.flip(order, axis), point["tind"])
    operands = point.data(shape, low=-2, high=2), indices, point.data(shape, low=-2, high=2)
    return Call(inputs=point.named(*operands), attributes=point.attributes("axis", "reduction"))


def _scatter_nd(point: Point) -> Call:
    reduced = point["reduction"] not in (OMIT, "none") and point.has("reduction")
    if reduced and point.dtype in ("bool", "string", "complex64", "complex128"):
        raise NotApplicable
    depth = point["depth"]
    shape = (4, 3, 2)
    places = {1: [[3], [0], [2]], 2: [[0, 1], [3, 2]], 3: [[0, 1, 1], [3, 2, 0]]}[depth]
    if point["negative"]:
        places[-1] = [place - size for place, size in zip(places[-1], shape, strict=False)]
    updates = point.data((len(places), *shape[depth:]), low=-2, high=2)
    operands = point.data(shape, low=-2, high=2), fixed(places), updates
    return Call(inputs=point.named(*operands), attributes=point.attributes("reduction"))


def _tensor_scatter(point: Point) -> Call:
    indices = fixed([1, 0]) if point["write_indices"] else None
    operands = point.data((2, 4, 3)), point.data((2, 2, 3)), indices
    return Call(inputs=point.named(*operands), attributes=point.attributes("mode", axis=1))


def _one_hot(point: Point) -> Call:
    shape = point["shape"]
    rank = len(shape) + 1
    if (point["axis"] != OMIT and not -rank <= point["axis"] < rank) or not shape:
        raise NotApplicable
    if point.dtype.startswith("complex") or point.dtype == "string":
        raise NotApplicable
    indices = index(shape, 4, dtype=point["indices_dtype"], negative=_signed(point))
    depth = fixed(4 if point["depth"] == "rank0" else [4], point["depth_dtype"])
    values = fixed([0, 1] if point["values"] == "usual" else [3, 2], point.dtype)
    return Call(inputs=point.named(indices, depth, values), attributes=point.attributes("axis"))


def _compress(point: Point) -> Call:
    shape = point["shape"]
    size = int(np.prod(shape)) if point["axis"] == OMIT else shape[_axis(point, len(shape))]
    chosen = [place % 2 == 0 for place in range(size - (1 if point["length"] == "shorter" else 0))]
    operands = point.data(shape), fixed(chosen, "bool")
    return Call(inputs=point.named(*operands), attributes=point.attributes("axis"))


_TIND: Final = ("int64", "int32")
_SHAPES: Final = ((3, 4), (5,), (2, 3, 4), (1, 1))
_REDUCTIONS: Final = (OMIT, "none", "add", "mul", "max", "min")

SPECS: Final = (
    OperatorSpec(
        op_type="Gather",
        make=_gather_shaped,
        axes={
            "shape": _SHAPES,
            "axis": (OMIT, 0, 1, -1),
            "indices_shape": ((2,), (), (2, 3), (1,), (0,)),
            "indices": ("drawn", "known", "last"),
            "tind": _TIND,
        },
        homes={
            "indices_as=shape": {"indices": "known"},
            "indices_as=gathered": {"indices": "last"},
            "data=shape": {"dtype": "int64", "shape": (5,)},
        },
    ),
    OperatorSpec(
        op_type="GatherElements",
        make=_gather_elements,
        axes={"shape": _SHAPES, "axis": (OMIT, 0, 1, -1), "less": (False, True), "tind": _TIND},
    ),
    OperatorSpec(
        op_type="GatherND",
        make=_gather_nd,
        axes={"batch_dims": (OMIT, 0, 1, 2), "depth": (1, 2, 3), "outer": ((2,), (), (2, 2))},
    ),
    OperatorSpec(
        op_type="ScatterElements",
        make=_scatter_elements,
        axes={"shape": _SHAPES, "axis": (OMIT, 0, 1, -1), "reduction": _REDUCTIONS, "tind": _TIND},
    ),
    OperatorSpec(
        op_type="ScatterND",
        make=_scatter_nd,
        axes={"depth": (1, 2, 3), "reduction": _REDUCTIONS, "negative": (False, True)},
    ),
    OperatorSpec(
        op_type="TensorScatter",
        make=_tensor_scatter,
        axes={"mode": (OMIT, "linear", "circular"), "write_indices": (True, False)},
    ),
    OperatorSpec(
        op_type="OneHot",
        make=_one_hot,
        axes={
            "shape": ((3,), (2, 3), (1,), (0,)),
            "axis": (OMIT, 0, 1, -1),
            "indices_dtype": ("int64", "int32", "float32", "uint8"),
            "depth": ("rank0", "one"),
            "depth_dtype": ("int64", "int32", "float32"),
            "values": ("usual", "others"),
        },
        homes={"depth_as=shape": {"depth": "one"}},
    ),
    OperatorSpec(
        op_type="Compress",
        make=_compress,
        axes={"shape": ((3, 4), (5,), (2, 3, 2)), "axis": (OMIT, 0, 1, -1), "length": ("whole", "shorter")},
    ),
)
