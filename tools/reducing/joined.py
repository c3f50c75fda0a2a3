"""A failing model among operators that have nothing to do with its failure. Pure: takes and returns protobuf messages.

Some are in front of it and leave the values as they are, some come after it, the others are a branch of their own.
"""

import random
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

UNRELATED: Final = 10
"""Number of operators added."""

# Operator, and the constant that is its second operand; in front of a model what changes no value.
_Step: TypeAlias = tuple[str, float | None]
_BEFORE: Final[tuple[tuple[_Step, ...], ...]] = (
    (("Neg", None), ("Neg", None)),
    (("Identity", None),),
    (("Mul", 1.0),),
    (("Add", 0.0),),
    (("Sub", 0.0),),
)
_AFTER: Final[tuple[_Step, ...]] = (("Neg", None), ("Mul", 0.5), ("Add", 0.25), ("Abs", None), ("Sub", 0.25))
# None of these leaves the numbers, whatever comes before it.
_BESIDE: Final = ("Abs", "Relu", "Sigmoid", "Sqrt", "Tanh", "MatMul", "Softmax", "Transpose")
_SIDE: Final = 4
_OPSET: Final = 17


def joined(model: onnx.ModelProto, rng: random.Random) -> tuple[onnx.ModelProto, npt.NDArray[np.float32]]:
    """Return a model among `UNRELATED` operators, and the value of the input that is added at the end."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    # Up to IR version 3 every initializer has to be an input as well.
    made.ir_version = max(made.ir_version, 4)
    if all(one.domain for one in made.opset_import):
        made.opset_import.append(helper.make_opsetid("", _OPSET))
    join = _Join(made.graph, rng)
    if _has_float(made.graph.input, made.graph.initializer):
        join.before()
    if _has_float(made.graph.output):
        join.after()
    value = join.beside()
    for place, node in enumerate(made.graph.node):
        node.name = node.name or f"{node.op_type}#{place}"
    return made, value


def _has_float(values: Sequence[onnx.ValueInfoProto], weights: Sequence[onnx.TensorProto] = ()) -> bool:
    return _float_of(values, weights) is not None


def _float_of(
    values: Sequence[onnx.ValueInfoProto], weights: Sequence[onnx.TensorProto] = ()
) -> onnx.ValueInfoProto | None:
    """Return the first value that is a tensor of float32 and no weight."""
    names = {tensor.name for tensor in weights}
    floats = (value for value in values if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)
    return next((value for value in floats if value.name not in names), None)


class _Join:
    """Adds operators to a graph, and counts them."""

    def __init__(self, graph: onnx.GraphProto, rng: random.Random) -> None:
        self._graph = graph
        self._rng = rng
        self._added = 0

    def before(self) -> None:
        """Put operators that change nothing between the first float input and what reads it."""
        found = _float_of(self._graph.input, self._graph.initializer)
        assert found is not None
        nodes: list[onnx.NodeProto] = []
        last = found.name
        for steps in self._rng.sample(_BEFORE, 2):
            for op_type, number in steps:
                last = self._node(nodes, op_type, last, number)
        for node in self._graph.node:
            node.input[:] = [last if name == found.name else name for name in node.input]
        kept = list(self._graph.node)
        del self._graph.node[:]
        self._graph.node.extend([*nodes, *kept])

    def after(self) -> None:
        """Put operators behind the first float output."""
        found = _float_of(self._graph.output)
        assert found is not None
        nodes: list[onnx.NodeProto] = []
        last = found.name
        for op_type, number in self._rng.sample(_AFTER, 2):
            last = self._node(nodes, op_type, last, number)
        self._graph.node.extend(nodes)
        # Operators that go element by element keep the shape.
        found.name = last

    def beside(self) -> npt.NDArray[np.float32]:
        """Add a branch of what is left of the operators; return the value that it is fed."""
        start = "beside"
        self._graph.input.append(helper.make_tensor_value_info(start, onnx.TensorProto.FLOAT, [_SIDE, _SIDE]))
        nodes: list[onnx.NodeProto] = []
        last = start
        while self._added < UNRELATED:
            op_type = self._rng.choice(_BESIDE)
            last = self._node(nodes, op_type, last, np.eye(_SIDE) / 2 if op_type == "MatMul" else None)
        self._graph.node.extend(nodes)
        self._graph.output.append(helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, [_SIDE, _SIDE]))
        values = np.random.default_rng(self._rng.randrange(1 << 32)).uniform(0.1, 1, (_SIDE, _SIDE))
        return values.astype(np.float32)

    def _node(self, nodes: list[onnx.NodeProto], op_type: str, value: str, weight: npt.ArrayLike | None) -> str:
        """Append a node that takes a value, and return the name of what it gives."""
        name = f"unrelated{self._added}"
        operands = [value]
        if weight is not None:
            operands.append(f"{name}_weight")
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(weight, np.float32), operands[-1]))
        nodes.append(helper.make_node(op_type, operands, [name], name=name))
        self._added += 1
        return name
