"""Shapes and movement: operators that change positions, shapes or dtypes of elements and compute nothing."""

from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.families.elementwise import SHAPES, homes_of
from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed, setting
from burn_verify.graph.dtypes import STRING, elem_type_of, numpy_dtype

FAMILY: Final = "movement"


def _reshape(point: Point) -> Call:
    shape, target = point["shape"], point["target"]
    if 0 in target and point["allowzero"] == 1 and 0 not in shape:
        raise NotApplicable
    if 0 in shape and (-1 in target or 0 not in target):
        raise NotApplicable
    if 0 in target and point["allowzero"] == 1 and -1 in target:
        raise NotApplicable
    if any(size == 0 and place >= len(shape) for place, size in enumerate(target)):
        raise NotApplicable
    try:
        np.zeros(shape).reshape([size or shape[place] for place, size in enumerate(target)])
    except ValueError:
        raise NotApplicable from None
    return Call(
        inputs=point.named(point.data(shape), fixed(target)),
        attributes=point.attributes("allowzero"),
    )


def _flatten(point: Point) -> Call:
    shape, axis = point["shape"], point["axis"]
    if axis != OMIT and not -len(shape) <= axis <= len(shape):
        raise NotApplicable
    if (axis == OMIT and not shape) or (axis != OMIT and axis < 0 and point.version < 11):
        raise NotApplicable
    return Call(inputs=point.named(point.wide(shape)), attributes=point.attributes("axis"))


def _transpose(point: Point) -> Call:
    shape, perm = point["shape"], point["perm"]
    if perm != OMIT and len(perm) != len(shape):
        raise NotApplicable
    return Call(inputs=point.named(point.wide(shape)), attributes=point.attributes("perm"))


def _squeeze(point: Point) -> Call:
    shape, axes = point["shape"], point["axes"]
    if axes != OMIT and any(not -len(shape) <= axis < len(shape) or shape[axis] != 1 for axis in axes):
        raise NotApplicable
    if axes != OMIT and min(axes) < 0 and point.version < 11:
        raise NotApplicable
    attributes, operand = setting(point, "axes", axes)
    return Call(inputs=point.named(point.wide(shape), operand), attributes=attributes)


def _unsqueeze(point: Point) -> Call:
    shape, axes = point["shape"], point["axes"]
    rank = len(shape) + len(axes)
    if any(not -rank <= axis < rank for axis in axes) or (min(axes) < 0 and point.version < 11):
        raise NotApplicable
    attributes, operand = setting(point, "axes", axes)
    return Call(inputs=point.named(point.wide(shape), operand), attributes=attributes)


def _concat(point: Point) -> Call:
    count, axis, shape = point["count"], point["axis"], point["shape"]
    if not -len(shape) <= axis < len(shape) or (axis < 0 and point.version < 11):
        raise NotApplicable
    shapes = [[*shape] for _ in range(count)]
    for place, one in enumerate(shapes):
        one[axis] = shape[axis] + (place if point["sizes"] == "growing" else 0)
    inputs = {f"inputs_{place}": point.data(one) for place, one in enumerate(shapes)}
    return Call(inputs=inputs, attributes={"axis": axis})


def _split(point: Point) -> Call:
    axis, split = point["axis"], point["split"]
    if axis != OMIT and axis < 0 and point.version < 11:
        raise NotApplicable
    whole = [3, 4]
    whole[0 if axis == OMIT else axis] = 6
    outputs = tuple(f"Y{place}" for place in range(len(split) if split != OMIT else 3))
    attributes, operand = setting(point, "split", split)
    if split == OMIT and point.has("num_outputs"):
        attributes["num_outputs"] = 3
    return Call(
        inputs=point.named(point.data(whole), operand),
        attributes={**attributes, **point.attributes("axis")},
        outputs=outputs,
    )


def _expand(point: Point) -> Call:
    shape, target = point["shape"], point["target"]
    try:
        np.broadcast_shapes(shape, target)
    except ValueError:
        raise NotApplicable from None
    return Call(inputs=point.named(point.data(shape), fixed(target)))


def _tile(point: Point) -> Call:
    shape, repeats = point["shape"], point["repeats"]
    if len(repeats) != len(shape):
        raise NotApplicable
    return Call(inputs=point.named(point.wide(shape), fixed(repeats)))


