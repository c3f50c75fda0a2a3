"""Nodes that replace a node, and names that a model does not have yet. Adds to no model itself."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.graph import facts

MARK: Final = "rw"
"""The start of every new name; lower case and no keyword, so that burn-onnx keeps it apart from others."""


class Names:
    """Names that occur nowhere in a model."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._taken = {name.lower() for name in names_in(model)}
        self._numbers = count()

    def new(self, word: str = "") -> str:
        """Return a name that is different from all others, also in lower case."""
        stem = MARK + ("_" + "".join(char if char.isalnum() else "_" for char in word.lower()) if word else "")
        while (name := f"{stem}_{next(self._numbers)}") in self._taken:
            pass
        return name


def names_in(model: onnx.ModelProto) -> Iterable[str]:
    """Yield the names of all values of a model."""
    for graph in facts.graphs(model):
        yield from (value.name for value in (*graph.input, *graph.output, *graph.value_info))
        yield from (tensor.name for tensor in graph.initializer)
        yield from (tensor.values.name for tensor in graph.sparse_initializer)
        yield from (name for node in graph.node for name in (*node.input, *node.output))


class Body:
    """Collects nodes and constants, each with a new name.

    ``body("Add", x, body.const([1.0], like=x))`` adds an Add and a constant, and returns the name of the sum.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[TensorProto] = []

    def __call__(self, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return its name; an attribute that is None is left out."""
        return self.several(1, op_type, *inputs, domain=domain, **attributes)[0]

    def several(self, outputs: int, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        given = {name: value for name, value in attributes.items() if value is not None}
        names = [self._names.new(op_type) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op_type, list(inputs), names, domain=domain, **given))
        return names

    def const(self, values: npt.ArrayLike, elem_type: int = 0) -> str:
        """Add a constant of at least rank 1 and return its name.

        Arguments:
            elem_type: ONNX's number of the element type, 0 for int64 or float32, by the values.
        """
        array = np.atleast_1d(np.asarray(values))
        wanted = elem_type or (TensorProto.INT64 if array.dtype.kind in "iu" else TensorProto.FLOAT)
        return self.scalar(array, TensorProto.BOOL if array.dtype == np.bool_ and not elem_type else wanted)

    def scalar(self, values: npt.ArrayLike, elem_type: int) -> str:
        """Add a constant of any rank and return its name."""
        array = np.asarray(values).astype(helper.tensor_dtype_to_np_dtype(elem_type))
        name = self._names.new("const")
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, elem_type: int) -> str:
        """Add a Cast and return its name."""
        return self("Cast", value, to=elem_type)

    def reduced(self, op_type: str, value: str, axes: Sequence[int], opset: int, *, keepdims: int = 1) -> str:
        """Add a reduction, whose axes are an attribute before opset 18; of ReduceSum before 13."""
        if opset < (13 if op_type == "ReduceSum" else 18):
            return self(op_type, value, axes=list(axes), keepdims=keepdims)
        return self(op_type, value, self.const(list(axes)), keepdims=keepdims)
