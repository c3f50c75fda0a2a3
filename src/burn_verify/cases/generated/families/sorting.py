"""Indexing and sorting: operators that return positions or an order, or whose output size depends on values."""

from typing import Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed

FAMILY: Final = "sorting"


def _top_k(point: Point) -> Call:
    shape, axis = point["shape"], point["axis"]
    place = -1 if axis == OMIT else axis
    if not -len(shape) <= place < len(shape) or shape[place] < point["k"]:
        raise NotApplicable
    if axis != OMIT and axis < 0 and point.version < 11:
        raise NotApplicable
    x = point.data(shape, low=-40, high=40, ties=(-40.0 if point["largest"] == 0 else 40.0,))
    attributes = point.attributes("axis", "largest", "sorted")
    if point.has("k"):
        return Call(inputs=point.named(x), attributes={**attributes, "k": point["k"]}, outputs=("Y", "Indices"))
    return Call(inputs=point.named(x, fixed([point["k"]])), attributes=attributes, outputs=("Y", "Indices"))


def _unique(point: Point) -> Call:
    shape, axis = point["shape"], point["axis"]
    if axis != OMIT and not -len(shape) <= axis < len(shape):
        raise NotApplicable
    outputs = ("Y", "indices", "inverse_indices", "counts")[: point["outputs"]]
    x = point.data(shape, low=-2, high=2, special=False)
    return Call(inputs=point.named(x), attributes=point.attributes("axis", "sorted"), outputs=outputs)


def _non_zero(point: Point) -> Call:
    if point["shape"] == () and point.version < 13:
        raise NotApplicable
    return Call(inputs=point.named(point.wide(point["shape"], low=-1, high=1)))


def _suppression(point: Point) -> Call:
    boxes = fixed(
        [[[0, 0, 1, 1], [0, 0.125, 1, 1.125], [0, -0.125, 1, 0.875], [0, 10, 1, 11], [0, 10.125, 1, 11.125]]], "float32"
    )
    scores = fixed([[[0.9, 0.75, 0.625, 0.95, 0.5], [0.5, 0.875, 0.25, 0.375, 0.8125]]], "float32")
    rank = () if point["rank0"] else (1,)
    most = fixed(point["boxes"], "int64") if rank == () else fixed([point["boxes"]], "int64")
    bounds = [
        None if point[name] == OMIT else fixed(point[name] if rank == () else [point[name]], "float32")
        for name in ("iou_threshold", "score_threshold")
    ]
    attributes = point.attributes("center_point_box")
    return Call(inputs=point.named(boxes, scores, most, *bounds), attributes=attributes)


def _reverse(point: Point) -> Call:
    batch = point["batch_axis"]
    attributes = {} if batch == OMIT else {"batch_axis": batch, "time_axis": 1 - batch}
    shape = (4, 3, 2) if batch in (OMIT, 1) else (3, 4, 2)
    return Call(inputs=point.named(point.data(shape), fixed([4, 1, 2])), attributes=attributes)


SPECS: Final = (
    OperatorSpec(
        op_type="TopK",
        make=_top_k,
        axes={
            "shape": ((3, 5), (5,), (2, 3, 4), (1, 2)),
            "k": (2, 1, 3, 5),
            "axis": (OMIT, 0, 1, -1),
            "largest": (OMIT, 0, 1),
            "sorted": (OMIT, 1),
        },
    ),
    OperatorSpec(
        op_type="Unique",
        make=_unique,
        axes={
            "shape": ((6,), (3, 4), (2, 3, 2)),
            "axis": (OMIT, 0, 1, -1),
            "sorted": (OMIT, 0, 1),
            "outputs": (1, 2, 4),
        },
    ),
    OperatorSpec(op_type="NonZero", make=_non_zero, axes={"shape": ((2, 3), (), (5,), (2, 3, 4), (0, 3), (1,))}),
    OperatorSpec(
        op_type="NonMaxSuppression",
        make=_suppression,
        axes={
            "boxes": (2, 1, 9),
            "iou_threshold": (0.5, OMIT, 0.0),
            "score_threshold": (OMIT, 0.5, 0.0),
            "center_point_box": (OMIT, 0, 1),
            "rank0": (False, True),
        },
        dtypes=("float32",),
    ),
    OperatorSpec(op_type="ReverseSequence", make=_reverse, axes={"batch_axis": (OMIT, 0, 1)}),
)
