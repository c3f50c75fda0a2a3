"""What is known of the values of a graph before it runs."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from burn_verify.forecast.values import known_values
from handmade import model, value


def kinds(made):
    return {name: found.kind for name, found in known_values(made.graph).items()}


def test_every_value_has_the_kind_of_what_makes_it():
    nodes = [
        helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(2, np.float32))),
        helper.make_node("Add", ["c", "w"], ["folded"]),
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "at"], ["size"]),
        helper.make_node("Add", ["x", "folded"], ["y"]),
    ]
    weights = [numpy_helper.from_array(np.ones(2, np.float32), "w"), numpy_helper.from_array(np.array(0), "at")]

    found = kinds(model(nodes, [value("x", shape=(2,))], [value("y")], weights))

    assert found == {
        **{"x": "graph input", "w": "initializer", "at": "initializer", "c": "constant", "folded": "folded"},
        **{"s": "shape", "size": "gathered", "y": "computed"},
    }


def test_an_initializer_that_is_an_input_as_well_is_an_initializer():
    weights = [numpy_helper.from_array(np.ones(2, np.float32), "w")]
    made = model([helper.make_node("Relu", ["w"], ["y"])], [value("w", shape=(2,))], [value("y")], weights)

    assert kinds(made)["w"] == "initializer"


def test_shapes_are_kept_as_they_are_declared():
    made = model([], [value("x", shape=("n", 3)), value("u"), value("s", TensorProto.STRING, ())], [])
    found = known_values(made.graph)

    assert (found["x"].shape, found["u"].shape, found["s"].shape) == (("n", 3), None, ())
    assert found["s"].dtype == "string"


def test_only_small_constants_are_read():
    weights = [numpy_helper.from_array(np.arange(size), f"w{size}") for size in (3, 1000)]
    found = known_values(model([], [], [], weights).graph)

    assert found["w3"].array.tolist() == [0, 1, 2]
    assert found["w1000"].array is None


def test_a_constant_without_its_data_is_one_of_unknown_elements():
    broken = TensorProto(name="w", dims=[2], data_type=TensorProto.FLOAT, raw_data=b"abc")

    found = known_values(model([], [], [], [broken]).graph)["w"]

    assert (found.array, found.shape, found.dtype) == (None, (2,), "float32")
