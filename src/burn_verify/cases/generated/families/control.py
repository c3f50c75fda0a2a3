"""Control flow: operators with graphs inside."""

from typing import Any, Final

import numpy as np

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed
from burn_verify.graph.dtypes import elem_type_of

FAMILY: Final = "control"


def value_of(name: str, dtype: str, shape: Any) -> Any:
    """Return the type of a value, as graphs inside attributes declare it."""
    from onnx import helper

    return helper.make_tensor_value_info(name, elem_type_of(dtype), shape)


def graph_of(nodes: list[Any], name: str, inputs: list[Any], outputs: list[Any], constants: dict[str, Any]) -> Any:
    """Return a graph for an attribute, with constants by name."""
    from onnx import helper, numpy_helper

    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    return helper.make_graph(nodes, name, inputs, outputs, kept)


def node_of(op_type: str, *inputs: str, outputs: list[str], **attributes: Any) -> Any:
    """Return a node."""
    from onnx import helper

    return helper.make_node(op_type, list(inputs), outputs, **attributes)


def _if(point: Point) -> Call:
    shape = point["shape"]
    out = [value_of("inner", point.dtype, shape)]
    branches: dict[str, Any] = {
        "same": lambda: graph_of([node_of("Identity", "x", outputs=["inner"])], "b", [], out, {}),
        "other": lambda: graph_of([node_of("Concat", "x", outputs=["inner"], axis=0)], "b", [], out, {}),
    }
    if point["body"] == "add" and point.dtype not in ("float32", "float64", "int32", "int64"):
        raise NotApplicable
    if point["body"] == "concat" and not shape:
        raise NotApplicable
    other = {
        "add": lambda: graph_of([node_of("Add", "x", "x", outputs=["inner"])], "b", [], out, {}),
        "identity": branches["same"],
        "concat": branches["other"],
    }[point["body"]]
    condition = point.data((), dtype="bool") if point["cond"] == "drawn" else fixed(point["cond"] == "true", "bool")
    if point["cond_shape"] == "one":
        condition = (
            point.data((1,), dtype="bool") if point["cond"] == "drawn" else fixed([point["cond"] == "true"], "bool")
        )
    node = node_of("If", "cond", outputs=["Y"], then_branch=branches["same"](), else_branch=other())
    return Call(inputs={"cond": condition, "x": point.data(shape)}, nodes=(node,))


def _loop(point: Point) -> Call:
    shape, scan = point["shape"], point["scan"]
    if point.dtype not in ("float32", "float64", "int64", "int32"):
        raise NotApplicable
    inputs = [value_of("i", "int64", ()), value_of("go", "bool", ()), value_of("v", point.dtype, shape)]
    nodes = [node_of("Add", "v", "step", outputs=["w"]), node_of("Identity", "go", outputs=["go_on"])]
    outputs = [value_of("go_on", "bool", ()), value_of("w", point.dtype, shape)]
    names = ["Y"]
    if scan:
        nodes.append(node_of("Identity", "w", outputs=["seen"]))
        outputs.append(value_of("seen", point.dtype, shape))
        names.append("scanned")
    body = graph_of(nodes, "body", inputs, outputs, {"step": np.asarray(2).astype(point.dtype)})
    times = None if point["M"] == OMIT else fixed(point["M"])
    going = None if point["cond_given"] == OMIT else fixed(point["cond_given"] == "true", "bool")
    if times is None:
        raise NotApplicable
    node = node_of("Loop", "M", "" if going is None else "cond", "v0", outputs=names, body=body)
    return Call(inputs={"M": times, "cond": going, "v0": point.data(shape)}, nodes=(node,), outputs=tuple(names))


def _scan(point: Point) -> Call:
    if point.dtype not in ("float32", "float64", "int64", "int32"):
        raise NotApplicable
    rows = point["shape"]
    width = rows[1:]
    states = [value_of("s", point.dtype, width)]
    body = graph_of(
        [node_of("Add", "s", "x", outputs=["t"]), node_of("Identity", "t", outputs=["seen"])],
        "body",
        [*states, value_of("x", point.dtype, width)],
        [value_of("t", point.dtype, width), value_of("seen", point.dtype, width)],
        {},
    )
    attributes: dict[str, Any] = {"body": body, "num_scan_inputs": 1}
    if point.version == 8:
        if point["direction"] != OMIT or point["out_direction"] != OMIT:
            raise NotApplicable
        node = node_of("Scan", "", "s0", "xs", outputs=["Y", "scanned"], **attributes)
        return Call(
            inputs={"s0": point.data((1, *width)), "xs": point.data((1, *rows))},
            nodes=(node,),
            outputs=("Y", "scanned"),
        )
    if point["direction"] != OMIT:
        attributes["scan_input_directions"] = [point["direction"]]
    if point["out_direction"] != OMIT:
        attributes["scan_output_directions"] = [point["out_direction"]]
    node = node_of("Scan", "s0", "xs", outputs=["Y", "scanned"], **attributes)
    return Call(inputs={"s0": point.data(width), "xs": point.data(rows)}, nodes=(node,), outputs=("Y", "scanned"))


_NUMBERS: Final = ("float32", "int64", "float64", "int32")

SPECS: Final = (
    OperatorSpec(
        op_type="If",
        make=_if,
        axes={
            "shape": ((2, 3), (), (5,), (0, 3)),
            "body": ("add", "identity", "concat"),
            "cond": ("drawn", "true", "false"),
            "cond_shape": ("rank0", "one"),
        },
        dtypes=("float32", "int64", "bool", "float16", "float64", "int32", "uint8"),
    ),
    OperatorSpec(
        op_type="Loop",
        make=_loop,
        axes={
            "shape": ((2, 3), (), (5,)),
            "M": (3, 0, 1),
            "cond_given": (OMIT, "true"),
            "scan": (False, True),
        },
        dtypes=_NUMBERS,
    ),
    OperatorSpec(
        op_type="Scan",
        make=_scan,
        axes={"shape": ((3, 2), (1, 2), (4,), (2, 2, 3)), "direction": (OMIT, 0, 1), "out_direction": (OMIT, 0, 1)},
        dtypes=_NUMBERS,
    ),
)
