"""Convert a model to float64: weights, constants, casts and types of an ONNX graph, inner graphs and functions too.

Takes protobuf messages that are completely loaded, with external data. Opens no file and runs nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, inliner, numpy_helper, shape_inference

from burn_verify.graph import facts
from burn_verify.graph.operators import schema_of
from burn_verify.reference.halves import TYPES, widen_type

_NARROW: Final = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16})
# Attributes that hold an element type. `stash_type` is not changed, since the standard does not allow double for it.
_FACTORS: Final = frozenset({"alpha", "beta"})
_BROADCASTS: Final = 7
"""The first opset in which arithmetic broadcasts without an attribute."""
_DOUBLE: Final = "tensor(double)"


def widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that computes in float64 what the given one computes in float32, float16 or bfloat16.

    Where an operator takes no float64 (the scales of Resize, the boxes of NonMaxSuppression), a Cast to float32 is
    inserted before it, and a Cast to float64 after it. Smaller floats, such as float8, are not changed: they are
    results of quantisation.
    """
    wide = inliner.inline_local_functions(model) if model.functions else _copied(model)
    versions = {"" if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in wide.opset_import}
    _widen_graph(wide.graph, _narrow_names(wide), versions)
    return wide


def absolute(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float64 model with the absolute values of its constants and of the factors alpha and beta."""
    positive = _copied(model)
    for tensor in facts.tensors(positive):
        if tensor.data_type == TensorProto.DOUBLE:
            _replace(tensor, np.abs(numpy_helper.to_array(tensor)))
    for node in facts.nodes(positive):
        for attribute in node.attribute:
            if attribute.name in _FACTORS:
                attribute.f = abs(attribute.f)
    return positive


def _copied(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _narrow_names(model: onnx.ModelProto) -> frozenset[str]:
    """Return the names of all values that are float32, float16 or bfloat16, as far as they can be inferred."""
    try:
        known = shape_inference.infer_shapes(model)
    except (shape_inference.InferenceError, ValueError):
        # Without types no Cast is inserted. A kernel that does not support float64 raises an error later.
        known = model
    names = set()
    for graph in facts.graphs(known):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type in _NARROW:
                names.add(value.name)
        names.update(tensor.name for tensor in graph.initializer if tensor.data_type in _NARROW)
    return frozenset(names)


def _widen_graph(graph: onnx.GraphProto, narrow: frozenset[str], versions: Mapping[str, int]) -> None:
    for tensor in (*graph.initializer, *(sparse.values for sparse in graph.sparse_initializer)):
        _widen_tensor(tensor)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        widen_type(value.type, _NARROW, TensorProto.DOUBLE)
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        _widen_attributes(node, narrow, versions)
        for part in _exactly(node, versions):
            graph.node.extend(_fitted(part, narrow, versions))


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in _NARROW:
        _replace(tensor, numpy_helper.to_array(tensor).astype(np.float64))


def _replace(tensor: onnx.TensorProto, array: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _widen_attributes(node: onnx.NodeProto, narrow: frozenset[str], versions: Mapping[str, int]) -> None:
    for attribute in node.attribute:
        if attribute.name in TYPES and attribute.i in _NARROW:
            attribute.i = TensorProto.DOUBLE
        for tensor in (*attribute.tensors, *([attribute.t] if attribute.HasField("t") else [])):
            _widen_tensor(tensor)
        for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            _widen_graph(inner, narrow, versions)
    if node.op_type == "Constant":
        _widen_constant(node)
    if node.op_type in {"ConstantOfShape", "EyeLike", "RandomNormal", "RandomUniform"}:
        _say_the_default(node)


def _widen_constant(node: onnx.NodeProto) -> None:
    """Convert the short forms of a float constant to a float64 tensor."""
    for attribute in list(node.attribute):
        if attribute.name in {"value_float", "value_floats"}:
            array = np.asarray(helper.get_attribute_value(attribute), np.float64)
            node.attribute.remove(attribute)
            node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(array)))


def _say_the_default(node: onnx.NodeProto) -> None:
    """Add the attribute whose default is float32, with float64."""
    names = {attribute.name for attribute in node.attribute}
    if node.op_type == "ConstantOfShape" and "value" not in names:
        node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))
    elif node.op_type.startswith("Random") and "dtype" not in names:
        node.attribute.append(helper.make_attribute("dtype", TensorProto.DOUBLE))


def _exactly(node: onnx.NodeProto, versions: Mapping[str, int]) -> Iterator[onnx.NodeProto]:
    """Yield a node, or the nodes of its formula: ONNX Runtime's float64 sigmoid is no more exact than in float32."""
    known = node.domain in ("", "ai.onnx") and versions.get("", 1) >= _BROADCASTS
    if not known or node.op_type not in ("Sigmoid", "Swish"):
        yield node
        return
    (x,), (y,) = node.input, node.output
    scaled, factor, minus, power, one, total = (f"{y}/sigmoid/{part}" for part in range(6))
    sigmoid, alpha = y, 1.0
    if node.op_type == "Swish":
        sigmoid = f"{y}/sigmoid"
        alpha = next((attribute.f for attribute in node.attribute if attribute.name == "alpha"), alpha)
    yield _number(factor, alpha)
    yield helper.make_node("Mul", [x, factor], [scaled])
    yield helper.make_node("Neg", [scaled], [minus])
    yield helper.make_node("Exp", [minus], [power])
    yield _number(one, 1.0)
    yield helper.make_node("Add", [power, one], [total])
    yield helper.make_node("Reciprocal", [total], [sigmoid])
    if sigmoid != y:
        yield helper.make_node("Mul", [x, sigmoid], [y])


def _number(name: str, value: float) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value, np.float64)))


def _fitted(node: onnx.NodeProto, narrow: frozenset[str], versions: Mapping[str, int]) -> Iterator[onnx.NodeProto]:
    """Yield a node, with casts around it where its operator does not take or return float64."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    schema = schema_of(node.op_type, versions.get(domain, 1), domain)
    if schema is None:
        yield node
        return
    behind = []
    for place, name in enumerate(list(node.input)):
        if name in narrow and _takes_only_narrow(schema.inputs, place):
            node.input[place] = f"{name}/narrow/{node.output[0]}/{place}"
            yield helper.make_node("Cast", [name], [node.input[place]], to=TensorProto.FLOAT)
    for place, name in enumerate(list(node.output)):
        if name in narrow and _takes_only_narrow(schema.outputs, place):
            node.output[place] = f"{name}/narrow"
            behind.append(helper.make_node("Cast", [node.output[place]], [name], to=TensorProto.DOUBLE))
    yield node
    yield from behind


def _takes_only_narrow(parameters: Iterable[defs.OpSchema.FormalParameter], place: int) -> bool:
    """Return whether a parameter may be float32 and not float64; the last parameter may be variadic."""
    known = list(parameters)
    if not known:
        return False
    types = known[min(place, len(known) - 1)].types
    return "tensor(float)" in types and _DOUBLE not in types
