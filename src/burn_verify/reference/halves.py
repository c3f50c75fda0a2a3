"""Convert a float16 or bfloat16 model to float32, since ONNX Runtime has few kernels for either.

Takes protobuf messages that are completely loaded. Opens no file and runs nothing. `widen` does the same for float64.
"""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper, shape_inference

from burn_verify.graph import facts as graphs
from burn_verify.graph.dtypes import dtype_of

_HALF: Final = frozenset({TensorProto.FLOAT16, TensorProto.BFLOAT16})
TYPES: Final = frozenset({"to", "dtype", "output_dtype", "output_datatype", "softmax_precision", "precision"})
"""Attributes whose value is a type of elements."""


def dtypes_of(model: onnx.ModelProto) -> Mapping[str, str]:
    """Return the known dtype names of all values of a model by name, including those of inner graphs."""
    try:
        known = shape_inference.infer_shapes(model)
    except (shape_inference.InferenceError, ValueError):
        known = model
    found = {}
    for graph in graphs.graphs(known):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if elem_type := value.type.tensor_type.elem_type:
                found[value.name] = dtype_of(elem_type)
        found |= {tensor.name: dtype_of(tensor.data_type) for tensor in graph.initializer}
    return found


def in_single_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that computes in float32 what the given one computes in half precision."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    for tensor in graphs.tensors(single):
        if tensor.data_type in _HALF:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    for graph in graphs.graphs(single):
        del graph.value_info[:]
        for value in (*graph.input, *graph.output):
            widen_type(value.type, _HALF, TensorProto.FLOAT)
    for node in graphs.nodes(single):
        for attribute in node.attribute:
            if attribute.name in TYPES and attribute.i in _HALF:
                attribute.i = TensorProto.FLOAT
    return single


def widen_type(declared: onnx.TypeProto, narrow: Collection[int], wide: int) -> None:
    """Declare tensors of narrow types, also in sequences and optionals, to be of a wide one."""
    match declared.WhichOneof("value"):
        case "tensor_type" if declared.tensor_type.elem_type in narrow:
            declared.tensor_type.elem_type = wide
        case "sequence_type":
            widen_type(declared.sequence_type.elem_type, narrow, wide)
        case "optional_type":
            widen_type(declared.optional_type.elem_type, narrow, wide)
