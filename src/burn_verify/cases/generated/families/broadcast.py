"""Operators of several tensors whose shapes broadcast."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point

FAMILY: Final = "broadcast"
SHAPES: Final = (
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((2, 3), ()),
    ((), (2, 3)),
    ((), ()),
    ((2, 1), (1, 3)),
    ((1,), (2, 3)),
    ((0, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 3, 4, 5), (4, 1)),
    ((3,), (3,)),
)
_HOMES: Final = {
    f"{name}={kind}": {"dtype": "int64", "shape": shape}
    for name in ("A", "B", "X", "Y", "data_0", "data_1", "condition", "slope")
    for kind, shape in (("shape", ((3,), (3,))), ("gathered", ((), ())))
}


def _binary(
    op_type: str,
    low: float = -4,
    high: float = 4,
    right: tuple[float, float] | None = None,
    *,
    ties: tuple[float, ...] = (),
    **axes: Any,
) -> OperatorSpec:
    second = right or (low, high)

    def make(point: Point) -> Call:
        one, other = point["shape"]
        # Integers cannot be divided by zero.
        starts = max(1, second[0]) if op_type in ("Div", "Mod") and "int" in point.dtype else second[0]
        inputs = point.named(
            point.wide(one, low=low, high=high, ties=ties),
            point.wide(other, low=starts, high=second[1], special=right is None, ties=ties),
        )
        return Call(inputs=inputs, attributes=point.attributes(*axes))

    return OperatorSpec(op_type=op_type, make=make, axes={"shape": SHAPES, **axes}, homes=_HOMES)


def _variadic(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        one, other = point["shape"]
        shapes = (one, other, one, other)[: point["count"]]
        inputs = {f"data_{place}": point.wide(shape) for place, shape in enumerate(shapes)}
        return Call(inputs=inputs)

    return OperatorSpec(op_type=op_type, make=make, axes={"shape": SHAPES, "count": (2, 1, 3, 4)}, homes=_HOMES)


def _mod(point: Point) -> Call:
    one, other = point["shape"]
    floats = "float" in point.dtype
    if floats and point["fmod"] != 1:
        raise NotApplicable
    operands = point.wide(one, low=-9, high=9), point.wide(other, low=1, high=5, special=floats)
    return Call(inputs=point.named(*operands), attributes=point.attributes("fmod"))


def _pow(point: Point) -> Call:
    one, other = point["shape"]
    exponent = point.dtype if point["exponent"] == "same" or point.version < 12 else point["exponent"]
    negative = "float" in point.dtype
    base = point.wide(one, low=0.25 if negative else 0, high=4)
    power = point.data(
        point.shape(other), dtype=exponent, low=-2 if negative and "float" in exponent else 0, high=3, special=negative
    )
    return Call(inputs=point.named(base, power))


def _prelu(point: Point) -> Call:
    one, other = point["shape"]
    if len(other) > len(one) or (one == (1,) and other != (1,)):
        raise NotApplicable
    return Call(inputs=point.named(point.wide(one), point.wide(other)))


def _where(point: Point) -> Call:
    one, other = point["shape"]
    condition = {"same": one, "rank0": (), "row": (3,)}[point["condition_shape"]]
    if point["condition_shape"] == "row" and one[-2:-1] == (4,):
        raise NotApplicable
    operands = point.data(point.shape(condition), dtype="bool"), point.wide(one), point.wide(other)
    return Call(inputs=point.named(*operands))


def _swiglu(point: Point) -> Call:
    shape = point["shape"]
    return Call(inputs=point.named(point.wide(shape), point.wide(shape)), attributes=point.attributes("alpha"))


SPECS: Final = (
    *(_binary(name) for name in ("Add", "Sub", "Mul", "And", "Or", "Xor")),
    *(_binary(name, ties=(1.0,)) for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    *(_binary(name, 0, 100) for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")),
    _binary("Div", right=(0.5, 4)),
    _binary("BitShift", 0, 100, right=(0, 7), direction=("LEFT", "RIGHT")),
    *(_variadic(name) for name in ("Max", "Min", "Mean", "Sum")),
    OperatorSpec(op_type="Mod", make=_mod, axes={"shape": SHAPES, "fmod": (1, OMIT, 0)}, homes=_HOMES),
    OperatorSpec(
        op_type="Pow",
        make=_pow,
        parameter="T",
        axes={"shape": SHAPES, "exponent": ("same", "float32", "int64", "int32", "float64")},
        homes=_HOMES,
    ),
    OperatorSpec(op_type="PRelu", make=_prelu, axes={"shape": SHAPES}, homes=_HOMES),
    OperatorSpec(
        op_type="Where", make=_where, axes={"shape": SHAPES, "condition_shape": ("same", "rank0", "row")}, homes=_HOMES
    ),
    OperatorSpec(
        op_type="SwiGLU",
        make=_swiglu,
        axes={"shape": ((2, 3), (5,), (0, 3), (2, 3, 4)), "alpha": (OMIT, 0.5, 2.0)},
    ),
)
