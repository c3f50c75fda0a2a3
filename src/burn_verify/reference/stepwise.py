"""Run a model node by node: by ONNX Runtime where it has a kernel, else by onnx's own evaluator.

Imports only onnx: the caller provides the function that runs a model by ONNX Runtime. onnx's evaluator uses the newest
version of an operator in place of older ones, so it runs only the nodes for which there is no kernel.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph import facts
from burn_verify.graph.dtypes import dtype_name, elem_type_of
from burn_verify.reference import evaluator_ops

Array = npt.NDArray[Any]
Infer = Callable[[bytes, Sequence[Array]], list[Array]]
"""Runs a serialised model, with optimisations or without, on inputs in the order of its graph."""

_RUNTIME: Final = "onnxruntime"
_REFERENCE: Final = "onnx.reference"
_INEXACT: Final = frozenset({("", "Sigmoid"), ("ai.onnx", "Sigmoid")})
"""Operators whose float64 kernel in ONNX Runtime is no more exact than that of float32. `float64` replaces them in all
opsets in which arithmetic broadcasts."""


def evaluate(model: onnx.ModelProto, inputs: Sequence[Array], infer: Infer) -> tuple[list[Any], list[str]]:
    """Return the outputs of a model and the names of the programs that computed them.

    Raises:
        Exception: any exception of onnx's evaluator for a node that neither ONNX Runtime nor the evaluator can run.
    """
    names = [value.name for value in facts.runtime_inputs(model.graph)]
    fed = dict(zip(names, inputs, strict=True))
    if any(attribute.HasField("g") or attribute.graphs for node in model.graph.node for attribute in node.attribute):
        # An inner graph uses values of the outer graph.
        return list(evaluator(model).run(None, fed)), [_REFERENCE]
    walk = _Walk(model, fed, infer)
    for node in model.graph.node:
        walk.step(node)
    return [walk.values[output.name] for output in model.graph.output], sorted(walk.evaluators)


def evaluator(model: onnx.ModelProto) -> ReferenceEvaluator:
    """Return onnx's own evaluator of a model, with the replaced operators."""
    return ReferenceEvaluator(model, new_ops=list(evaluator_ops.OPERATORS))


def alone(model: onnx.ModelProto, node: onnx.NodeProto, names: Sequence[str], values: Sequence[Any]) -> onnx.ModelProto:
    """Return a model of one node, its inputs typed by their values.

    Arguments:
        model: provides the versions of the operator sets.
        names, values: names and values that the node and its inner graphs take, each once.
    """
    typed = [
        helper.make_tensor_value_info(name, elem_type_of(dtype_name(value.dtype)), None)
        if isinstance(value, np.ndarray | np.generic)
        else onnx.ValueInfoProto(name=name)
        for name, value in zip(names, values, strict=True)
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = helper.make_graph([node], "node", typed, outputs)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def convolved(model: onnx.ModelProto, images: Array, weights: Array) -> Array:
    """Return the convolution of a model whose one computing node is QLinearConv, in float64 and without a bias."""
    node = next(node for node in model.graph.node if node.op_type == "QLinearConv")
    plain = helper.make_node("Conv", ["images", "weights"], ["y"])
    plain.attribute.extend(node.attribute)
    alone_model = alone(model, plain, ["images", "weights"], [images, weights])
    answers: Any = evaluator(alone_model).run(None, {"images": images, "weights": weights})
    return np.asarray(answers[0])


def exact(model: onnx.ModelProto) -> bool:
    """Return whether ONNX Runtime computes every operator of a float64 model with the precision of float64."""
    return all((node.domain, node.op_type) not in _INEXACT for node in facts.nodes(model))


class _Walk:
    """The values of a graph while its nodes run; a value is freed after its last use."""

    def __init__(self, model: onnx.ModelProto, fed: Mapping[str, Array], infer: Infer) -> None:
        self.values: dict[str, Any] = {
            **{tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer},
            **fed,
        }
        self.evaluators: set[str] = set()
        self._model = model
        self._infer = infer
        self._without_kernel: set[tuple[str, str]] = set(_INEXACT)
        self._uses = Counter(name for node in model.graph.node for name in node.input)
        self._uses.update(value.name for value in model.graph.output)

    def step(self, node: onnx.NodeProto) -> None:
        """Run one node."""
        names = list(dict.fromkeys(name for name in node.input if name))
        values = [self.values[name] for name in names]
        given = self._by_runtime(node, names, values)
        if given is None:
            fed = dict(zip(names, values, strict=True))
            given = [*evaluator(alone(self._model, node, names, values)).run(None, fed)]
            self.evaluators.add(_REFERENCE)
        self.values.update(zip((name for name in node.output if name), given, strict=True))
        self._uses.subtract(node.input)
        for name in names:
            if not self._uses[name]:
                self.values.pop(name, None)

    def _by_runtime(self, node: onnx.NodeProto, names: Sequence[str], values: Sequence[Any]) -> list[Array] | None:
        """Return ONNX Runtime's outputs; None where it has no kernel for the node."""
        kind = (node.domain, node.op_type)
        if kind in self._without_kernel or not all(isinstance(value, np.ndarray) for value in values):
            return None
        try:
            given = self._infer(alone(self._model, node, names, values).SerializeToString(), values)
        except Exception:  # after any exception of ONNX Runtime, onnx's evaluator is tried
            self._without_kernel.add(kind)
            return None
        self.evaluators.add(_RUNTIME)
        return given
