"""Nodes that lack what their operator needs, and constants without data, are told."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.forecast.unfit import unfit
from handmade import model, value


def of(*nodes, tensors=(), opset=18):
    return model(nodes, [value("x", shape=[2, 3])], [value("y", shape=[2, 3])], tensors, opset=opset)


NEG = helper.make_node("Neg", ["x"], ["y"])


def test_a_model_that_fits_has_nothing():
    empty = numpy_helper.from_array(np.zeros((0, 3), np.float32), "none")
    words = numpy_helper.from_array(np.array(["a"], object), "words")
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    assert unfit(of(NEG, tensors=[empty, words, one])) == ()


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (helper.make_node("If", ["c"], ["y"]), "If lacks the attribute `then_branch`"),
        (helper.make_node("Loop", ["n", "", "x"], ["y"]), "Loop lacks the attribute `body`"),
        (helper.make_node("Celu", [], ["y"]), "Celu has 0 inputs, and at least 1 are defined"),
        (helper.make_node("Neg", ["x", "x"], ["y", ""]), "Neg has 2 inputs, and at most 1 are defined"),
        (helper.make_node("Neg", ["x"], ["y", "z"]), "Neg has 2 outputs, and at most 1 are defined"),
    ],
)
def test_what_a_node_lacks_or_has_too_much_of_is_told(node, said):
    (found,) = unfit(of(node))
    assert "not valid ONNX" in found
    assert said in found


def test_nodes_of_inner_graphs_are_looked_at():
    inner = helper.make_graph([helper.make_node("Neg", [], ["b"])], "b", [], [value("b")])
    (found,) = unfit(of(helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)))
    assert "Neg has 0 inputs" in found


def test_a_constant_without_data_is_told():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 3])
    assert "`w` has no data" in unfit(of(NEG, tensors=[tensor]))[0]
    tensor.external_data.add(key="location", value="w.bin")
    assert unfit(of(NEG, tensors=[tensor])) == ()
    assert unfit(of(NEG, tensors=[TensorProto(name="w", data_type=99, dims=[2])])) == ()


def test_many_are_counted():
    (found,) = unfit(of(*(helper.make_node(name, [], ["y"]) for name in ("Abs", "Neg", "Exp", "Log", "Sin"))))
    assert found.endswith("and 2 more")


def test_operators_that_nobody_defines_are_no_matter():
    assert unfit(of(helper.make_node("Mine", [], ["y"], domain="mine"), helper.make_node("Nonsense", [], ["y"]))) == ()
