"""The facets of the nodes, constants and interface of a model."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.forecast.cells import INTERFACE, TENSOR, cells
from evidences import gather, relu
from handmade import model, value


def facets(made, operator):
    (found,) = {placed.cell for placed in cells(made) if placed.cell.operator == operator}
    return found.by_name


def test_a_node_has_its_version_operands_attributes_and_outputs():
    found = facets(gather(axis=1), "Gather")

    assert found == {
        **{
            "since_version": "13",
            "axis": "1",
            "inputs": "2",
            "outputs": "output",
            "first two shapes": "of different ranks",
        },
        **{"data is": "graph input", "data dtype": "float32", "data rank": "2", "data sizes": "known"},
        **{"indices is": "initializer", "indices dtype": "int64", "indices rank": "1", "indices sizes": "known"},
        **{"indices value": "[1,0]", "output dtype": "float32", "output rank": "2", "output sizes": "known"},
    }


def test_an_attribute_at_its_default_is_as_one_that_is_left_out():
    inputs = [value("x", shape=(2, 2)), value("i", TensorProto.INT64, (2,))]
    nodes = [helper.make_node("Gather", ["x", "i"], ["y"], **given) for given in ({}, {"axis": 0})]

    one, other = (cells(model([node], inputs, [value("y")])) for node in nodes)

    assert one[0].cell == other[0].cell


def test_nodes_that_differ_in_names_only_have_one_cell():
    assert cells(relu(name="a"))[0].cell == cells(relu(name="b"))[0].cell


def test_an_absent_operand_is_told_from_one_that_is_there():
    node = helper.make_node("Clip", ["x", "", "high"], ["y"])
    made = model([node], [value("x", shape=(2,)), value("high", shape=())], [value("y")])

    found = facets(made, "Clip")

    assert (found["min is"], found["max is"], found["max rank"]) == ("absent", "graph input", "0")


def test_a_constant_node_is_as_good_as_an_initializer():
    tensor = numpy_helper.from_array(np.array(3, np.uint8), "w")
    node = helper.make_node("Constant", [], ["w"], value=tensor)
    wanted = {"output dtype": "uint8", "output rank": "0", "output sizes": "known"}

    assert facets(model([], [], [], [tensor]), TENSOR) == {"is": "initializer", **wanted}
    assert facets(model([node], [], []), TENSOR) == {"is": "constant", **wanted}


def test_the_interface_has_cells():
    found = {placed.name: placed.cell.by_name for placed in cells(relu()) if placed.cell.operator == INTERFACE}

    assert found["x"] == {"is": "input", "input dtype": "float32", "input rank": "above 0"}
    assert found["y"] == {"is": "output", "output dtype": "float32", "output rank": "above 0"}


def test_nodes_of_inner_graphs_and_functions_are_cells_that_see_outer_values():
    inner = helper.make_graph([helper.make_node("Neg", ["x"], ["t"])], "then", [], [value("t")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    body = helper.make_function(
        "mine", "f", ["a"], ["b"], [helper.make_node("Abs", ["a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    made = model([node], [value("x", shape=(2,)), value("c", TensorProto.BOOL, ())], [value("y")], functions=[body])

    assert facets(made, "Neg")["X is"] == "graph input"
    assert [placed.number for placed in cells(made) if placed.cell.operator == "Neg"] == [1, 2]
    assert facets(made, "Abs")["since_version"] == "13"


def test_an_operator_of_another_domain_has_places_for_names():
    node = helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft")

    found = facets(model([node], [value("x", shape=(2,))], [value("y")]), "com.microsoft.FastGelu")

    assert (found["#0 dtype"], "since_version" in found) == ("float32", False)


def test_a_damaged_name_is_an_error():
    made = relu()
    made.graph.node[0].op_type = "Relu"
    raw = made.SerializeToString().replace(b"Relu", b"\xff\xfe\xfd\xfc")

    with pytest.raises(ValueError, match=r"text|UTF-8|utf-8|parsing"):
        cells(type(made).FromString(raw))
