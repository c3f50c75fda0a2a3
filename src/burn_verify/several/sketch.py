"""A graph written down node by node, with the values that it is fed.

Makes protobuf messages and values; runs and checks nothing.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import numpy as np
from onnx import helper, numpy_helper

from burn_verify.graph.dtypes import elem_type_of, numpy_dtype
from burn_verify.several.corpus import IR_VERSION, OPSET
from burn_verify.several.woven import SETS, SIZES, Woven
from burn_verify.system.wire import Array

Size = int | tuple[str, int]
"""A size, or a symbolic one: its name, and its first value."""

_FAR: Final = 4.0


class Sketch:
    """A graph in the making; every method that adds something returns its name."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._values = np.random.default_rng(rng.getrandbits(63))
        self._nodes: list[Any] = []
        self._inputs: list[tuple[str, str, Sequence[Size]]] = []
        self._initializers: list[Any] = []
        self._outputs: list[str] = []

    def input(self, shape: Sequence[Size], dtype: str = "float32") -> str:
        """Add an input; its values are drawn."""
        name = f"x{len(self._inputs)}"
        self._inputs.append((name, dtype, tuple(shape)))
        return name

    def constant(self, value: Any, dtype: str = "float32", *, node: bool = False) -> str:
        """Add an initializer, or a node ``Constant``."""
        name = f"c{len(self._initializers) + len(self._nodes)}"
        tensor = numpy_helper.from_array(np.asarray(value, dtype=numpy_dtype(dtype)), name)
        if node:
            self._nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self._initializers.append(tensor)
        return name

    def drawn(self, shape: Sequence[int]) -> str:
        """Add an initializer of drawn values."""
        return self.constant(self._values.uniform(-2, 2, tuple(shape)))

    def op(self, op_type: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; with several outputs, their names are returned as a tuple."""
        names = [f"v{len(self._nodes)}" if outputs == 1 else f"v{len(self._nodes)}_{place}" for place in range(outputs)]
        self._nodes.append(helper.make_node(op_type, inputs, names, **attributes))
        return names[0] if outputs == 1 else tuple(names)

    def output(self, *names: str) -> None:
        """Make values outputs of the graph."""
        self._outputs += names

    def woven(self, kind: str) -> Woven:
        """Return the graph."""
        inputs = [
            helper.make_tensor_value_info(
                name, elem_type_of(dtype), [size if isinstance(size, int) else size[0] for size in shape]
            )
            for name, dtype, shape in self._inputs
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(self._outputs)]
        graph = helper.make_graph(self._nodes, "several", inputs, outputs, self._initializers)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="burn-verify")
        operators = tuple(node.op_type for node in self._nodes if node.op_type != "Constant")
        return Woven(kind=kind, operators=operators, model=model, sets=self._sets())

    def _sets(self) -> Mapping[str, Mapping[str, Array]]:
        symbolic = any(not isinstance(size, int) for _, _, shape in self._inputs for size in shape)
        names = SETS if symbolic else SETS[:-1]
        return {
            name: {own: self._value(dtype, shape, more=int(name == SIZES)) for own, dtype, shape in self._inputs}
            for name in names
        }

    def _value(self, dtype: str, shape: Sequence[Size], more: int) -> Array:
        sizes = [size if isinstance(size, int) else size[1] + more for size in shape]
        if dtype == "bool":
            return np.asarray(self._values.integers(0, 2, sizes), dtype=np.bool_)
        drawn = self._values.uniform(-_FAR, _FAR, sizes)
        return np.asarray(np.round(drawn) if dtype.startswith("int") else drawn).astype(numpy_dtype(dtype))
