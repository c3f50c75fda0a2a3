"""Smaller models that may fail as a model does: fewer outputs, attributes and operands, smaller sizes, plainer values.

Each change is a function of a draft, so that several can be made one after the other. Pure: runs nothing, and does not
know which change keeps a failure.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from burn_verify.graph.cut import graph_of, inner_graphs, needed
from burn_verify.graph.dtypes import dtype_name, elem_type_of

Array: TypeAlias = npt.NDArray[Any]

_SIZES: Final = (1, 2, 3)
_MOST_OF_SHAPE: Final = 8
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A model with its inputs, in the order of the graph."""

    model: onnx.ModelProto
    inputs: tuple[Array, ...]

    @property
    def size(self) -> tuple[int, ...]:
        """What is to become small, the most important first: nodes, outputs, operands, elements, attributes, values."""
        graph = self.model.graph
        arrays = [*self.inputs, *map(numpy_helper.to_array, graph.initializer)]
        return (
            len(graph.node),
            len(graph.output),
            sum(bool(name) for node in graph.node for name in node.input),
            sum(array.size for array in arrays),
            sum(len(node.attribute) for node in graph.node),
            sum(_plainness(array) for array in arrays),
        )


Change: TypeAlias = Callable[[Draft], Draft | None]
"""Returns a smaller draft, None where the change cannot be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of a draft, what it changes, and how; of one target only one is of use."""

    target: str
    how: str
    apply: Change


