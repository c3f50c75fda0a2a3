"""A graph taken node by node gives what it gives as a whole, and says who answered."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph import facts
from burn_verify.reference import stepwise

X = np.arange(6.0).reshape(2, 3)


def chain(*op_types):
    """Return a model of unary operators, the last of which also sees the input."""
    names = ["x", *(f"v{place}" for place in range(len(op_types)))]
    nodes = [
        helper.make_node(op_type, [name], [following])
        for op_type, name, following in zip(op_types, names, names[1:], strict=False)
    ]
    nodes.append(helper.make_node("Add", [names[-1], "x"], ["y"]))
    nodes.append(helper.make_node("Mul", ["y", "w"], ["z"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in ("y", "z")]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [2, 3])],
        ends,
        [numpy_helper.from_array(np.array([2.0]), "w")],
    )
    import onnx
    import onnx.helper

    return onnx.helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def runtime(*without):
    """Return a stand-in for ONNX Runtime that has no kernel for some operators, and what it was asked."""
    asked = []

    def infer(content, inputs):
        model = onnx.load_from_string(content)
        (node,) = model.graph.node
        asked.append(node.op_type)
        if node.op_type in without:
            msg = "no kernel"
            raise RuntimeError(msg)
        names = [value.name for value in facts.runtime_inputs(model.graph)]
        return list(ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True))))

    return infer, asked


@pytest.mark.parametrize(
    ("without", "evaluators"),
    [
        ((), ["onnxruntime"]),
        (("Exp",), ["onnx.reference", "onnxruntime"]),
        (("Exp", "Neg", "Add", "Mul"), ["onnx.reference"]),
    ],
)
def test_node_by_node(without, evaluators):
    model = chain("Neg", "Exp", "Exp")
    infer, asked = runtime(*without)
    answers, said = stepwise.evaluate(model, [X], infer)
    assert said == evaluators
    for answer, expected in zip(answers, ReferenceEvaluator(model).run(None, {"x": X}), strict=True):
        np.testing.assert_array_equal(answer, expected)
    # Whoever has no kernel is asked once.
    assert asked.count("Exp") == (1 if "Exp" in without else 2)
