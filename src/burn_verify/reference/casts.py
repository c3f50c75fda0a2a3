"""Casts of numbers to integers that cannot hold them, of which ONNX leaves the result to each program."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from burn_verify.graph.dtypes import dtype_of, numpy_dtype
from burn_verify.judge.metrics import first_index, is_float


def undefined_cast(model: onnx.ModelProto, values: Mapping[str, Any]) -> str:
    """Return in words which number is cast to an integer that cannot hold it; empty where none is.

    Arguments:
        values: of the graph, inputs and constants among them, by name; inner graphs are not looked at.
    """
    for node in model.graph.node:
        to = next((one.i for one in node.attribute if one.name == "to"), 0)
        array = values.get(node.input[0]) if node.op_type == "Cast" and node.input else None
        if not isinstance(array, np.ndarray) or not is_float(array.dtype):
            continue
        name = dtype_of(to)
        if not name.startswith(("int", "uint")):
            continue
        wide = np.trunc(array.astype(np.float64))
        low, high = _range(name)
        if (place := first_index(np.asarray(~((wide >= low) & (wide < high))))) is not None:
            return f"{node.output[0]} is cast from {float(array[place]):.6g} to {name}"
    return ""


def _range(name: str) -> tuple[float, float]:
    """Return the least integer of a type and the first one beyond the greatest: both are floats."""
    bits = 4 if name.endswith("int4") else 2 if name.endswith("int2") else numpy_dtype(name).itemsize * 8
    return (0.0, 2.0**bits) if name.startswith("u") else (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1))
