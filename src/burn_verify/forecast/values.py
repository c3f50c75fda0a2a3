"""What is known of the values of a graph before it runs: dtype, shape, and where each comes from.

Takes protobuf messages; infers nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy.typing as npt
import onnx

from burn_verify.core.case import Shape
from burn_verify.graph.dtypes import ELEM_TYPES
from burn_verify.graph.facts import array_of, text
from burn_verify.graph.operators import canonical

SMALL: Final = 64
"""Constants of more elements are not read."""

INPUT: Final = "graph input"
INITIALIZER: Final = "initializer"
CONSTANT: Final = "constant"
FOLDED: Final = "folded"
SHAPE: Final = "shape"
GATHERED: Final = "gathered"
COMPUTED: Final = "computed"
ABSENT: Final = "absent"

FIXED: Final = frozenset({INITIALIZER, CONSTANT, FOLDED})
"""The kinds of values that are known before the model runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a graph.

    Attributes:
        kind: a graph's input, an initializer, made by a node ``Constant``, computed of such alone (``folded``), made by
            ``Shape``, an element of that (``gathered``), or computed at run time.
        dtype: empty where it is not known; the word for what is no tensor.
        shape: None where the rank is not known.
        array: of a small constant.
    """

    kind: str = COMPUTED
    dtype: str = ""
    shape: Shape | None = None
    array: npt.NDArray[Any] | None = None

    @property
    def fixed(self) -> bool:
        """Whether it is known before the model runs."""
        return self.kind in FIXED


def known_values(graph: onnx.GraphProto) -> dict[str, Value]:
    """Return the values of a graph by name, those of inner graphs not included.

    Raises:
        ValueError: the graph is damaged.
    """
    values = {text(info.name): _declared(info, COMPUTED) for info in (*graph.value_info, *graph.output)}
    values |= {text(info.name): _declared(info, INPUT) for info in graph.input}
    for tensor in graph.initializer:
        values[text(tensor.name)] = value_of(tensor, INITIALIZER)
    for sparse in graph.sparse_initializer:
        dtype = ELEM_TYPES.get(sparse.values.data_type, "")
        values[text(sparse.values.name)] = Value(kind=INITIALIZER, dtype=dtype, shape=tuple(sparse.dims))
    for node in graph.node:
        for name, value in _made(node, values):
            values[name] = value
    return values


def value_of(tensor: onnx.TensorProto, kind: str) -> Value:
    """Return a constant; the elements of a small one only."""
    dims = tuple(tensor.dims)
    elements = 1
    for dim in dims:
        elements *= max(dim, 0)
    # Where it is damaged it is a constant of unknown elements.
    array = array_of(tensor) if elements <= SMALL and not tensor.external_data else None
    return Value(kind=kind, dtype=ELEM_TYPES.get(tensor.data_type, ""), shape=dims, array=array)


def _declared(info: onnx.ValueInfoProto, kind: str) -> Value:
    word = info.type.WhichOneof("value")
    if word is None:
        return Value(kind=kind)
    if word != "tensor_type":
        return Value(kind=kind, dtype=word.removesuffix("_type"))
    tensor = info.type.tensor_type
    dims: Shape | None = None
    if tensor.HasField("shape"):
        dims = tuple(
            dim.dim_value if dim.WhichOneof("value") == "dim_value" else text(dim.dim_param) or None
            for dim in tensor.shape.dim
        )
    return Value(kind=kind, dtype=ELEM_TYPES.get(tensor.elem_type, ""), shape=dims)


def _made(node: onnx.NodeProto, values: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield what a node makes, with the kind that its operands give it."""
    if node.op_type == "Constant" and not canonical(node.domain) and node.output:
        yield text(node.output[0]), _constant(node, values.get(node.output[0], Value()))
        return
    given = [values.get(text(name), Value()) for name in node.input if name]
    kind = COMPUTED
    if node.op_type == "Shape":
        kind = SHAPE
    elif given and all(value.fixed for value in given):
        kind = FOLDED
    elif node.op_type == "Gather" and given and given[0].kind == SHAPE:
        kind = GATHERED
    for name in filter(None, node.output):
        yield text(name), replace(values.get(name, Value()), kind=kind)


def _constant(node: onnx.NodeProto, declared: Value) -> Value:
    for attribute in node.attribute:
        if attribute.name == "value":
            return value_of(attribute.t, CONSTANT)
    return replace(declared, kind=CONSTANT)
