"""What is known of the values of a model without running it: element types, shapes and constants, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference

from burn_verify.graph import facts
from burn_verify.graph.operators import canonical

Array: TypeAlias = npt.NDArray[Any]

LARGEST: Final = 1 << 30
"""Bytes of the largest model that is rewritten; protobuf itself ends at 2 GiB."""
_WEIGHTS: Final = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.DOUBLE,
        TensorProto.INT8,
        TensorProto.UINT8,
    }
)
"""Element types of which no shape is made."""
_LARGE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The type of a tensor: its element type, 0 where unknown, and its shape, None where not even the rank is known."""

    elem_type: int = 0
    shape: tuple[int | None, ...] | None = None

    @property
    def static(self) -> tuple[int, ...] | None:
        """The shape where every dimension is a number, else None."""
        if self.shape is None or None in self.shape:
            return None
        return tuple(dim for dim in self.shape if dim is not None)


@dataclass(frozen=True, slots=True)
class Known:
    """The types and constants of a model; names of inner graphs are among them."""

    types: Mapping[str, Typed]
    tensors: Mapping[str, TensorProto]

    def constant(self, name: str) -> Array | None:
        """Return the value of a constant, None for any other value."""
        tensor = self.tensors.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def type_of(self, name: str) -> Typed:
        """Return the type of a value, as far as it is known."""
        return self.types.get(name, Typed())


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model with all types and shapes that onnx can infer; a plain copy where it cannot."""
    try:
        return shape_inference.infer_shapes(model, data_prop=True)
    except (
        shape_inference.InferenceError,
        checker.ValidationError,
        ValueError,
        RuntimeError,
        DecodeError,
        EncodeError,
    ):
        return copied(model)


def known(model: onnx.ModelProto) -> Known:
    """Return what is known of the values of a model."""
    types: dict[str, Typed] = {}
    for graph in facts.graphs(inferred(_light(model))):
        for value in (*graph.value_info, *graph.output, *graph.input):
            types[value.name] = typed(value.type)
    tensors = dict(pair for graph in facts.graphs(model) for pair in _constants(graph))
    types.update((name, Typed(elem_type=one.data_type, shape=tuple(one.dims))) for name, one in tensors.items())
    return Known(types, tensors)


def _light(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model without the data of large weights, which say nothing about types and shapes.

    Inference serialises and parses its model twice: that takes a second for each 60 MB, for every rewriting that asks.
    """
    light = copied(model)
    for graph in facts.graphs(light):
        for tensor in graph.initializer:
            if tensor.data_type in _WEIGHTS and tensor.ByteSize() > _LARGE:
                for name in ("raw_data", "float_data", "int32_data", "double_data"):
                    tensor.ClearField(name)
    return light


def typed(value: onnx.TypeProto) -> Typed:
    """Return the type of a tensor; of anything else, nothing."""
    tensor = value.tensor_type
    if not value.HasField("tensor_type"):
        return Typed()
    if not tensor.HasField("shape"):
        return Typed(elem_type=tensor.elem_type)
    return Typed(elem_type=tensor.elem_type, shape=tuple(_dim(dim) for dim in tensor.shape.dim))


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a model."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the default domain, 0 where the model does not import it."""
    return next((entry.version for entry in model.opset_import if not canonical(entry.domain)), 0)


def tensor_of(node: onnx.NodeProto) -> TensorProto | None:
    """Return the value of a Constant node as a tensor; None for text, sparse values and other nodes."""
    if node.op_type != "Constant" or canonical(node.domain) or len(node.output) != 1:
        return None
    for attribute in node.attribute:
        match attribute.name:
            case "value":
                return attribute.t
            case "value_float":
                return helper.make_tensor("", TensorProto.FLOAT, [], [attribute.f])
            case "value_floats":
                return helper.make_tensor("", TensorProto.FLOAT, [len(attribute.floats)], attribute.floats)
            case "value_int":
                return helper.make_tensor("", TensorProto.INT64, [], [attribute.i])
            case "value_ints":
                return helper.make_tensor("", TensorProto.INT64, [len(attribute.ints)], attribute.ints)
    return None


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, TensorProto]]:
    fed = {value.name for value in facts.runtime_inputs(graph)}
    for tensor in graph.initializer:
        # A default value of an input may be replaced by the caller.
        if tensor.name not in fed and not tensor.external_data:
            yield tensor.name, tensor
    for node in graph.node:
        value = tensor_of(node)
        if value is not None and not value.external_data:
            yield node.output[0], value


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | None:
    return dim.dim_value if dim.WhichOneof("value") == "dim_value" and dim.dim_value >= 0 else None
