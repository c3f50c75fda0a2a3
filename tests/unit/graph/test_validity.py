"""What contradicts ONNX is told, and a valid model has nothing of it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.graph.advice import advice
from burn_verify.graph.validity import contradictions

FLOAT = TensorProto.FLOAT


def value(name):
    return helper.make_tensor_value_info(name, FLOAT, [2])


def a_model(nodes, inputs=("x",), outputs=("y",), weights=(), opset=17, functions=(), **more):
    graph = helper.make_graph(nodes, "g", [*map(value, inputs)], [*map(value, outputs)], weights, **more)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)


def node(kind, inputs, outputs, **more):
    return helper.make_node(kind, inputs, outputs, **more)


def weight(**changed):
    made = numpy_helper.from_array(np.ones(2, "f4"), "w")
    for name, new in changed.items():
        setattr(made, name, new)
    return made


RELU = node("Relu", ["x"], ["y"])
ADD = node("Add", ["x", "w"], ["y"])
NEGATIVE = weight()
NEGATIVE.dims[0] = -2


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (a_model([node("Add", ["x", "ghost"], ["y"])]), "nothing gives `ghost`, which Add reads"),
        (
            a_model([node("Add", ["x", "y"], ["a"]), node("Relu", ["a"], ["y"])]),
            "a later node gives `y`, which Add reads",
        ),
        (a_model([RELU, node("Neg", ["x"], ["y"])]), "`y` is given twice"),
        (a_model([node("Relu", ["x"], ["x"])], outputs=["x"]), "`x` is given twice"),
        (a_model([RELU], inputs=["x", "x"]), "two inputs are called `x`"),
        (a_model([RELU], outputs=["y", "y"]), "two outputs are called `y`"),
        (a_model([RELU], outputs=["y", "z"]), "nothing gives the output `z`"),
        (a_model([onnx.NodeProto(input=["x"], output=["y"])]), "the node that gives `y` has no operator"),
        (
            a_model([node("Softmax", ["x"], ["y"], axis="last")]),
            "the attribute `axis` of Softmax is of type string, not int",
        ),
        (a_model([RELU], inputs=["x", ""]), "an input has no name"),
        (a_model([ADD], weights=[weight(data_type=99)]), "the constant `w` is of type 99, which ONNX does not have"),
        (a_model([ADD], weights=[weight(raw_data=b"abc")]), "the constant `w` needs 8 bytes and has 3"),
        (a_model([ADD], weights=[NEGATIVE]), "the constant `w` has a negative size"),
        (a_model([RELU], opset=999), "it imports version 999 of ONNX's operators, and there are 1 to"),
        (a_model([RELU], opset=0), "it imports version 0 of ONNX's operators"),
    ],
)
def test_a_contradiction_is_one_part_of_a_sentence(model, said):
    found = list(contradictions(model))
    assert len(found) == 1
    assert found[0].startswith(said)
    assert said in advice(model)[0]


def test_a_newer_format_is_told():
    model = a_model([RELU])
    model.ir_version = 999
    (said,) = contradictions(model)
    assert said.startswith("it is of version 999 of the format")


def branch(*nodes, gives="t"):
    return helper.make_graph([*nodes], "b", [], [value(gives)])


def test_a_branch_reads_what_stands_before_it():
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])

    def choosing(reads):
        chosen = branch(node("Neg", [reads], ["t"]))
        return a_model(
            [
                node("Relu", ["x"], ["a"]),
                node("If", ["c"], ["y"], then_branch=chosen, else_branch=branch(node("Abs", ["a"], ["t"]))),
                node("Relu", ["a"], ["late"]),
            ],
            weights=[condition],
        )

    assert list(contradictions(choosing("a"))) == []
    assert list(contradictions(choosing("late"))) == ["nothing gives `late`, which Neg reads"]


def test_a_function_reads_its_own_values():
    opsets = [helper.make_opsetid("", 17)]
    called = [node("F", ["x"], ["y"], domain="own")]
    for reads, found in (("p", []), ("x", ["nothing gives `x`, which Neg reads"])):
        body = helper.make_function("own", "F", ["p"], ["q"], [node("Neg", [reads], ["q"])], opsets)
        assert list(contradictions(a_model(called, functions=[body]))) == found


def test_what_old_models_and_four_bits_do_is_valid():
    four = helper.make_tensor("w", TensorProto.INT4, [3], b"\x21\x03", raw=True)
    assert list(contradictions(a_model([ADD], weights=[four]))) == []
    # Up to version 3 of the format every initializer is an input too; an optional operand is called nothing.
    listed = a_model([node("Clip", ["x", "", "w"], ["y"])], inputs=["x", "w"], weights=[weight()])
    assert list(contradictions(listed)) == []


def test_sparse_constants_are_told():
    values, places = (numpy_helper.from_array(np.ones(1, kind), "w") for kind in ("f4", "i8"))
    model = a_model([ADD], sparse_initializer=[helper.make_sparse_tensor(values, places, [2])])
    (said,) = advice(model)
    assert said.startswith("sparse constants (`w`) are none to burn-onnx")
