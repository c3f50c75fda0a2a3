"""Operators of one tensor that act on each element alone."""

import math
from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, OperatorSpec, Point, setting

FAMILY: Final = "elementwise"
SHAPES: Final = ((2, 3), (), (1,), (0, 3), (5,), (2, 3, 4), (2, 1, 3, 2), (1, 2, 1, 2, 3))
HOMES: Final[dict[str, dict[str, Any]]] = {
    "shape": {"dtype": "int64", "shape": (5,)},
    "gathered": {"dtype": "int64", "shape": ()},
}
"""Values of the other axes that an output of ``Shape`` needs."""


def homes_of(name: str) -> dict[str, dict[str, Any]]:
    """Return the homes of the kinds of a first input."""
    return {f"{name}={kind}": home for kind, home in HOMES.items()}


def _unary(
    op_type: str,
    name: str = "X",
    low: float = -4,
    high: float = 4,
    *,
    ties: tuple[float, ...] = (),
    **axes: tuple[Any, ...],
) -> OperatorSpec:
    def make(point: Point) -> Call:
        operand = point.wide(point["shape"], low=low, high=high, ties=ties)
        return Call(inputs=point.named(operand), attributes=point.attributes(*axes))

    return OperatorSpec(op_type=op_type, make=make, axes={"shape": SHAPES, **axes}, homes=homes_of(name))


def _clip(point: Point) -> Call:
    x = point.wide(point["shape"])
    if point.has("min"):
        return Call(inputs=point.named(x), attributes=point.attributes("min", "max"))
    bounds = [setting(point, name, point[name], point.dtype)[1] for name in ("min", "max")]
    if point.dtype.startswith("u") and point["min"] != OMIT and point["min"] < 0:
        raise_not = point.data((), low=0, high=1)
        bounds[0] = raise_not
    return Call(inputs=point.named(x, *bounds))


SPECS: Final = (
    *(_unary(name) for name in ("Abs", "Ceil", "Floor", "Sign", "Neg", "Relu", "Sigmoid", "Tanh", "Softplus")),
    *(_unary(name, "input") for name in ("Erf", "Exp", "Cos", "Cosh", "Sin", "Sinh", "Softsign", "Atan", "Asinh")),
    *(_unary(name) for name in ("BitwiseNot", "HardSwish", "Mish", "Not", "Round")),
    _unary("Acos", "input", -1, 1),
    _unary("Asin", "input", -1, 1),
    _unary("Atanh", "input", -0.9375, 0.9375),
    _unary("Acosh", "input", 1, 4),
    _unary("Log", "input", 0.125, 8),
    _unary("Sqrt", low=0, high=8),
    _unary("Reciprocal", low=0.25, high=4),
    _unary("Tan", "input", -1.25, 1.25),
    _unary("Celu", alpha=(OMIT, 0.5, 2.0, -1.0)),
    _unary("Elu", alpha=(OMIT, 0.5, 0.0, -1.0)),
    _unary("Gelu", approximate=(OMIT, "none", "tanh")),
    _unary("HardSigmoid", alpha=(OMIT, 0.5, 0.0), beta=(OMIT, 0.25, 0.0)),
    _unary("IsNaN", ties=(math.nan,)),
    _unary("IsInf", ties=(math.inf, -math.inf), detect_negative=(OMIT, 0, 1), detect_positive=(OMIT, 0, 1)),
    _unary("LeakyRelu", alpha=(OMIT, 0.0, 0.5, -0.5, 2.0)),
    _unary("Selu", alpha=(OMIT, 1.0, 0.0), gamma=(OMIT, 2.0, 0.0)),
    _unary("Shrink", "input", bias=(OMIT, 0.0, 0.5), lambd=(OMIT, 1.5, 0.0)),
    _unary("Swish", alpha=(OMIT, 0.5, 0.0, -1.0)),
    _unary("ThresholdedRelu", alpha=(OMIT, 0.0, -0.5, 2.0)),
    OperatorSpec(
        op_type="Clip",
        make=_clip,
        axes={"shape": SHAPES, "min": (-1.0, OMIT, 0.0), "max": (2.0, OMIT, -2.0)},
        homes=homes_of("input"),
    ),
)
