"""Models in ONNX's own text form, with weights as arrays."""

from typing import Any

import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser


def parsed(text: str, opset: int = 17, **weights: npt.NDArray[Any]) -> onnx.ModelProto:
    """Return a model of the graph in ``(inputs) => (outputs) { nodes }``; the weights are its initializers."""
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> g {text}')
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    return model
