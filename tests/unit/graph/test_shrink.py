"""Smaller models."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from burn_verify.graph.shrink import Draft, changes, elements, op_types, together, typed
from handmade import model, value
from wrong import answers, initializer

X = np.linspace(0.1, 2, 12, dtype=np.float32).reshape(3, 4)


def draft():
    """Return Gemm → Reshape → LeakyRelu, and the Gemm as a second output."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["g"], alpha=2.0),
        helper.make_node("Reshape", ["g", "s"], ["r"]),
        helper.make_node("LeakyRelu", ["r"], ["y"], alpha=0.5),
    ]
    weights = [
        initializer("w", *np.linspace(1, 3, 20).reshape(4, 5)),
        initializer("b", 1, 2, 3, 4, 5),
        initializer("s", 5, 3, dtype=np.int64),
    ]
    proto = model(nodes, [value("x", shape=[3, 4])], [value("y", shape=[5, 3]), value("g", shape=[3, 5])], weights)
    return Draft(model=proto, inputs=(X,))


def named(some):
    return {f"{one.target} {one.how}": one.apply for one in some}


def test_every_change_that_runs_is_smaller():
    ran = 0
    for name, change in named(changes(draft())).items():
        small = change(draft())
        if small.size < draft().size:
            try:
                outputs = answers(small.model, small.inputs)
            except Exception:  # a change may make a model that does not run; the engine tells
                continue
            onnx.checker.check_model(typed(small, outputs).model, full_check=True)
            ran += bool(name)
    assert ran > 10


def test_sizes_shrink_in_inputs_weights_and_shapes():
    small = named(changes(draft()))["size 5 to 2"](draft())
    assert [list(tensor.dims) for tensor in small.model.graph.initializer] == [[4, 2], [2], [2]]
    np.testing.assert_array_equal(numpy_helper.to_array(small.model.graph.initializer[2]), [2, 3])
    assert answers(small.model, small.inputs)[0].shape == (2, 3)


def test_one_output_needs_only_its_own_nodes():
    small = named(changes(draft()))["outputs g alone"](draft())
    assert op_types(small) == ("Gemm",)
    assert {tensor.name for tensor in small.model.graph.initializer} == {"w", "b"}


def test_operands_and_attributes_are_left_out():
    some = named(changes(draft()))
    small = together(
        draft(), [some["operand 2 of g left out"], some["alpha of g left out"], some["alpha of y left out"]]
    )
    assert list(small.model.graph.node[0].input) == ["x", "w"]
    assert not any(node.attribute for node in small.model.graph.node)
    assert elements(small) == elements(draft()) - 5


def test_values_get_plainer_and_integers_stay():
    names = list(named(changes(draft())))
    assert "weight w zeros" in names
    assert "input 0 ones" in names
    assert not [name for name in names if name.startswith("weight s")]
    small = named(changes(draft()))["weight w zeros"](draft())
    assert not numpy_helper.to_array(small.model.graph.initializer[0]).any()


def test_a_change_that_cannot_be_made_any_more_is_left_out():
    some = named(changes(draft()))
    small = together(draft(), [some["outputs g alone"], some["alpha of y left out"], some["outputs y alone"]])
    assert op_types(small) == ("Gemm",)


def test_open_sizes_of_inputs_stay_open():
    proto = draft().model
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    dims = typed(Draft(model=proto, inputs=(X,)), [X, X]).model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["N", 4]
