"""Operators that reduce, accumulate or normalise along axes."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed, setting

FAMILY: Final = "reduce"
_SHAPES: Final = ((2, 3, 4), (3,), (2, 3), (1, 3, 1), (), (2, 3, 2, 2), (2, 0, 3))
_AXES: Final = (OMIT, (1,), (0,), (-1,), (0, 1), (0, -1), (0, 1, 2), ())


def _in_range(axes: Any, rank: int) -> None:
    if axes == OMIT:
        return
    places = [axis % rank for axis in axes] if rank else list(axes)
    if any(not -rank <= axis < rank for axis in axes) or len(set(places)) != len(places):
        raise NotApplicable


def _reduce(op_type: str, low: float = -4, high: float = 4) -> OperatorSpec:
    def make(point: Point) -> Call:
        axes, shape = point["axes"], point["shape"]
        _in_range(axes, len(shape))
        if 0 in shape and op_type in ("ReduceMax", "ReduceMin", "ReduceMean"):
            raise NotApplicable
        if axes == () and point.has("axes"):
            raise NotApplicable
        noop = point["noop_with_empty_axes"] if "noop_with_empty_axes" in point.values else OMIT
        attributes, operand = setting(point, "axes", axes)
        return Call(
            inputs=point.named(point.wide(shape, low=low, high=high), operand),
            attributes={**attributes, **({"noop_with_empty_axes": noop} if noop != OMIT else {}), **_keep(point)},
        )

    axes = {"shape": _SHAPES, "axes": _AXES, "keepdims": (OMIT, 0, 1), "noop_with_empty_axes": (OMIT, 0, 1)}
    return OperatorSpec(op_type=op_type, make=make, axes=axes, homes={"axes_as=shape": {"axes": (1,)}})


def _keep(point: Point) -> dict[str, Any]:
    return point.attributes("keepdims")


def _arg(op_type: str, ties: float) -> OperatorSpec:
    def make(point: Point) -> Call:
        shape, axis = point["shape"], point["axis"]
        _in_range((0 if axis == OMIT else axis,), len(shape))
        if axis != OMIT and axis < 0 and point.version < 11:
            raise NotApplicable
        attributes = point.attributes("axis", "keepdims", "select_last_index")
        return Call(inputs=point.named(point.wide(shape, low=-2, high=2, ties=(ties,))), attributes=attributes)

    axes = {
        "shape": ((2, 3, 4), (3,), (2, 3), (1, 3, 1)),
        "axis": (OMIT, 0, 1, -1, 2),
        "keepdims": (OMIT, 0, 1),
        "select_last_index": (OMIT, 0, 1),
    }
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


def _cumulative(op_type: str, high: float) -> OperatorSpec:
    def make(point: Point) -> Call:
        shape = point["shape"]
        _in_range((point["axis"],), len(shape))
        axis = fixed(point["axis"], point["axis_dtype"])
        attributes = point.attributes("exclusive", "reverse")
        return Call(inputs=point.named(point.wide(shape, low=-high, high=high), axis), attributes=attributes)

    axes = {
        "shape": ((2, 3), (5,), (2, 3, 4), (0, 3)),
        "axis": (0, 1, -1),
        "axis_dtype": ("int64", "int32"),
        "exclusive": (OMIT, 1),
        "reverse": (OMIT, 1),
    }
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


def _softmax(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        shape, axis = point["shape"], point["axis"]
        _in_range((-1 if axis == OMIT else axis,), len(shape))
        if point.version < 13 and len(shape) == 1 and axis == OMIT:
            raise NotApplicable
        if axis != OMIT and axis < 0 and point.version < 11:
            raise NotApplicable
        ties = (4.0,) if op_type == "Hardmax" else ()
        return Call(inputs=point.named(point.wide(shape, ties=ties)), attributes=point.attributes("axis"))

    axes = {"shape": ((2, 3), (2, 3, 4), (5,), (1, 1), (2, 0), (2, 3, 2, 2)), "axis": (OMIT, 0, 1, -1, 2, -2)}
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


SPECS: Final = (
    *(_reduce(name) for name in ("ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum")),
    *(_reduce(name) for name in ("ReduceSumSquare", "ReduceLogSumExp")),
    _reduce("ReduceLogSum", 0.25, 4),
    _reduce("ReduceProd", -2, 2),
    _arg("ArgMax", ties=2),
    _arg("ArgMin", ties=-2),
    _cumulative("CumSum", 4),
    _cumulative("CumProd", 2),
    *(_softmax(name) for name in ("Softmax", "LogSoftmax", "Hardmax")),
)
