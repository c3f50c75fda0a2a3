"""Constants are computed before, by the engine of the reference."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.core.errors import OracleError
from burn_verify.prepare.known import known
from burn_verify.prepare.rewritings.folding import dequantised, folded, with_shapes
from handmade import model, value
from rewriting import TOOLS, answers, operators

X = np.array([1, -2, 3], np.float32)


def of(nodes, tensors=(), outputs=("y",)):
    return model(nodes, [value("x", shape=[3])], [value(name) for name in outputs], tensors)


def test_what_depends_on_constants_is_a_constant():
    one = numpy_helper.from_array(np.float32([1, 2, 3]), "one")
    nodes = [
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Mul", ["one", "two"], ["six"]),
        helper.make_node("Add", ["x", "six"], ["y"]),
    ]
    given = of(nodes, [one])
    made = folded(given, TOOLS)
    assert (operators(made), len(made.graph.initializer)) == (["Add"], 1)
    np.testing.assert_array_equal(answers(made, [X])[0], answers(given, [X])[0])
    assert folded(made, TOOLS) is None


def test_shapes_that_are_known_are_constants():
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Reshape", ["x", "s"], ["y"])]
    made = folded(of(nodes), TOOLS)
    assert known(made).constant("s").tolist() == [3]
    assert "Shape" not in operators(made)


@pytest.mark.parametrize(("place", "bounds", "known_"), [(1, {}, True), (-1, {"start": 1}, True), (0, {}, False)])
def test_a_known_size_of_a_shape_that_is_not_is_a_constant(place, bounds, known_):
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], **bounds),
        helper.make_node("Gather", ["s", "place"], ["size"]),
        helper.make_node("Reshape", ["x", "size"], ["y"]),
    ]
    given = model(
        nodes, [value("x", shape=["n", 4])], [value("y")], [numpy_helper.from_array(np.array([place]), "place")]
    )
    made = folded(given, TOOLS)
    assert (made is not None) == known_
    if made is not None:
        assert operators(made) == ["Constant", "Reshape"]
        assert known(made).constant("size").tolist() == [4]


def test_an_output_that_is_constant_has_a_node():
    made = folded(of([helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Neg", ["s"], ["y"])]), TOOLS)
    assert operators(made) == ["Constant"]
    assert answers(made, [X])[0].tolist() == [-3]


def test_drawn_numbers_stay():
    assert folded(of([helper.make_node("RandomNormal", [], ["y"], shape=[3])]), TOOLS) is None


def test_what_the_engine_refuses_stays():
    class Refusing:
        def run(self, model, inputs):
            raise OracleError("no", "no")

    one = numpy_helper.from_array(np.float32([1, 2, 3]), "one")
    nodes = [helper.make_node("Neg", ["one"], ["a"]), helper.make_node("Add", ["x", "a"], ["y"])]
    assert folded(of(nodes, [one]), Refusing()) is None


def test_one_node_that_fails_does_not_keep_the_others():
    tensors = [numpy_helper.from_array(np.float32([1, 2, 3]), "one"), numpy_helper.from_array(np.int64([9]), "bad")]
    nodes = [
        helper.make_node("Gather", ["one", "bad"], ["g"]),
        helper.make_node("Neg", ["one"], ["n"]),
        helper.make_node("Sum", ["x", "g", "n"], ["y"]),
    ]
    assert operators(folded(of(nodes, tensors), TOOLS)) == ["Gather", "Sum"]


def test_weights_are_dequantised_only_when_asked():
    tensors = [
        numpy_helper.from_array(np.int8([[1, 2], [3, 4], [5, 6]]), "w"),
        numpy_helper.from_array(np.array(0.5, np.float32), "s"),
    ]
    nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["f"]), helper.make_node("MatMul", ["x", "f"], ["y"])]
    given = of(nodes, tensors)
    assert folded(given, TOOLS) is None
    made = dequantised(given, TOOLS)
    assert operators(made) == ["MatMul"]
    np.testing.assert_array_equal(answers(made, [X])[0], answers(given, [X])[0])


def test_shapes_are_stored():
    nodes = [helper.make_node("Neg", ["x"], ["t"]), helper.make_node("Neg", ["t"], ["y"])]
    made = with_shapes(of(nodes), TOOLS)
    (found,) = (one for one in made.graph.value_info if one.name == "t")
    assert found.type.tensor_type.elem_type == TensorProto.FLOAT
    assert with_shapes(made, TOOLS) is None
