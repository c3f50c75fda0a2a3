"""A model with inferred types, without the data of large constants, whatever the model."""

import time

import numpy as np
from onnx import helper, numpy_helper

from burn_verify.forecast.typed import typed
from handmade import model, value


def test_types_are_inferred():
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Neg", ["s"], ["y"])]

    found = typed(model(nodes, [value("x", shape=(2, 3))], [value("y")]))

    assert [info.name for info in found.graph.value_info] == ["s"]


def test_large_constants_lose_their_data_and_the_model_given_does_not():
    made = model([], [], [], [numpy_helper.from_array(np.ones(1000, np.float32), "w")])

    found = typed(made)

    assert found.ByteSize() < 500
    assert len(made.graph.initializer[0].raw_data) == 4000


def test_what_contradicts_itself_keeps_its_declared_types():
    nodes = [helper.make_node("MatMul", ["x", "x"], ["y"])]

    found = typed(model(nodes, [value("x", shape=(2, 3))], [value("y", shape=(7,))]))

    assert [dim.dim_value for dim in found.graph.output[0].type.tensor_type.shape.dim] == [7]


def function(name, *calls):
    nodes = [helper.make_node(call, ["a"], [f"b{place}"], domain="mine") for place, call in enumerate(calls)]
    nodes.append(helper.make_node("Identity", ["a"], ["b"]))
    return helper.make_function(
        "mine", name, ["a"], ["b"], nodes, [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    )


def calling(*functions):
    node = helper.make_node("f0", ["x"], ["y"], domain="mine")
    return model([node], [value("x", shape=(2,))], [value("y")], functions=functions)


def test_functions_that_call_themselves_or_grow_without_end_end():
    started = time.monotonic()
    typed(calling(function("f0", "f0")))
    typed(calling(function("f0", "f1"), function("f1", "f0")))
    typed(calling(*(function(f"f{place}", f"f{place + 1}", f"f{place + 1}") for place in range(60)), function("f60")))

    assert time.monotonic() - started < 5