def changes(draft: Draft) -> Iterator[Proposal]:
    """Yield every change that makes a draft smaller, those that save most first."""
    graph = draft.model.graph
    if len(graph.output) > 1:
        for value in graph.output:
            yield Proposal(target="outputs", how=f"{value.name} alone", apply=partial(_only_output, value.name))
    for node in graph.node:
        name = node.output[0]
        for place in reversed(range(1, len(node.input))):
            if node.input[place]:
                yield _left_out(name, f"operand {place}", partial(_without_operand, name, place))
        if not list(inner_graphs(node)):
            for attribute in node.attribute:
                yield _left_out(name, attribute.name, partial(_without_attribute, name, attribute.name))
    for size in _sizes(draft):
        for smaller in sorted({*_SIZES, -(-size // 2)}):
            if smaller < size:
                yield Proposal(target=f"size {size}", how=f"to {smaller}", apply=partial(_resized, size, smaller))
    yield from _plainer(draft)


def _left_out(node: str, what: str, change: Change) -> Proposal:
    return Proposal(target=f"{what} of {node}", how="left out", apply=change)


def _plainer(draft: Draft) -> Iterator[Proposal]:
    for how in _VALUES:
        for place, array in enumerate(draft.inputs):
            if _changes(array, how):
                yield Proposal(target=f"input {place}", how=how, apply=partial(_with_input, place, how))
        for tensor in draft.model.graph.initializer:
            if _changes(numpy_helper.to_array(tensor), how):
                yield Proposal(target=f"weight {tensor.name}", how=how, apply=partial(_with_weight, tensor.name, how))


def op_types(draft: Draft) -> tuple[str, ...]:
    """Return the operators of the nodes, without Constant."""
    return tuple(node.op_type for node in draft.model.graph.node if node.op_type != "Constant")


def elements(draft: Draft) -> int:
    """Return how many numbers inputs and weights have."""
    weights = sum(math.prod(tensor.dims) for tensor in draft.model.graph.initializer)
    return weights + sum(array.size for array in draft.inputs)


def together(draft: Draft, some: Sequence[Change]) -> Draft:
    """Return a draft after several changes; those that cannot be made any more are left out."""
    for change in some:
        draft = change(draft) or draft
    return draft


def typed(draft: Draft, outputs: Sequence[Array]) -> Draft:
    """Return a draft whose inputs and outputs are declared with the sizes they have; open sizes of inputs stay open."""
    model = _copy(draft.model)
    for value, array in zip(model.graph.input, draft.inputs, strict=True):
        dims = [dim.dim_param or size for dim, size in zip(value.type.tensor_type.shape.dim, array.shape, strict=False)]
        dims = dims if len(dims) == array.ndim else list(array.shape)
        value.CopyFrom(_value_info(value.name, array, dims))
    for value, array in zip(model.graph.output, outputs, strict=True):
        value.CopyFrom(_value_info(value.name, array, array.shape))
    return Draft(model=model, inputs=draft.inputs)


def _only_output(name: str, draft: Draft) -> Draft | None:
    graph = graph_of(draft.model)
    if name not in graph.maker or len(graph.outputs) == 1:
        return None
    kept = [graph.nodes[place].output[0] for place in needed(graph, [name], ())]
    model = _copy(draft.model)
    _keep(model.graph.output, lambda value: value.name == name)
    _keep(model.graph.node, lambda node: node.op_type == "Constant" or node.output[0] in kept)
    return _without_unused(Draft(model=model, inputs=draft.inputs))


def _without_operand(output: str, place: int, draft: Draft) -> Draft | None:
    model = _copy(draft.model)
    node = _node(model, output)
    if node is None or place >= len(node.input) or not node.input[place]:
        return None
    node.input[place] = ""
    while node.input and not node.input[-1]:
        del node.input[-1]
    return _without_unused(Draft(model=model, inputs=draft.inputs))


def _without_attribute(output: str, name: str, draft: Draft) -> Draft | None:
    model = _copy(draft.model)
    node = _node(model, output)
    if node is None or name not in {attribute.name for attribute in node.attribute}:
        return None
    _keep(node.attribute, lambda attribute: attribute.name != name)
    return Draft(model=model, inputs=draft.inputs)


def _resized(size: int, smaller: int, draft: Draft) -> Draft | None:
    """Make every axis of one size smaller, in inputs, weights, and constants that hold shapes."""
    model = _copy(draft.model)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        small = _sliced(array, size, smaller)
        if array.dtype == np.int64 and array.ndim == 1 and array.size <= _MOST_OF_SHAPE:
            small = np.where(small == size, smaller, small)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(small), tensor.name))
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value == size:
                dim.dim_value = smaller
    del model.graph.value_info[:]
    inputs = tuple(np.ascontiguousarray(_sliced(array, size, smaller)) for array in draft.inputs)
    return Draft(model=model, inputs=inputs)


def _with_input(place: int, how: str, draft: Draft) -> Draft | None:
    if place >= len(draft.inputs):
        return None
    inputs = list(draft.inputs)
    inputs[place] = _VALUES[how](inputs[place])
    return replace(draft, inputs=tuple(inputs))


def _with_weight(name: str, how: str, draft: Draft) -> Draft | None:
    model = _copy(draft.model)
    tensor = next((tensor for tensor in model.graph.initializer if tensor.name == name), None)
    if tensor is None:
        return None
    tensor.CopyFrom(numpy_helper.from_array(_VALUES[how](numpy_helper.to_array(tensor)), name))
    return Draft(model=model, inputs=draft.inputs)


def _without_unused(draft: Draft) -> Draft:
    """Drop weights and inputs that nothing reads."""
    model = draft.model
    read = {name for names in graph_of(model).reads for name in names} | {value.name for value in model.graph.output}
    _keep(model.graph.initializer, lambda tensor: tensor.name in read)
    _keep(model.graph.node, lambda node: node.op_type != "Constant" or node.output[0] in read)
    kept = [value.name in read for value in model.graph.input]
    inputs = tuple(array for array, keep in zip(draft.inputs, kept, strict=True) if keep)
    _keep(model.graph.input, lambda value: value.name in read)
    return Draft(model=model, inputs=inputs)


def _sizes(draft: Draft) -> list[int]:
    """Return the sizes above 1 of inputs and weights, the largest first."""
    arrays = [*draft.inputs, *map(numpy_helper.to_array, draft.model.graph.initializer)]
    return sorted({size for array in arrays for size in array.shape if size > 1}, reverse=True)


def _sliced(array: Array, size: int, smaller: int) -> Array:
    return array[tuple(slice(smaller) if axis == size else slice(None) for axis in array.shape)]


def _plainness(array: Array) -> int:
    """Return how many different values an array has, 0 where all are zero."""
    return len(np.unique(array)) - (not array.any()) if array.dtype.kind != "O" else 0


def _changes(array: Array, how: str) -> bool:
    """Return whether an array gets plainer values by a change; integers stay, since they may be shapes or indices."""
    if dtype_name(array.dtype) not in ("float16", "float32", "float64", "bfloat16") or not array.size:
        return False
    return _plainness(_VALUES[how](array)) < _plainness(array)


def _drawn(array: Array) -> Array:
    return np.random.default_rng(_SEED).standard_normal(array.shape).round(1).astype(array.dtype)


def _counted(array: Array) -> Array:
    return (np.arange(array.size) % 7 - 3).reshape(array.shape).astype(array.dtype)


_VALUES: Final[Mapping[str, Callable[[Array], Array]]] = MappingProxyType(
    {
        "zeros": np.zeros_like,
        "ones": np.ones_like,
        "small integers": _counted,
        "drawn": _drawn,
        "rounded": lambda array: np.round(array.astype(np.float64), 2).astype(array.dtype),
    }
)
"""Plainer values, the plainest first."""


def _value_info(name: str, array: Array, dims: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, elem_type_of(dtype_name(array.dtype)), list(dims))


def _node(model: onnx.ModelProto, output: str) -> onnx.NodeProto | None:
    return next((node for node in model.graph.node if node.output[0] == output), None)


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def _keep(field: Any, wanted: Callable[[Any], bool]) -> None:
    """Drop the entries of a repeated field that are not wanted."""
    kept = [one for one in field if wanted(one)]
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del field[:]
    field.extend(copies)
