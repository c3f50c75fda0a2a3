"""Matrix products and other operators on matrices."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, Operand, OperatorSpec, Point

FAMILY: Final = "matmul"

_PRODUCTS: Final = (
    ((2, 3), (3, 4)),
    ((2, 2, 3), (2, 3, 4)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((2, 2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
)


def _matmul(point: Point) -> Call:
    left, right = point["shape"]
    if len(left) >= 2:
        left = (*left[:-2], point.size(left[-2], "M"), left[-1])
    return Call(inputs=point.named(point.data(left), point.data(right)))


def _gemm(point: Point) -> Call:
    rows, inner = point.size(2, "M"), 3
    a = (inner, rows) if point["transA"] == 1 else (rows, inner)
    b = (4, inner) if point["transB"] == 1 else (inner, 4)
    c: dict[Any, Operand | None] = {
        OMIT: None,
        "row": point.data((4,)),
        "full": point.data((rows, 4)),
        "column": point.data((rows, 1)),
        "rank0": point.data(()),
        "one": point.data((1,)),
    }
    if point["c_shape"] == OMIT and point.version < 11:
        raise NotApplicable
    attributes = point.attributes("transA", "transB", "alpha", "beta")
    return Call(inputs=point.named(point.data(a), point.data(b), c[point["c_shape"]]), attributes=attributes)


_EQUATIONS: Final = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "bij,bjk->bik": ((2, 2, 3), (2, 3, 4)),
    "ij->ji": ((2, 3),),
    "ij->i": ((2, 3),),
    "ij->": ((2, 3),),
    "ii->i": ((3, 3),),
    "i,i->": ((3,), (3,)),
    "i,j->ij": ((2,), (3,)),
    "...ij,...jk->...ik": ((2, 2, 3), (2, 3, 4)),
    "bhqd,bhkd->bhqk": ((1, 2, 3, 4), (1, 2, 5, 4)),
    "ij,jk,kl->il": ((2, 3), (3, 2), (2, 2)),
    "ij,jk": ((2, 3), (3, 4)),
}


def _einsum(point: Point) -> Call:
    equation = list(_EQUATIONS)[point["equation"]]
    operands = [point.data(shape) for shape in _EQUATIONS[equation]]
    inputs = {f"Inputs_{place}": operand for place, operand in enumerate(operands)}
    return Call(inputs=inputs, attributes={"equation": equation})


def _det(point: Point) -> Call:
    return Call(inputs=point.named(point.data(point["shape"], low=-2, high=2)))


SPECS: Final = (
    OperatorSpec(op_type="MatMul", make=_matmul, axes={"shape": _PRODUCTS}),
    OperatorSpec(
        op_type="Gemm",
        make=_gemm,
        axes={
            "transA": (OMIT, 0, 1),
            "transB": (OMIT, 0, 1),
            "alpha": (OMIT, 0.5, 0.0),
            "beta": (OMIT, 2.0, 0.0),
            "c_shape": ("row", "full", "column", "rank0", "one", OMIT),
        },
    ),
    OperatorSpec(op_type="Einsum", make=_einsum, axes={"equation": tuple(range(len(_EQUATIONS)))}),
    OperatorSpec(op_type="Det", make=_det, axes={"shape": ((3, 3), (2, 2), (1, 1), (2, 3, 3))}),
)
