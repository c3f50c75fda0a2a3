"""Signal processing: Fourier transforms and windows."""

from typing import Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed
from burn_verify.graph.dtypes import elem_type_of

FAMILY: Final = "signal"


def _dft(point: Point) -> Call:
    length, axis, parts = point["dft_length"], point["axis"], point["parts"]
    inverse, onesided = point["inverse"] == 1, point["onesided"] == 1
    if (inverse and onesided) or (onesided and parts == 2):
        raise NotApplicable
    operands = [point.data((2, 6, parts)), None if length == OMIT else fixed(length, point["length_dtype"])]
    attributes = point.attributes("inverse", "onesided")
    if axis != OMIT and point.has("axis"):
        attributes["axis"] = axis
    elif axis != OMIT:
        operands.append(fixed(axis))
    return Call(inputs=point.named(*operands), attributes=attributes)


def _stft(point: Point) -> Call:
    window = point.data((4,), low=0, high=1) if point["window"] else None
    length = None if point["frame_length"] == OMIT else fixed(4, point["length_dtype"])
    if window is None and length is None:
        raise NotApplicable
    if point["parts"] == 2 and point["onesided"] != 0:
        raise NotApplicable
    step = fixed(point["frame_step"], point["length_dtype"])
    operands = point.data((2, 10, point["parts"])), step, window, length
    return Call(inputs=point.named(*operands), attributes=point.attributes("onesided"))


def _window(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        attributes = point.attributes("periodic")
        if point["out"] != OMIT:
            attributes["output_datatype"] = elem_type_of(point["out"])
        return Call(inputs=point.named(fixed(point["size"], point.dtype)), attributes=attributes)

    out = (OMIT, "float32", "float64", "float16")
    axes = {"size": (8, 5, 2), "periodic": (OMIT, 0, 1), "out": out}
    return OperatorSpec(op_type=op_type, make=make, axes=axes, dtypes=("int64", "int32"))


def _mel(point: Point) -> Call:
    attributes = {} if point["out"] == OMIT else {"output_datatype": elem_type_of(point["out"])}
    sizes = (fixed(value, point.dtype) for value in (point["bins"], 16, 8192))
    edges = (fixed(value, point["edge_dtype"]) for value in (0, 4096))
    return Call(inputs=point.named(*sizes, *edges), attributes=attributes)


SPECS: Final = (
    OperatorSpec(
        op_type="DFT",
        make=_dft,
        axes={
            "parts": (1, 2),
            "dft_length": (OMIT, 6, 4, 8),
            "length_dtype": ("int64", "int32"),
            "axis": (OMIT, 1, -2, 0),
            "inverse": (OMIT, 0, 1),
            "onesided": (OMIT, 0, 1),
        },
        dtypes=("float32", "float64", "float16"),
    ),
    OperatorSpec(
        op_type="STFT",
        make=_stft,
        axes={
            "parts": (1, 2),
            "frame_step": (2, 3, 4),
            "window": (True, False),
            "frame_length": (OMIT, "given"),
            "onesided": (OMIT, 0, 1),
            "length_dtype": ("int64", "int32"),
        },
        dtypes=("float32", "float64", "float16"),
    ),
    *(_window(name) for name in ("BlackmanWindow", "HammingWindow", "HannWindow")),
    OperatorSpec(
        op_type="MelWeightMatrix",
        make=_mel,
        axes={"bins": (4, 8), "edge_dtype": ("float32", "float64"), "out": (OMIT, "float32", "float64")},
        dtypes=("int64", "int32"),
    ),
)
