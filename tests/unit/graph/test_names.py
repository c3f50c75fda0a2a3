"""burn-onnx's names of nodes, and which nodes of a model they are."""

import pytest
from onnx import TensorProto, helper

from burn_verify.graph.names import in_the_model, named_in


def a_model(*nodes):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    return helper.make_model(helper.make_graph(list(nodes), "g", [value], [value]))


MODEL = a_model(
    helper.make_node("Conv", ["x", "w"], ["a"], name="stem"),
    helper.make_node("ReduceL1", ["a"], ["b"]),
    helper.make_node("Conv", ["b", "w"], ["c"]),
    helper.make_node("MaxRoiPool", ["c", "rois"], ["d"], name="roi/pool"),
    helper.make_node("TopK", ["d", "k"], ["e", "f"]),
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("maxroipool1", "burn-onnx's `maxroipool1` is the MaxRoiPool `roi/pool`, that gives `d`"),
        ("conv2d1", "burn-onnx's `conv2d1` is most likely the Conv `stem`, that gives `a`"),
        ("conv2", "burn-onnx's `conv2` is most likely the Conv that gives `c`"),
        ("reducel11", "burn-onnx's `reducel11` is the ReduceL1 that gives `b`"),
        ("topk1", "burn-onnx's `topk1` is the TopK that gives `e` and `f`"),
    ],
)
def test_a_node_is_found_by_operator_and_number(name, said):
    assert in_the_model(MODEL, [name, name]) == (said,)


@pytest.mark.parametrize("name", ["conv2d3", "relu1", "n", "conv", "conv2d0", ""])
def test_what_is_no_node_is_not_told(name):
    assert in_the_model(MODEL, [name]) == ()


def test_the_names_in_a_message():
    message = "Type inference failed: Node 'if1' (If): Failed: node 'lstm1' (Lstm): input 'x1' has no rank"
    assert list(named_in(message)) == ["if1", "lstm1"]
