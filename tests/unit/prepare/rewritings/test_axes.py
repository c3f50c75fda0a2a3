"""An axis at run time chooses among values."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.rewritings.axes import chosen
from handmade import model, value
from rewriting import answers


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_the_axis_that_is_meant_is_chosen(axis):
    body = Body(Names(model([], [], [])))
    name = chosen(body, "axis", [0, 1], 2, lambda place: body.const([float(place)]))
    nodes = [*body.nodes, helper.make_node("Identity", [name], ["y"])]
    made = model(nodes, [value("axis", TensorProto.INT32, [])], [value("y", shape=[1])], body.tensors)
    assert answers(made, [np.array(axis, np.int32)])[0].tolist() == [axis % 2]


def test_one_axis_is_no_question():
    body = Body(Names(model([], [], [])))
    assert chosen(body, "axis", [1], 2, lambda place: f"v{place}") == "v1"
    assert not body.nodes