def _shape(point: Point) -> Call:
    return Call(inputs=point.named(point.wide(point["shape"])), attributes=point.attributes("start", "end"))


def _size(point: Point) -> Call:
    return Call(inputs=point.named(point.wide(point["shape"])))


def _tensor(value: Any, dtype: str) -> Any:
    from onnx.numpy_helper import from_array

    array = np.asarray(value)
    # Numbers become text through NumPy's own string type.
    return from_array(
        array.astype(str).astype(object) if dtype == STRING else array.astype(numpy_dtype(dtype)), "value"
    )


def _constant_of_shape(point: Point) -> Call:
    attributes = {} if point["value"] == OMIT else {"value": _tensor([point["value"]], point.dtype)}
    if point["value"] == OMIT and point.dtype != "float32":
        raise NotApplicable
    return Call(inputs=point.named(fixed(np.array(point["target"], dtype=np.int64))), attributes=attributes)


def _constant(point: Point) -> Call:
    form = point["form"]
    typed = {"value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}
    if form in typed and (not point.has(form) or point.dtype != typed[form]):
        raise NotApplicable
    values: dict[str, Any] = {
        "value_float": 1.5,
        "value_floats": [1.5, -2.0],
        "value_int": 3,
        "value_ints": [3, -4],
        "scalar": _tensor(1, point.dtype),
        "matrix": _tensor([[1, 0, 1], [0, 1, 1]], point.dtype),
        "empty": _tensor(np.zeros((0, 3)), point.dtype),
    }
    return Call(inputs={}, attributes={form if form in typed else "value": values[form]})


def _eye(point: Point) -> Call:
    attributes = point.attributes("k")
    if point["out"] != OMIT:
        attributes["dtype"] = elem_type_of(point["out"])
    return Call(inputs=point.named(point.data(point["shape"])), attributes=attributes)


def _range(point: Point) -> Call:
    start, limit, delta = {"up": (0, 5, 1), "down": (5, -1, -2), "none": (3, 3, 1), "steps": (1, 10, 3)}[point["span"]]
    values = (fixed(value, point.dtype) for value in (start, limit, delta))
    return Call(inputs=point.named(*values))


def _trilu(point: Point) -> Call:
    k = None if point["k"] == OMIT else fixed(point["k"])
    return Call(inputs=point.named(point.wide(point["shape"]), k), attributes=point.attributes("upper"))


def _blocks(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        size = point["blocksize"]
        shape = (point.size(2, "N"), 3 * size * size, 2, 3) if op_type == "DepthToSpace" else (2, 3, 2 * size, 3 * size)
        return Call(inputs=point.named(point.data(shape)), attributes=point.attributes("blocksize", "mode"))

    return OperatorSpec(op_type=op_type, make=make, axes={"blocksize": (2, 1, 3), "mode": (OMIT, "DCR", "CRD")})


def _centre(point: Point) -> Call:
    axes, target = point["axes"], point["target"]
    if len(target) != (3 if axes == OMIT else len(axes)):
        raise NotApplicable
    return Call(inputs=point.named(point.data((4, 5, 3)), fixed(target)), attributes=point.attributes("axes"))


def _identity(point: Point) -> Call:
    return Call(inputs=point.named(point.wide(point["shape"])))


def _dropout(point: Point) -> Call:
    ratio = None if point["ratio"] == OMIT or point.has("ratio") else fixed(point["ratio"], "float32")
    training = None if point["training"] == OMIT or point.version < 12 else fixed(point["training"], "bool")
    attributes = point.attributes("ratio") if point.has("ratio") else {}
    outputs = ("Y", "mask") if point["outputs"] == 2 else ("Y",)
    attributes |= point.attributes("seed")
    return Call(inputs=point.named(point.wide(point["shape"]), ratio, training), attributes=attributes, outputs=outputs)


_ANY: Final = (*SHAPES[:4], (2, 3, 4))

SPECS: Final = (
    OperatorSpec(
        op_type="Reshape",
        make=_reshape,
        axes={
            "shape": ((2, 3, 4), (24,), (1,), (), (0, 3, 4)),
            "target": ((4, 6), (-1,), (0, -1), (2, 0, 4), (24, 1), (2, 3, -1, 1), (), (1,), (3, 4, 0)),
            "allowzero": (OMIT, 0, 1),
        },
    ),
    OperatorSpec(op_type="Flatten", make=_flatten, axes={"shape": SHAPES, "axis": (OMIT, 0, 1, 2, -1)}),
    OperatorSpec(
        op_type="Transpose",
        make=_transpose,
        axes={"shape": SHAPES, "perm": (OMIT, (1, 0), (2, 0, 1), (0, 1), (0, 3, 1, 2))},
    ),
    OperatorSpec(
        op_type="Squeeze",
        make=_squeeze,
        axes={"shape": ((1, 3, 1, 2), (1, 1), (3, 1), (1,), (1, 0)), "axes": ((0,), OMIT, (2,), (0, 2), (-1,), (1,))},
    ),
    OperatorSpec(
        op_type="Unsqueeze", make=_unsqueeze, axes={"shape": _ANY, "axes": ((0,), (1,), (-1,), (0, 2), (2, 1))}
    ),
    OperatorSpec(
        op_type="Concat",
        make=_concat,
        axes={
            "count": (2, 1, 3),
            "axis": (0, 1, -1, -2),
            "shape": ((2, 3), (3,), (1, 1), (2, 2, 2), (0, 3)),
            "sizes": ("equal", "growing"),
        },
        homes={f"inputs_{place}=shape": {"dtype": "int64", "shape": (3,)} for place in (0, 1, 2)},
    ),
    OperatorSpec(
        op_type="Split",
        make=_split,
        axes={"axis": (OMIT, 0, 1, -1), "split": (OMIT, (2, 4), (1, 2, 3), (6,), (0, 6))},
        homes={"split_as=shape": {"split": (2, 4)}},
    ),
    OperatorSpec(
        op_type="Expand",
        make=_expand,
        axes={"shape": ((2, 1), (3,), (), (1,), (2, 3), (0, 1)), "target": ((2, 3), (2, 1, 3), (1,), (3,), ())},
    ),
    OperatorSpec(
        op_type="Tile",
        make=_tile,
        axes={"shape": ((2, 3), (3,), (1, 2, 3), (0, 2)), "repeats": ((1, 2), (2, 2), (3,), (2, 1, 2), (0, 1))},
    ),
    OperatorSpec(
        op_type="Shape", make=_shape, axes={"shape": SHAPES, "start": (OMIT, 0, 1, -1, -9), "end": (OMIT, 1, 2, -1, 9)}
    ),
    OperatorSpec(op_type="Size", make=_size, axes={"shape": SHAPES}),
    OperatorSpec(
        op_type="ConstantOfShape",
        make=_constant_of_shape,
        axes={"target": ((2, 3), (3,), (), (1, 2, 2), (0, 2)), "value": (1, OMIT, 0)},
    ),
    OperatorSpec(
        op_type="Constant",
        make=_constant,
        axes={"form": ("matrix", "scalar", "empty", "value_float", "value_floats", "value_int", "value_ints")},
        homes={"form=value_int": {"dtype": "int64"}, "form=value_ints": {"dtype": "int64"}},
    ),
    OperatorSpec(
        op_type="EyeLike",
        make=_eye,
        axes={"shape": ((3, 3), (2, 4), (4, 2)), "k": (OMIT, 0, 1, -1), "out": (OMIT, "float32", "int64", "float64")},
    ),
    OperatorSpec(op_type="Range", make=_range, axes={"span": ("up", "down", "none", "steps")}),
    OperatorSpec(
        op_type="Trilu",
        make=_trilu,
        axes={"shape": ((3, 3), (2, 4), (4, 2), (2, 3, 3), (0, 3)), "k": (OMIT, 0, 1, -1, 9), "upper": (OMIT, 0, 1)},
    ),
    _blocks("DepthToSpace"),
    _blocks("SpaceToDepth"),
    OperatorSpec(
        op_type="CenterCropPad",
        make=_centre,
        axes={"axes": (OMIT, (0,), (0, 1), (-1,), (1, 2)), "target": ((2, 7, 3), (2,), (7,), (6, 2), (5, 4))},
    ),
    OperatorSpec(op_type="Identity", make=_identity, axes={"shape": SHAPES}, homes=homes_of("input")),
    OperatorSpec(
        op_type="Dropout",
        make=_dropout,
        axes={
            "shape": SHAPES[:4],
            "ratio": (OMIT, 0.25, 0.0),
            "training": (OMIT, False, True),
            "outputs": (1, 2),
            "seed": (OMIT, 3),
        },
    ),
)
