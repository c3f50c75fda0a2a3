"""A failing example as a Python program: it makes the graph and the arrays, and runs ONNX Runtime."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name

_WIDTH: Final = 100


def snippet(model: Any, feeds: Mapping[str, npt.NDArray[Any]], case_id: str) -> str:
    """Return the program.

    Arguments:
        model: an `onnx.ModelProto`.
        feeds: arrays by name of input.
    """
    arrays = "".join(f"    {name!r}: {_array(value)},\n" for name, value in feeds.items())
    return f"""\
# {case_id}
import base64, zlib

import ml_dtypes, numpy as np, onnx, onnxruntime
from numpy import inf, nan

model = {_model(model)}
onnx.save(model, "example.onnx")  # then: burn-verify verify example.onnx
feeds = {{
{arrays}}}
print(onnxruntime.InferenceSession("example.onnx").run(None, feeds))
"""


def _model(model: Any) -> str:
    """Return an expression for a model: onnx's own text where that is complete, else its bytes."""
    import onnx

    text = onnx.printer.to_text(model)
    try:
        same = onnx.parser.parse_model(text).SerializeToString() == model.SerializeToString()
    except onnx.parser.ParseError:
        same = False
    if same and '"""' not in text and "\\" not in text:
        return f'onnx.parser.parse_model("""\n{text}\n""")'
    packed = base64.b85encode(zlib.compress(model.SerializeToString(), 9)).decode()
    lines = "\n".join(f"    {packed[at : at + _WIDTH]!r}" for at in range(0, len(packed), _WIDTH))
    commented = "\n".join(f"# {line}" for line in text.splitlines())
    return f"onnx.load_from_string(zlib.decompress(base64.b85decode(\n{lines}\n)))\n{commented}"


def _array(value: npt.NDArray[Any]) -> str:
    name = dtype_name(value.dtype)
    dtype = f"ml_dtypes.{name}" if name == "bfloat16" else f"np.{name}" if name != "bool" else "np.bool_"
    values = value.reshape(-1).astype(np.float64).tolist() if "float" in name else value.reshape(-1).tolist()
    return f"np.array({values}).astype({dtype}).reshape({tuple(value.shape)})"
