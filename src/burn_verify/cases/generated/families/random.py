"""Operators that draw numbers: only dtype and shape of their answers can be compared."""

from typing import Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, OperatorSpec, Point
from burn_verify.graph.dtypes import elem_type_of

FAMILY: Final = "random"


def _number(point: Point) -> dict[str, int]:
    return {} if point["out"] == OMIT else {"dtype": elem_type_of(point["out"])}


def _plain(op_type: str, *names: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        attributes = {**point.attributes("seed", *names), "shape": point["shape"], "dtype": elem_type_of(point.dtype)}
        return Call(inputs={}, attributes=attributes)

    axes = {name: (OMIT, 0.5) for name in names}
    return OperatorSpec(
        op_type=op_type, make=make, axes={"shape": ((2, 3), (5,), (1, 2, 3)), "seed": (OMIT, 3.0), **axes}
    )


def _like(op_type: str, *names: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        x = point.data(point["shape"], low=0, high=1, special=False)
        return Call(inputs=point.named(x), attributes={**point.attributes("seed", *names), **_number(point)})

    axes = {name: (OMIT, 0.5) for name in names}
    axes_of = {"shape": ((2, 3), (5,)), "seed": (OMIT, 3.0), "out": (OMIT, "float32", "float64"), **axes}
    floats = ("float32", "float16", "float64", "bfloat16")
    return OperatorSpec(op_type=op_type, make=make, axes=axes_of, dtypes=floats)


def _multinomial(point: Point) -> Call:
    attributes = {**point.attributes("sample_size", "seed"), **_number(point)}
    return Call(inputs=point.named(point.data((2, 4), low=-1, high=1, special=False)), attributes=attributes)


SPECS: Final = (
    _plain("RandomNormal", "mean", "scale"),
    _plain("RandomUniform", "low"),
    _like("RandomNormalLike", "mean", "scale"),
    _like("RandomUniformLike", "low"),
    _like("Bernoulli"),
    OperatorSpec(
        op_type="Multinomial",
        make=_multinomial,
        axes={"sample_size": (OMIT, 1, 3), "seed": (OMIT, 3.0), "out": (OMIT, "int32", "int64")},
    ),
)
