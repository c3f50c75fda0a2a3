"""Facts about an ONNX model: operators, inputs, outputs, and whether it draws random numbers.

Takes protobuf messages; opens no file and runs nothing.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto
from onnx.numpy_helper import to_array

from burn_verify.core.case import ModelFacts, Subject, TensorSpec
from burn_verify.graph.dtypes import SAFETENSORS_DTYPES, dtype_of, numpy_dtype
from burn_verify.graph.operators import RANDOM, canonical, qualified, subject_of

_FLOATS: Final = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE})
_FEW: Final = 16
_LARGE: Final = 1e4
_TRAINING_IS_AN_INPUT: Final = 12
"""From this version on, Dropout trains only if its third input is true; from 7 on it does nothing."""


def facts(model: onnx.ModelProto, fed: Mapping[str, npt.NDArray[Any]] | None = None) -> ModelFacts:
    """Return the facts about a model.

    Arguments:
        fed: known values of inputs, by name.

    Raises:
        ValueError: the model is damaged.
    """
    opset = versions(model).get("", 0)
    # Only Dropout needs them, and reading every constant of a large model is slow.
    known = _constants(model) if any(node.op_type == "Dropout" for node in nodes(model)) else {}
    known |= fed or {}
    outputs = tuple(_spec(value) for value in model.graph.output)
    drawn = _drawn(model, opset, known)
    random = any(one.name in drawn for one in outputs)
    return ModelFacts(
        op_types=tuple(sorted({qualified(text(node.op_type), text(node.domain)) for node in nodes(model)})),
        opset=opset,
        inputs=tuple(_spec(value) for value in runtime_inputs(model.graph)),
        outputs=outputs,
        random=random,
        steady=tuple(one.name for one in outputs if random and one.name not in drawn),
    )


def subject(model: onnx.ModelProto) -> Subject | None:
    """Return the one operator of a model, None where it has several; constants do not count."""
    computing = [node for node in model.graph.node if node.op_type != "Constant"] or list(model.graph.node)
    if len(computing) != 1:
        return None
    (node,) = computing
    opset = versions(model).get(canonical(node.domain), 0)
    dtypes = {value.name: _spec(value).dtype for value in (*model.graph.input, *model.graph.output)}
    dtypes |= {tensor.name: dtype_of(tensor.data_type) for tensor in model.graph.initializer}
    inputs, outputs = ([dtypes.get(name) for name in names] for names in (node.input, node.output))
    return subject_of(node.op_type, canonical(node.domain), opset, inputs, outputs)


def nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those of inner graphs and local functions included."""
    for graph in graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield the graph and all graphs inside attributes, those of local functions included."""
    yield model.graph
    yield from _inner_graphs(model.graph.node)
    for function in model.functions:
        yield from _inner_graphs(function.node)


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor of a model: initializers, both parts of sparse ones, and attributes."""
    for graph in graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes(model):
        for attribute in node.attribute:
            yield from (*attribute.tensors, *([attribute.t] if attribute.HasField("t") else []))


def numbers(model: onnx.ModelProto) -> tuple[float, ...]:
    """Return the finite numbers that a model holds as attributes and as constants of few elements, sorted.

    A program that compares has its thresholds there.
    """
    found = {float(one.f) for node in nodes(model) for one in node.attribute if one.type == onnx.AttributeProto.FLOAT}
    for tensor in tensors(model):
        if tensor.data_type in _FLOATS and math.prod(tensor.dims) <= _FEW and not tensor.external_data:
            array = array_of(tensor)
            found.update(() if array is None else map(float, array.astype(np.float64).reshape(-1)))
    return tuple(sorted(one for one in found if math.isfinite(one) and abs(one) <= _LARGE))


