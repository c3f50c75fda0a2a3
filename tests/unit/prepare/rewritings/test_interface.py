"""Inputs and outputs change as asked, and only so."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.known import typed
from burn_verify.prepare.rewritings.interface import cut_out, frozen, pinned, without_zipmap
from handmade import model, value
from rewriting import answers, operators


def shapes(values):
    return {one.name: typed(one.type).shape for one in values}


def of(shape=("n", None)):
    nodes = [helper.make_node("Neg", ["x"], ["t"]), helper.make_node("Add", ["t", "s"], ["y"])]
    inputs = [value("x", shape=shape), value("s", TensorProto.FLOAT, [])]
    return model(nodes, inputs, [value("y", shape=shape)])


def test_a_dimension_is_pinned_by_its_name():
    made = pinned(of(), {"n": "2"})
    assert shapes(made.graph.input)["x"] == (2, None)
    assert shapes(made.graph.output)["y"] == (2, None)


def test_an_input_is_pinned_by_its_shape():
    made = pinned(of(), {"x": "2x5"})
    assert shapes(made.graph.input)["x"] == (2, 5)
    assert shapes(made.graph.output)["y"] == (2, 5)


@pytest.mark.parametrize("sizes", [{"m": "2"}, {"x": "2x3x4"}, {"n": "two"}, {"n": "-1"}, {"x": "2x"}, {"n": "2x3"}])
def test_a_size_that_does_not_fit_is_told(sizes):
    with pytest.raises(ValueError, match="x"):
        pinned(of(), sizes)


def test_a_size_that_is_known_must_not_change():
    with pytest.raises(ValueError, match="does not fit"):
        pinned(of((3, 4)), {"x": "3x5"})


def test_an_input_is_frozen():
    made = frozen(of((2, 2)), {"s": "1.5"})
    assert [one.name for one in made.graph.input] == ["x"]
    np.testing.assert_array_equal(answers(made, [np.ones((2, 2), np.float32)])[0], np.full((2, 2), 0.5))


def test_several_numbers_are_frozen():
    made = frozen(of(("n", 2)), {"x": "1,2,3,4"})
    np.testing.assert_array_equal(numpy_helper.to_array(made.graph.initializer[0]), [[1, 2], [3, 4]])


@pytest.mark.parametrize("values", [{"q": "1"}, {"x": "1,2,3"}, {"s": "much"}])
def test_numbers_that_do_not_fit_are_told(values):
    with pytest.raises(ValueError, match=r"input|numbers"):
        frozen(of((2, 2)), values)


def test_a_fraction_does_not_become_a_whole_number():
    given = model(
        [helper.make_node("Neg", ["x"], ["y"])], [value("x", TensorProto.INT64, [])], [value("y", TensorProto.INT64)]
    )
    with pytest.raises(ValueError, match="int64"):
        frozen(given, {"x": "1.5"})


def zipped():
    node = helper.make_node("ZipMap", ["scores"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2])
    made = model([helper.make_node("Softmax", ["x"], ["scores"]), node], [value("x", shape=["n", 3])], [])
    made.graph.output.append(onnx.ValueInfoProto(name="y"))
    made.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    return made


def test_scores_come_as_a_tensor():
    made = without_zipmap(zipped())
    assert operators(made) == ["Softmax"]
    assert shapes(made.graph.output) == {"scores": (None, 3)}
    assert [entry.domain for entry in made.opset_import] == [""]
    assert without_zipmap(of()) is None


def surrounded(kernel=3):
    weights = numpy_helper.from_array(np.ones((2, 1, kernel, kernel), np.float32), "w")
    nodes = [
        helper.make_node("Decode", ["raw"], ["image", "rest"], domain="foreign"),
        helper.make_node("Conv", ["image", "w"], ["t"]),
        helper.make_node("Relu", ["t"], ["u"]),
        helper.make_node("Encode", ["u", "rest"], ["out"], domain="foreign"),
    ]
    made = model(nodes, [value("raw", TensorProto.UINT8, [])], [value("out", TensorProto.UINT8, [])], [weights])
    made.opset_import.append(helper.make_opsetid("foreign", 1))
    return made


def test_foreign_operators_at_the_ends_are_cut():
    made = cut_out(surrounded())
    assert operators(made) == ["Conv", "Relu"]
    assert shapes(made.graph.input) == {"image": (None, 1, None, None)}
    assert [one.name for one in made.graph.output] == ["u"]
    assert answers(made, [np.ones((1, 1, 4, 4), np.float32)])[0].shape == (1, 2, 2, 2)
    assert cut_out(of()) is None


def test_nothing_but_foreign_operators_is_told():
    made = model([helper.make_node("Decode", ["x"], ["y"], domain="foreign")], [value("x")], [value("y")])
    with pytest.raises(ValueError, match="nothing remains"):
        cut_out(made)


def test_a_type_that_nobody_knows_is_told():
    nodes = [helper.make_node("Decode", ["x"], ["t"], domain="foreign"), helper.make_node("Neg", ["t"], ["y"])]
    with pytest.raises(ValueError, match="type of 't'"):
        cut_out(model(nodes, [value("x")], [value("y")]))
