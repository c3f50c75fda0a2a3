"""Small graphs to walk with noise, and onnx's own evaluator in place of ONNX Runtime."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph import facts
from burn_verify.reference.noise import noise_of

U = 2.0**-24
X = np.random.default_rng(0).normal(size=(4, 30)).astype(np.float32)
WEIGHTS = np.random.default_rng(1).normal(size=(30, 20)).astype(np.float32)

node = helper.make_node
CHAIN = [node("MatMul", ["x", "w"], ["a"]), node("Tanh", ["a"], ["b"]), node("MatMul", ["b", "v"], ["y"])]
VALUES = {"w": WEIGHTS, "v": WEIGHTS.T.copy()}


def load(content: bytes, large: bool) -> Callable[[Sequence[Any]], list[Any]]:
    """Make a model ready to run."""
    model = onnx.load_from_string(content)
    evaluator = ReferenceEvaluator(model)
    names = [value.name for value in facts.runtime_inputs(model.graph)]
    return lambda inputs: list(evaluator.run(None, dict(zip(names, inputs, strict=True))))


def model(
    *nodes: onnx.NodeProto,
    outputs: Sequence[str] = ("y",),
    dtype: int = TensorProto.FLOAT,
    functions: Sequence[onnx.FunctionProto] = (),
    shape: Sequence[int] = X.shape,
    **constants: Any,
) -> onnx.ModelProto:
    """Return a model of an input x and of constants."""
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(name, dtype, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions))


def inner(
    nodes: Sequence[onnx.NodeProto], inputs: Sequence[tuple[str, int]], outputs: Sequence[str]
) -> onnx.GraphProto:
    """Return an inner graph."""
    values = [helper.make_tensor_value_info(name, kind, None) for name, kind in inputs]
    return helper.make_graph(list(nodes), "inner", values, [onnx.ValueInfoProto(name=name) for name in outputs])


def exponentials(times: int) -> list[onnx.NodeProto]:
    """Return a chain of exponentials from x to y."""
    names = ["x", *(f"v{place}" for place in range(1, times)), "y"]
    return [node("Exp", [a], [b]) for a, b in itertools.pairwise(names)]


def sigma_of(made: onnx.ModelProto, x: Any = X, seconds: float = 60.0) -> Any:
    """Return the deviation of the first output."""
    found = noise_of(made, [x], load, seconds)
    assert not found.why
    return found.sigma[0]


def rms(array: Any) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(array))))
