"""A graph as the rules see it: who makes a value, who takes it, its shape, and its value where it is a constant.

Graphs inside of If, Loop and Scan are seen with the outer one, since names are unique in both. Unknown dimensions of
inputs have a symbol each, which shape inference carries through the graph.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from burn_verify.core.case import Shape, TensorSpec
from burn_verify.graph import facts

_SMALL: Final = 4096
"""Number of elements of a constant whose value is read; of greater ones only the shape is known."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A value as an operand of a node.

    Attributes:
        place: of the operand.
    """

    node: onnx.NodeProto
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A graph.

    Attributes:
        inputs: those that are no initializers; each unknown dimension is a symbol, see `symbol`.
        outputs: as the model declares them.
        makers: the node that makes a value.
        uses: the nodes that take a value, by name.
        constants: the small ones, by name.
        shapes: of values, as far as shape inference tells; constants included.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    makers: Mapping[str, onnx.NodeProto]
    uses: Mapping[str, Sequence[Use]]
    constants: Mapping[str, Array]
    shapes: Mapping[str, Shape]

    def shape(self, name: str) -> Shape | None:
        """Return the shape of a value, None where nothing is known."""
        return self.shapes.get(name)

    def dim(self, name: str, axis: int) -> int | str | None:
        """Return one dimension of a value: its size, its symbol, or None."""
        shape = self.shapes.get(name)
        return shape[axis] if shape is not None and -len(shape) <= axis < len(shape) else None

    def operand(self, node: onnx.NodeProto, place: int) -> str:
        """Return the name of an operand; empty where it is left out."""
        return node.input[place] if place < len(node.input) else ""

    def constant(self, node: onnx.NodeProto, place: int) -> Array | None:
        """Return the value of an operand, None where it is no small constant."""
        return self.constants.get(self.operand(node, place))


def symbol(spec: TensorSpec, axis: int) -> str | None:
    """Return the symbol of a dimension: its name, or one made of the input's; None where the size is known."""
    dim = spec.shape[axis]
    if isinstance(dim, int) and dim >= 0:
        return None
    return dim if isinstance(dim, str) and dim and dim != "?" else place_of(spec.name, axis)


def place_of(input_name: str, axis: int) -> str:
    """Return the symbol of a dimension without a name; it may stand in an expression."""
    return f"{re.sub(r'[^0-9a-zA-Z_]', '_', input_name)}_dim{axis}"


def view(model: onnx.ModelProto) -> View:
    """Return the view of a model; never fails on a model that could be read."""
    specs = facts.facts(model)
    inputs = tuple(_with_symbols(spec) for spec in specs.inputs)
    constants, sizes = _constants(model)
    makers: dict[str, onnx.NodeProto] = {}
    uses: dict[str, list[Use]] = {}
    for node in _nodes(model.graph):
        for place, name in enumerate(node.input):
            if name:
                uses.setdefault(name, []).append(Use(node=node, place=place))
        makers.update((name, node) for name in node.output if name)
    _join_bodies(model.graph, uses)
    shapes = {**_inferred(model, inputs, constants), **sizes}
    return View(inputs=inputs, outputs=specs.outputs, makers=makers, uses=uses, constants=constants, shapes=shapes)


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """Return the value of an attribute, or a default."""
    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), default)


def _with_symbols(spec: TensorSpec) -> TensorSpec:
    known = (symbol(spec, axis) for axis in range(len(spec.shape)))
    shape = tuple(dim if name is None else name for dim, name in zip(spec.shape, known, strict=True))
    return TensorSpec(name=spec.name, dtype=spec.dtype, shape=shape)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for inner in _bodies(node):
            yield from _nodes(inner)


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    return (one.g for one in node.attribute if one.type == onnx.AttributeProto.GRAPH)


def _join_bodies(graph: onnx.GraphProto, uses: dict[str, list[Use]]) -> None:
    """Let what a Loop or Scan is given be used as the input of its body is."""
    for node in _nodes(graph):
        offset = {"Loop": 0, "Scan": 0}.get(node.op_type)
        if offset is None:
            continue
        for body in _bodies(node):
            for outer, inner in zip(node.input, body.input, strict=False):
                if node.op_type == "Loop" and outer in node.input[:2]:
                    continue
                uses.setdefault(outer, []).extend(uses.get(inner.name, ()))


def _constants(model: onnx.ModelProto) -> tuple[dict[str, Array], dict[str, Shape]]:
    """Return the values of small constants and the shapes of all, by name."""
    found = {tensor.name: tensor for graph in facts.graphs(model) for tensor in graph.initializer}
    values: dict[str, Array] = {}
    for node in facts.nodes(model):
        if node.op_type != "Constant" or not node.output:
            continue
        for one in node.attribute:
            if one.name == "value":
                found[node.output[0]] = one.t
            elif one.name in ("value_float", "value_int", "value_floats", "value_ints"):
                dtype = np.float32 if "float" in one.name else np.int64
                values[node.output[0]] = np.asarray(helper.get_attribute_value(one), dtype)
    for name, tensor in found.items():
        if not tensor.external_data and int(np.prod(tensor.dims, dtype=np.float64)) <= _SMALL:
            array = facts.array_of(tensor)
            if array is not None:
                values[name] = array
    shapes: dict[str, Shape] = {name: tuple(tensor.dims) for name, tensor in found.items()}
    return values, {**shapes, **{name: value.shape for name, value in values.items()}}


def _inferred(model: onnx.ModelProto, inputs: Sequence[TensorSpec], constants: Mapping[str, Array]) -> dict[str, Shape]:
    """Return the shapes that shape inference finds, of the outer graph and inner ones."""
    bare = _bare(model, {spec.name: spec.shape for spec in inputs}, constants)
    try:
        inferred = onnx.shape_inference.infer_shapes(bare, data_prop=True)
    except Exception:
        inferred = bare
    return {
        value.name: tuple(_dim(dim) for dim in value.type.tensor_type.shape.dim)
        for graph in facts.graphs(inferred)
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.WhichOneof("value") == "tensor_type" and value.type.tensor_type.HasField("shape")
    }


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    return dim.dim_value if dim.WhichOneof("value") == "dim_value" else dim.dim_param or None


def _bare(model: onnx.ModelProto, shapes: Mapping[str, Shape], constants: Mapping[str, Array]) -> onnx.ModelProto:
    """Copy a model without the values of its large constants, and with a symbol for each unknown dimension."""
    bare = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    graph = bare.graph
    graph.name = model.graph.name
    graph.node.extend(model.graph.node)
    fixed = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name in fixed:
            continue
        copied = graph.input.add()
        copied.CopyFrom(value)
        if value.type.WhichOneof("value") == "tensor_type" and value.type.tensor_type.HasField("shape"):
            for dim, size in zip(copied.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
                if isinstance(size, str):
                    dim.dim_param = size
    for tensor in model.graph.initializer:
        if tensor.name in constants:
            graph.initializer.add().CopyFrom(tensor)
        else:
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    # The declared outputs have other names for the same dimensions, and would replace those of the inputs.
    for value in model.graph.output:
        out = graph.output.add(name=value.name)
        out.type.CopyFrom(value.type)
        if out.type.WhichOneof("value") == "tensor_type":
            out.type.tensor_type.ClearField("shape")
    return bare
