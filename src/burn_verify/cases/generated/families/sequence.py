"""Sequences and optionals: made and read inside the graph, since a compiled model has neither as input or output."""

from typing import Any, Final

from burn_verify.cases.generated.families.control import graph_of, node_of, value_of
from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed
from burn_verify.graph.dtypes import elem_type_of

FAMILY: Final = "sequence"
_DTYPES: Final = ("float32", "int64", "bool", "float16", "float64", "int32", "uint8")


def _parts(point: Point, count: int = 3) -> dict[str, Any]:
    return {f"x{place}": point.data(point["shape"]) for place in range(count)}


def _made(count: int = 3) -> Any:
    return node_of("SequenceConstruct", *(f"x{place}" for place in range(count)), outputs=["seq"])


def _position(point: Point) -> dict[str, Any]:
    place = point["position"]
    return {} if place == OMIT else {"position": fixed(place, point["position_dtype"])}


def _at(point: Point) -> Call:
    nodes = (_made(), node_of("SequenceAt", "seq", "position", outputs=["Y"]))
    return Call(inputs={**_parts(point), **_position(point)}, nodes=nodes)


def _construct(point: Point) -> Call:
    count = point["count"]
    nodes = (_made(count), node_of("ConcatFromSequence", "seq", outputs=["Y"], axis=0, new_axis=1))
    return Call(inputs=_parts(point, count), nodes=nodes)


def _concat(point: Point) -> Call:
    axis, new = point["axis"], point["new_axis"]
    rank = len(point["shape"]) + (1 if new == 1 else 0)
    if not -rank <= axis < rank:
        raise NotApplicable
    given = {} if new == OMIT else {"new_axis": new}
    node = node_of("ConcatFromSequence", "seq", outputs=["Y"], axis=axis, **given)
    return Call(inputs=_parts(point), nodes=(_made(), node))


def _empty(point: Point) -> Call:
    given = {} if point.dtype == "float32" and point["given"] == OMIT else {"dtype": elem_type_of(point.dtype)}
    nodes = (
        node_of("SequenceEmpty", outputs=["none"], **given),
        node_of("SequenceInsert", "none", "x0", outputs=["seq"]),
        node_of("ConcatFromSequence", "seq", outputs=["Y"], axis=0, new_axis=1),
    )
    return Call(inputs=_parts(point, 1), nodes=nodes)


def _changed(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        given = _position(point)
        inputs = ["seq", *(["x3"] if op_type == "SequenceInsert" else []), *given]
        nodes = (
            _made(),
            node_of(op_type, *inputs, outputs=["seq2"]),
            node_of("ConcatFromSequence", "seq2", outputs=["Y"], axis=0, new_axis=1),
        )
        parts = _parts(point, 4 if op_type == "SequenceInsert" else 3)
        return Call(inputs={**parts, **given}, nodes=nodes)

    return OperatorSpec(op_type=op_type, make=make, axes={**_SHAPE, **_POSITIONS}, dtypes=_DTYPES)


def _length(point: Point) -> Call:
    count = point["count"]
    return Call(inputs=_parts(point, count), nodes=(_made(count), node_of("SequenceLength", "seq", outputs=["Y"])))


def _split(point: Point) -> Call:
    axis, split, keep = point["axis"], point["split"], point["keepdims"]
    if split != OMIT and keep != OMIT:
        raise NotApplicable
    attributes = {name: value for name, value in (("axis", axis), ("keepdims", keep)) if value != OMIT}
    operand = None if split == OMIT else fixed(split)
    names = ["x0"] if operand is None else ["x0", "split"]
    nodes = (
        node_of("SplitToSequence", *names, outputs=["seq"], **attributes),
        node_of("SequenceAt", "seq", "zero", outputs=["Y"]),
        node_of("SequenceLength", "seq", outputs=["count"]),
    )
    given = {"x0": point.data((4, 4)), "split": operand, "zero": fixed(0, kinds=("init",))}
    return Call(inputs=given, nodes=nodes, outputs=("Y", "count"))


def _map(point: Point) -> Call:
    shape = point["shape"]
    inside = [value_of("a", point.dtype, shape)]
    body = graph_of([node_of("Identity", "a", outputs=["b"])], "body", inside, [value_of("b", point.dtype, shape)], {})
    nodes = (
        _made(),
        node_of("SequenceMap", "seq", outputs=["seq2"], body=body),
        node_of("ConcatFromSequence", "seq2", outputs=["Y"], axis=0, new_axis=1),
    )
    return Call(inputs=_parts(point), nodes=nodes)


def _optional(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        made = node_of("Optional", "x0", outputs=["some"])
        ending = "OptionalHasElement" if op_type == "OptionalHasElement" else "OptionalGetElement"
        return Call(inputs=_parts(point, 1), nodes=(made, node_of(ending, "some", outputs=["Y"])))

    return OperatorSpec(op_type=op_type, make=make, axes=_SHAPE, dtypes=_DTYPES)


_SHAPE: Final = {"shape": ((2, 3), (), (5,), (0, 3))}
_POSITIONS: Final = {"position": (1, 0, -1, 2, OMIT), "position_dtype": ("int64", "int32")}

SPECS: Final = (
    OperatorSpec(
        op_type="SequenceAt",
        make=_at,
        axes={**_SHAPE, "position": (1, 0, -1), "position_dtype": ("int64", "int32")},
        dtypes=_DTYPES,
    ),
    OperatorSpec(op_type="SequenceConstruct", make=_construct, axes={**_SHAPE, "count": (2, 1, 3)}, dtypes=_DTYPES),
    OperatorSpec(
        op_type="ConcatFromSequence",
        make=_concat,
        axes={**_SHAPE, "axis": (0, 1, -1), "new_axis": (OMIT, 0, 1)},
        dtypes=_DTYPES,
    ),
    OperatorSpec(op_type="SequenceEmpty", make=_empty, axes={**_SHAPE, "given": (OMIT, "dtype")}, dtypes=_DTYPES),
    _changed("SequenceErase"),
    _changed("SequenceInsert"),
    OperatorSpec(op_type="SequenceLength", make=_length, axes={**_SHAPE, "count": (2, 1, 3)}, dtypes=_DTYPES),
    OperatorSpec(
        op_type="SplitToSequence",
        make=_split,
        axes={"axis": (OMIT, 0, 1, -1), "split": (OMIT, 2, (1, 3), 4), "keepdims": (OMIT, 0, 1)},
        dtypes=_DTYPES,
    ),
    OperatorSpec(op_type="SequenceMap", make=_map, axes=_SHAPE, dtypes=_DTYPES),
    *(_optional(name) for name in ("Optional", "OptionalGetElement", "OptionalHasElement")),
)
