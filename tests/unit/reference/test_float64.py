"""A widened model is valid, computes in float64, and means what the model meant."""

import ml_dtypes
import numpy as np
import onnx
import onnx.shape_inference
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph import facts
from burn_verify.reference.float64 import absolute, widened
from burn_verify.reference.ort import OnnxRuntime
from handmade import model, value

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE
X = np.array([[0.1, -0.2, 0.3], [1.0, 2.0, -3.0]], np.float32)


def run(wide, **inputs):
    onnx.shape_inference.infer_shapes(wide, check_type=True, strict_mode=True)
    return ReferenceEvaluator(wide).run(None, inputs)


def narrow(wide):
    """Return what is still float32 or less in a model, but for casts that an operator needs."""
    found = [tensor.name for tensor in facts.tensors(wide) if tensor.data_type in (FLOAT, HALF)]
    for graph in facts.graphs(wide):
        found += [
            each.name for each in (*graph.input, *graph.output) if each.type.tensor_type.elem_type in (FLOAT, HALF)
        ]
    return found


@pytest.mark.parametrize(
    ("elem_type", "dtype"), [(FLOAT, "f4"), (HALF, "f2"), (TensorProto.BFLOAT16, ml_dtypes.bfloat16)]
)
def test_weights_inputs_and_outputs(elem_type, dtype):
    weights = numpy_helper.from_array(np.array([0.1, 0.2, 0.3]).astype(dtype), "w")
    given = model(
        [helper.make_node("Mul", ["x", "w"], ["y"])], [value("x", elem_type)], [value("y", elem_type)], [weights]
    )
    before = given.SerializeToString()
    wide = widened(given)
    assert given.SerializeToString() == before
    assert not narrow(wide)
    x = X.astype(np.float64)
    (answer,) = run(wide, x=x)
    assert answer.dtype == np.float64
    np.testing.assert_array_equal(answer, x * np.array([0.1, 0.2, 0.3]).astype(dtype).astype(np.float64))


@pytest.mark.parametrize(
    "constant",
    [
        {"value": numpy_helper.from_array(np.array([0.1], np.float32))},
        {"value_float": 0.1},
        {"value_floats": [0.1, 0.2, 0.3]},
    ],
)
def test_constants(constant):
    nodes = [helper.make_node("Constant", [], ["c"], **constant), helper.make_node("Add", ["x", "c"], ["y"])]
    wide = widened(model(nodes, [value("x")], [value("y")]))
    assert not narrow(wide)
    (answer,) = run(wide, x=X.astype(np.float64))
    assert answer.dtype == np.float64
    assert answer[0, 0] == np.float64(X[0, 0]) + np.float64(np.float32(0.1))


def test_casts_to_floats_become_casts_to_float64_and_others_stay():
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=HALF),
        helper.make_node("Cast", ["h"], ["i"], to=TensorProto.INT32),
        helper.make_node("Cast", ["i"], ["y"], to=FLOAT),
    ]
    wide = widened(model(nodes, [value("x")], [value("h", HALF), value("y")]))
    half, answer = run(wide, x=np.array([0.1, 2.7]))
    np.testing.assert_array_equal(half, [0.1, 2.7])
    np.testing.assert_array_equal(answer, [0.0, 2.0])


def test_a_filled_tensor_without_a_value_is_float64():
    shape = numpy_helper.from_array(np.array([2], np.int64), "shape")
    wide = widened(model([helper.make_node("ConstantOfShape", ["shape"], ["y"])], [], [value("y")], [shape]))
    assert run(wide)[0].dtype == np.float64


def test_inner_graphs():
    def branch(name, number):
        constant = numpy_helper.from_array(np.array([number], np.float32), f"{name}/c")
        node = helper.make_node("Add", ["x", f"{name}/c"], [f"{name}/y"])
        return helper.make_graph([node], name, [], [value(f"{name}/y")], [constant])

    node = helper.make_node("If", ["which"], ["y"], then_branch=branch("yes", 0.1), else_branch=branch("no", 0.2))
    wide = widened(model([node], [value("which", TensorProto.BOOL, []), value("x")], [value("y")]))
    assert not narrow(wide)
    (answer,) = run(wide, which=np.array(False), x=X.astype(np.float64))
    assert answer[0, 0] == np.float64(X[0, 0]) + np.float64(np.float32(0.2))


def test_local_functions():
    constant = helper.make_node("Constant", [], ["c"], value_float=0.1)
    body = [constant, helper.make_node("Mul", ["a", "c"], ["b"])]
    function = helper.make_function("mine", "Scale", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    node = helper.make_node("Scale", ["x"], ["y"], domain="mine")
    wide = widened(model([node], [value("x")], [value("y")], functions=[function]))
    assert not narrow(wide)
    (answer,) = run(wide, x=X.astype(np.float64))
    assert answer[1, 1] == 2.0 * np.float64(np.float32(0.1))


def test_what_takes_no_float64_gets_float32_and_gives_float64_back():
    scales = numpy_helper.from_array(np.array([1, 2], np.float32), "scales")
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")
    wide = widened(model([node], [value("x", FLOAT, [2, 3])], [value("y", FLOAT, [2, 6])], [scales]))
    (answer,) = run(wide, x=X.astype(np.float64))
    np.testing.assert_array_equal(answer, np.repeat(X.astype(np.float64), 2, axis=1))


def test_absolute_values_of_constants_and_factors():
    weights = numpy_helper.from_array(np.array([[-1.0], [2.0], [-3.0]], np.float32), "w")
    given = model([helper.make_node("Gemm", ["x", "w"], ["y"], alpha=-0.5)], [value("x")], [value("y")], [weights])
    (answer,) = run(absolute(widened(given)), x=np.ones((1, 3)))
    np.testing.assert_array_equal(answer, [[3.0]])


@pytest.mark.parametrize(("op_type", "opset"), [("Sigmoid", 6), ("Sigmoid", 13), ("Swish", 24)])
def test_a_sigmoid_is_exact(op_type, opset, cache):
    given = model([helper.make_node(op_type, ["x"], ["y"])], [value("x")], [value("y")], opset=opset)
    x = np.linspace(-80, 30, 551).astype(np.float32)
    wide = x.astype(np.float64)
    engine = OnnxRuntime(cache, 60.0)
    onnx.save(given, path := cache.folder("models") / "sigmoid.onnx")
    try:
        found = engine.measure(path, [x], wide=True, shapes=[x.shape], timeout=60.0)
    finally:
        engine.close()
    exact = (wide if op_type == "Swish" else 1) / (1 + np.exp(-wide))
    np.testing.assert_allclose(found.arrays["000/wide/000"], exact, rtol=1e-14)


def test_a_swish_keeps_its_factor():
    given = model([helper.make_node("Swish", ["x"], ["y"], alpha=0.5)], [value("x")], [value("y")], opset=24)
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(run(widened(given), x=x)[0], x / (1 + np.exp(-0.5 * x)), rtol=1e-15)
