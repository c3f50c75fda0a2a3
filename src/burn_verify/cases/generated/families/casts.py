"""Changes of dtype."""

from typing import Final

from burn_verify.cases.generated.families.elementwise import SHAPES, homes_of
from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point
from burn_verify.graph.dtypes import burn_kind, elem_type_of, numpy_dtype
from burn_verify.graph.operators import dtypes_of

FAMILY: Final = "casts"

_TO: Final = ("float32", "int64", "bool", "float16", "float64", "int32", "uint8", "int8", "bfloat16", "int16", "uint64")


def _castable(source: str, target: str) -> tuple[float, float]:
    """Return bounds of values that all of these types can hold; casts of others are not defined."""
    if "string" in (source, target):
        raise NotApplicable
    low = 0.0 if source.startswith("u") or target.startswith("u") else -100.0
    return low, 100.0


def _cast(point: Point) -> Call:
    target = point["to"]
    if target not in _casts_to(point.spec.op_type, point.version):
        raise NotApplicable
    low, high = _castable(point.dtype, target)
    x = point.data(point.shape(point["shape"]), low=low, high=high, special="float" in target)
    attributes = point.attributes("saturate")
    if point.spec.op_type == "CastLike":
        return Call(inputs=point.named(x, point.data((1,), dtype=target)), attributes=attributes)
    return Call(inputs=point.named(x), attributes={"to": elem_type_of(target), **attributes})


def _casts_to(op_type: str, version: int) -> tuple[str, ...]:
    return dtypes_of(op_type, "", version)


def _bitcast(point: Point) -> Call:
    target = point["to"]
    if numpy_dtype(point.dtype).itemsize != numpy_dtype(target).itemsize or burn_kind(point.dtype) is None:
        raise NotApplicable
    return Call(inputs=point.named(point.wide(point["shape"])), attributes={"to": elem_type_of(target)})


SPECS: Final = (
    OperatorSpec(
        op_type="Cast",
        make=_cast,
        axes={"to": _TO, "shape": SHAPES[:6], "saturate": (OMIT, 0, 1)},
        homes=homes_of("input"),
    ),
    OperatorSpec(op_type="CastLike", make=_cast, axes={"to": _TO, "shape": SHAPES[:4], "saturate": (OMIT, 1)}),
    OperatorSpec(
        op_type="BitCast",
        make=_bitcast,
        axes={"to": ("int32", "float32", "int64", "uint8", "int16"), "shape": SHAPES[:4]},
        homes={"dtype=float32": {"to": "int32"}, "dtype=float64": {"to": "int64"}},
    ),
)
