"""Types, shapes and constants of a model, as far as they are known."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.known import Typed, copied, inferred, known, opset_of, tensor_of, typed
from handmade import model, value


def test_types_are_inferred_and_constants_read():
    weights = numpy_helper.from_array(np.ones((3, 2), np.float32), "w")
    about = known(
        model([helper.make_node("MatMul", ["x", "w"], ["y"])], [value("x", shape=["n", 3])], [value("y")], [weights])
    )
    assert about.type_of("y") == Typed(elem_type=TensorProto.FLOAT, shape=(None, 2))
    assert about.type_of("w").static == (3, 2)
    np.testing.assert_array_equal(about.constant("w"), np.ones((3, 2)))
    assert about.constant("x") is None
    assert about.type_of("nothing") == Typed()


def test_a_default_of_an_input_is_no_constant():
    default = numpy_helper.from_array(np.ones(2, np.float32), "x")
    made = model([helper.make_node("Neg", ["x"], ["y"])], [], [value("y")], [default])
    made.graph.input.append(value("x", shape=[2]))
    # Up to IR version 3 every initializer is listed among the inputs.
    assert known(made).constant("x") is not None


def test_a_constant_node_is_a_constant():
    made = [
        helper.make_node("Constant", [], ["c"], **{name: given})
        for name, given in (("value_float", 2.0), ("value_floats", [2.0]), ("value_int", 2), ("value_ints", [2]))
    ]
    assert [numpy_helper.to_array(tensor_of(node)).tolist() for node in made] == [2.0, [2.0], 2, [2]]
    assert tensor_of(helper.make_node("Constant", [], ["c"], value_string="a")) is None
    assert tensor_of(helper.make_node("Neg", ["a"], ["c"])) is None


def test_what_cannot_be_inferred_is_a_copy():
    broken = model([helper.make_node("Add", ["x"], ["y"])], [value("x")], [value("y")])
    assert inferred(broken) == broken
    assert inferred(broken) is not broken


def test_a_copy_is_another_message():
    made = model([], [], [])
    copy = copied(made)
    copy.graph.name = "other"
    assert made.graph.name == "g"


def test_the_opset_is_that_of_the_default_domain():
    assert opset_of(model([], [], [], opset=17)) == 17
    assert opset_of(onnx.ModelProto()) == 0


def test_a_sequence_has_no_type():
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2]))
    assert typed(sequence) == Typed()


def test_large_weights_are_known_with_their_values_and_their_types_are_inferred():
    weight = np.ones((64, 64), np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    made = model(
        nodes, [value("x", shape=[2, 64])], [value("z", shape=[2, 64])], [numpy_helper.from_array(weight, "w")]
    )
    found = known(made)
    assert found.type_of("y").static == (2, 64)
    assert found.constant("w").tolist() == weight.tolist()
    assert numpy_helper.to_array(made.graph.initializer[0]).tolist() == weight.tolist()
