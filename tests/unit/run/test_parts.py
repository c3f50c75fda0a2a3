"""A model as flat graphs with values."""

import numpy as np
from onnx import TensorProto, helper

from burn_verify.graph.control import named
from burn_verify.run.parts import parts_of
from burn_verify.run.values import Values
from fakes import Faults
from handmade import model, value
from wrong import Engine

X = np.array([1, -2, 3], np.float32)


def nested(condition):
    """Return an If in an If, in front of a Loop whose body has an If; the condition is a weight or computed."""
    inner = helper.make_graph(
        [helper.make_node("If", ["c"], ["o"], "in", **branches("Neg", "Abs"))], "g", [], [value("o")]
    )
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]),
         helper.make_node("If", ["go"], ["next"], "maybe", **branches("Exp", "Log", "carried"))],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("carried", shape=[3])],
        [value("on", TensorProto.BOOL, []), value("next", shape=[3])],
    )  # fmt: skip
    nodes = [
        helper.make_node("If", ["c"], ["z"], "out", then_branch=inner, else_branch=inner),
        helper.make_node("Loop", ["n", "", "z"], ["y"], "again", body=body),
    ]
    weights = [helper.make_tensor("n", TensorProto.INT64, [], [2])]
    if condition == "weight":
        weights.append(helper.make_tensor("c", TensorProto.BOOL, [], [1]))
    else:
        nodes.insert(0, helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", 9, [], [0])))
    return model(nodes, [value("x", shape=[3])], [value("y", shape=[3])], weights)


def branches(then, other, reads="x"):
    made = {}
    for word, op_type in (("then_branch", then), ("else_branch", other)):
        made[word] = helper.make_graph([helper.make_node(op_type, [reads], ["t"])], word, [], [value("t", shape=[3])])
    return made


def test_ifs_are_inlined_at_every_depth_and_bodies_stand_beside(cache):
    for condition, op_type in (("weight", "Neg"), ("constant", "Abs")):
        with Values(Engine(cache, 1.0, Faults())) as values:
            whole, body = parts_of(named(nested(condition)), [X], values)
            assert [node.op_type for node in whole.graph.nodes] == [op_type, "Loop"]
            assert [node.op_type for node in body.graph.nodes] == ["Identity", "Exp"]
            assert (body.outer, body.inside) == (1, ("again",))
            assert body.graph.nodes[1].name == "again/body/maybe/then_branch/Exp#1"
            np.testing.assert_array_equal(body.values.array("carried"), whole.values.array("z"))
