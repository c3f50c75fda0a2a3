"""New nodes, constants and names."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from burn_verify.prepare.body import Body, Names
from handmade import model, value


def test_new_names_are_not_taken_in_any_case():
    taken = model([helper.make_node("Neg", ["x"], ["RW_add_0"])], [value("x")], [value("RW_add_0")])
    names = Names(taken)
    found = [names.new("Add") for _ in range(3)]
    assert len(set(found)) == 3
    assert "rw_add_0" not in found


def test_nodes_and_constants_are_collected():
    body = Body(Names(model([], [], [])))
    total = body("Add", "x", body.const([1, 2]), nothing=None)
    parts = body.several(2, "Split", total, axis=0)
    assert [node.op_type for node in body.nodes] == ["Add", "Split"]
    assert list(body.nodes[1].output) == parts
    assert not body.nodes[0].attribute


def test_constants_have_a_rank_and_a_dtype():
    body = Body(Names(model([], [], [])))
    for given in (1, [1.5], [True], 2.0):
        body.const(given)
    assert [tensor.data_type for tensor in body.tensors] == [7, 1, 9, 1]
    assert all(tensor.dims for tensor in body.tensors)
    body.scalar(3, TensorProto.UINT8)
    assert numpy_helper.to_array(body.tensors[-1]).shape == ()
    assert numpy_helper.to_array(body.tensors[-1]).dtype == np.uint8


def test_axes_of_a_reduction_are_an_attribute_of_old_opsets():
    body = Body(Names(model([], [], [])))
    for op_type, opset in (("ReduceMean", 17), ("ReduceMean", 18), ("ReduceSum", 12), ("ReduceSum", 13)):
        body.reduced(op_type, "x", [1], opset)
    assert [len(node.input) for node in body.nodes] == [1, 2, 1, 2]
