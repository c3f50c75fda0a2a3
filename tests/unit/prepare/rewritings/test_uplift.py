"""Models of older opsets say the same in the newer one."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.known import opset_of
from burn_verify.prepare.rewritings.uplift import TARGET, uplifted
from handmade import model, value
from rewriting import answers, operators

X = np.random.default_rng(0).standard_normal((1, 2, 4, 6)).astype(np.float32)


def of(op_type, opset, outputs=1, tensors=(), **given):
    names = [f"y{place}" for place in range(outputs)]
    node = helper.make_node(op_type, ["x", *(tensor.name for tensor in tensors)], names, **given)
    return model([node], [value("x", shape=X.shape)], [value(name) for name in names], tensors, opset=opset)


CASES = [
    ("Squeeze", 11, {"axes": [0]}),
    ("Unsqueeze", 11, {"axes": [0, 2]}),
    ("ReduceSum", 11, {"axes": [1], "keepdims": 0}),
    ("ReduceMean", 13, {"axes": [-1]}),
    ("ReduceMax", 12, {}),
    ("Softmax", 11, {"axis": 3}),
    ("LogSoftmax", 11, {"axis": -1}),
    ("Clip", 7, {"min": -0.5}),
    ("Clip", 7, {"max": 0.5}),
    ("Clip", 7, {"min": -0.5, "max": 0.5}),
    ("Pad", 7, {"pads": [0, 0, 1, 1, 0, 0, 0, 2], "value": 1.5}),
    ("Slice", 7, {"starts": [1, 2], "ends": [3, 100], "axes": [2, 3]}),
    ("Slice", 7, {"starts": [0, 1], "ends": [1, 2]}),
    ("Dropout", 7, {"ratio": 0.5}),
    ("Upsample", 7, {"scales": [1.0, 1.0, 2.0, 2.0], "mode": "nearest"}),
    ("Upsample", 7, {"scales": [1.0, 1.0, 2.0, 1.5], "mode": "linear"}),
    ("Relu", 7, {}),
    ("MaxPool", 8, {"kernel_shape": [2, 2]}),
    ("Concat", 7, {"axis": 1}),
]


@pytest.mark.parametrize(("op_type", "opset", "given"), CASES, ids=str)
def test_an_operator_says_the_same(op_type, opset, given):
    before = of(op_type, opset, **given)
    after = uplifted(before)
    assert opset_of(after) == TARGET
    assert opset_of(before) == opset
    np.testing.assert_array_equal(answers(after, [X])[0], answers(before, [X])[0])


@pytest.mark.parametrize("given", [{"axis": 3}, {"axis": 3, "split": [2, 4]}])
def test_parts_stay_the_same(given):
    before = of("Split", 11, outputs=2, **given)
    for came, wanted in zip(answers(uplifted(before), [X]), answers(before, [X]), strict=True):
        np.testing.assert_array_equal(came, wanted)


def test_the_greatest_elements_stay_the_same():
    before = of("TopK", 9, outputs=2, k=2)
    assert len(uplifted(before).graph.node[0].input) == 2


def test_an_input_that_holds_axes_already_stays():
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    before = of("ReduceSum", 13, tensors=[axes])
    np.testing.assert_array_equal(answers(uplifted(before), [X])[0], answers(before, [X])[0])


@pytest.mark.parametrize(
    ("op_type", "opset", "given"),
    [
        ("Softmax", 11, {"axis": 1}),
        ("Nonsense", 11, {}),
        ("Clip", 6, {"min": 0.0}),
        ("Relu", 18, {}),
        ("Resize", 10, {}),
    ],
)
def test_what_is_not_told_stays(op_type, opset, given):
    assert uplifted(of(op_type, opset, **given)) is None


def test_inner_graphs_are_of_the_new_opset_too():
    node = helper.make_node("ReduceMean", ["x"], ["b"], axes=[1], keepdims=0)
    branch = helper.make_graph([node], "b", [], [value("b")])
    choice = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    before = model([choice], [value("x", shape=X.shape), value("c", TensorProto.BOOL, [])], [value("y")], opset=16)
    after = uplifted(before)
    fed = [X, np.array(True)]
    np.testing.assert_array_equal(answers(after, fed)[0], answers(before, fed)[0])


def test_operators_of_other_domains_are_carried():
    nodes = [helper.make_node("Relu", ["x"], ["t"]), helper.make_node("Gelu", ["t"], ["y"], domain="com.microsoft")]
    before = model(nodes, [value("x", TensorProto.FLOAT, X.shape)], [value("y")], opset=11)
    before.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert operators(uplifted(before)) == ["Relu", "Gelu"]