def runtime_inputs(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    """Yield the inputs that are no initializers: up to IR version 3 every initializer is listed among the inputs."""
    fixed = {tensor.name for tensor in graph.initializer} | {tensor.values.name for tensor in graph.sparse_initializer}
    return (value for value in graph.input if value.name not in fixed)


def text(value: str) -> str:
    """Return a string of a model unchanged.

    Raises:
        ValueError: it is no text; protobuf returns bytes where a damaged file holds no UTF-8.
    """
    if not isinstance(value, str):
        msg = f"{value!r} is not text"
        raise ValueError(msg)
    return value


def versions(model: onnx.ModelProto) -> dict[str, int]:
    """Return the opsets that a model imports, by domain."""
    return {canonical(entry.domain): entry.version for entry in model.opset_import}


def _inner_graphs(inside: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in inside:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield inner
                yield from _inner_graphs(inner.node)


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        # Sequences, maps and optionals have no dtype: their kind takes its place.
        return TensorSpec(name=text(value.name), dtype=(kind or "untyped").removesuffix("_type"), shape=())
    tensor = value.type.tensor_type
    dims = tuple(
        dim.dim_value if dim.WhichOneof("value") == "dim_value" else text(dim.dim_param) or None
        for dim in tensor.shape.dim
    )
    return TensorSpec(name=text(value.name), dtype=dtype_of(tensor.elem_type), shape=dims)


def _drawn(model: onnx.ModelProto, opset: int, known: Mapping[str, npt.NDArray[Any]]) -> frozenset[str]:
    """Return the names of the values of the graph that depend on random numbers, as far as the known values tell."""
    if not any(_draws(node, opset, known) for node in nodes(model)):
        return frozenset()
    functions: set[tuple[str, str]] = set()

    def draws(some: Iterable[onnx.NodeProto]) -> bool:
        return any(_draws(node, opset, known) or (node.domain, node.op_type) in functions for node in some)

    # A function may call one that comes after it.
    for _ in model.functions:
        functions |= {(one.domain, one.name) for one in model.functions if draws(_within(one.node))}
    found: set[str] = set()
    for node in model.graph.node:
        inside = list(_within([node]))
        if draws(inside) or any(name in found for one in inside for name in one.input):
            found.update(name for name in node.output if name)
    return frozenset(found)


def _within(some: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield nodes, and those of their inner graphs."""
    for node in some:
        yield node
        for graph in _inner_graphs([node]):
            yield from graph.node


def _draws(node: onnx.NodeProto, opset: int, known: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Return whether a node draws random numbers, as far as the known values tell."""
    if canonical(node.domain):
        return False
    if node.op_type != "Dropout":
        return node.op_type in RANDOM
    if opset < _TRAINING_IS_AN_INPUT:
        # Before version 7 it trained unless is_test was set.
        return opset < 7 and not any(attribute.name == "is_test" and attribute.i for attribute in node.attribute)
    ratio, training = ([*node.input, "", "", ""][place] for place in (1, 2))
    drops = ratio not in known or bool(known[ratio].any())
    return bool(training) and drops and (training not in known or bool(known[training].any()))


def _constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    """Return the scalar constants of the model, by name."""
    found = {tensor.name: tensor for graph in graphs(model) for tensor in graph.initializer}
    for node in nodes(model):
        if node.op_type == "Constant":
            found.update((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")
    arrays = {name: array_of(tensor) for name, tensor in found.items() if _is_single(tensor)}
    return {name: array for name, array in arrays.items() if array is not None}


def array_of(tensor: onnx.TensorProto) -> npt.NDArray[Any] | None:
    """Return the elements of a constant; None where it is damaged, which is for onnx's checker to say."""
    try:
        return to_array(tensor)
    except (ValueError, TypeError, KeyError):
        return None


def bytes_of(tensor: onnx.TensorProto) -> int | None:
    """Return how many bytes the elements of a constant take; None where an element has no whole bytes, or is text.

    Raises:
        ValueError: ONNX does not have its type.
    """
    dtype = dtype_of(tensor.data_type)
    return math.prod(tensor.dims) * numpy_dtype(dtype).itemsize if dtype in SAFETENSORS_DTYPES else None


def _is_single(tensor: onnx.TensorProto) -> bool:
    return not tensor.external_data and all(dim == 1 for dim in tensor.dims)
