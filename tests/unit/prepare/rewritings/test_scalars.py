"""Values of rank 0 become values of one element, where the answer stays the same."""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from burn_verify.prepare.known import known
from burn_verify.prepare.rewritings.scalars import constants_of_one_element, values_of_one_element
from handmade import model, value
from rewriting import TOOLS, answers, operators

X, THREE = np.float32([1, 2]), np.array(3, np.float32)


def of(nodes, tensors=(), outputs=("y",)):
    return model(nodes, [value("x", shape=[2]), value("s", shape=[])], [value(name) for name in outputs], tensors)


def same(function, given):
    made = function(given, TOOLS)
    for came, wanted in zip(answers(made, [X, THREE]), answers(given, [X, THREE]), strict=True):
        assert came.shape == wanted.shape
        np.testing.assert_array_equal(came, wanted)
    return made


@pytest.mark.parametrize("function", [constants_of_one_element, values_of_one_element])
def test_a_constant_beside_a_tensor(function):
    given = of([helper.make_node("Add", ["x", "c"], ["y"])], [numpy_helper.from_array(np.array(2, np.float32), "c")])
    made = same(function, given)
    assert known(made).type_of(made.graph.node[0].input[1]).shape == (1,)
    assert function(made, TOOLS) is None


def test_an_input_beside_a_tensor():
    given = of([helper.make_node("Mul", ["x", "s"], ["y"])])
    assert constants_of_one_element(given, TOOLS) is None
    assert operators(same(values_of_one_element, given)) == ["Expand", "Mul"]


def test_numbers_among_themselves_are_computed_with_one_element():
    nodes = [
        helper.make_node("Add", ["s", "s"], ["two"]),
        helper.make_node("Neg", ["two"], ["z"]),
        helper.make_node("Mul", ["x", "two"], ["y"]),
    ]
    made = same(values_of_one_element, of(nodes, outputs=("y", "z")))
    assert operators(made).count("Squeeze") == 1


def test_the_scale_of_a_quantised_value():
    tensors = [
        numpy_helper.from_array(np.array(0.5, np.float32), "c"),
        numpy_helper.from_array(np.array(3, np.uint8), "z"),
    ]
    given = of([helper.make_node("QuantizeLinear", ["x", "c", "z"], ["y"])], tensors)
    made = same(constants_of_one_element, given)
    assert all(tuple(one.dims) == (1,) for one in made.graph.initializer)


def test_what_has_to_be_of_rank_0_stays():
    tensors = [numpy_helper.from_array(np.array(0, np.float32), "c"), numpy_helper.from_array(np.int64([1, 1]), "p")]
    assert values_of_one_element(of([helper.make_node("Pad", ["x", "p", "c"], ["y"])], tensors), TOOLS) is None
