"""Models truncated at successive nodes, and what differences of times say."""

import itertools

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from burn_verify.graph.truncate import Prefix, Timed, prefixes, segments, slowest

FLOAT = TensorProto.FLOAT


def diamond(links=1):
    """Return x → Relu → (Neg, Abs) → Add, so many times: between the halves two tensors are alive."""
    nodes, x = [], "x"
    for place in range(links):
        r, n, a, y = (f"{letter}{place}" for letter in "rnay")
        nodes += [
            helper.make_node("Relu", [x], [r]),
            helper.make_node("Neg", [r], [n]),
            helper.make_node("Abs", [r], [a]),
            helper.make_node("Add", [n, a], [y]),
        ]
        x = y
    weight = numpy_helper.from_array(np.ones(3, "f4"), "w")
    nodes.append(helper.make_node("Mul", [x, "w"], ["out"]))
    value = helper.make_tensor_value_info
    ends = [value("x", TensorProto.FLOAT, [3])], [value("out", TensorProto.FLOAT, [3])]
    graph = helper.make_graph(nodes, "diamond", *ends, [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_every_piece_is_a_model_and_the_last_is_the_whole():
    model = diamond()
    made = prefixes(model)
    for prefix in made:
        onnx.checker.check_model(prefix.model, full_check=True)
    assert [(prefix.first, prefix.last) for prefix in made] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert [prefix.op_types for prefix in made] == [("Relu",), ("Neg",), ("Abs",), ("Add",), ("Mul",)]
    assert list(made[-1].model.graph.node) == list(model.graph.node)


def test_all_that_is_read_later_is_handed_out_so_that_nothing_is_dropped():
    names = [[value.name for value in prefix.model.graph.output] for prefix in prefixes(diamond())]
    assert names == [["r0"], ["r0", "n0"], ["n0", "a0"], ["y0"], ["out"]]


def test_only_weights_that_are_read_stay():
    sizes = [len(prefix.model.graph.initializer) for prefix in prefixes(diamond())]
    assert sizes == [0, 0, 0, 0, 1]


def choosing():
    """Return c, x → If, whose inner graphs read a node's output and a weight of the outer graph, → Neg."""
    value = helper.make_tensor_value_info
    branches = {
        name: helper.make_graph([helper.make_node(op_type, ["r", "w"], [name])], name, [], [value(name, FLOAT, [3])])
        for name, op_type in (("then_branch", "Mul"), ("else_branch", "Add"))
    }
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("If", ["c"], ["y"], **branches),
        helper.make_node("Neg", ["y"], ["out"]),
    ]
    ends = [value("c", TensorProto.BOOL, []), value("x", FLOAT, [3])], [value("out", FLOAT, [3])]
    weight = numpy_helper.from_array(np.full(3, 2, "f4"), "w")
    graph = helper.make_graph(nodes, "choosing", *ends, [weight], value_info=[value("y", FLOAT, [3])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_what_only_an_inner_graph_reads_stays():
    *_, whole = made = prefixes(choosing())
    assert [prefix.last for prefix in made] == [1, 2, 3]
    assert [[tensor.name for tensor in prefix.model.graph.initializer] for prefix in made] == [[], ["w"], ["w"]]
    assert [node.op_type for node in whole.model.graph.node] == ["Relu", "If", "Neg"]
    for prefix in made:
        onnx.checker.check_model(prefix.model, full_check=True)
    feeds = {"c": np.array(True), "x": np.float32([1, -1, 2])}
    (y,) = ReferenceEvaluator(made[1].model).run(None, feeds)
    np.testing.assert_array_equal(y, np.float32([2, 0, 4]))


@given(st.integers(1, 12), st.integers(1, 30))
def test_the_places_cover_the_model_once(links, most):
    made = prefixes(diamond(links), most)
    assert len(made) <= most
    assert made[0].first == 1
    assert made[-1].last == 4 * links + 1
    assert all(later.first == earlier.last + 1 for earlier, later in itertools.pairwise(made))


def test_a_model_is_left_as_it_was():
    model = diamond()
    before = model.SerializeToString()
    prefixes(model)
    assert model.SerializeToString() == before


def test_a_place_of_unknown_type_is_passed_over():
    model = diamond()
    model.graph.node[0].domain = "nobody.knows"
    model.opset_import.append(helper.make_opsetid("nobody.knows", 1))
    del model.graph.value_info[:]
    made = prefixes(model)
    assert made[0].first == 1
    assert made[-1].last == 5
    assert "r0" not in {value.name for prefix in made for value in prefix.model.graph.output}


def test_a_model_without_nodes():
    model = diamond()
    del model.graph.node[:]
    with pytest.raises(ValueError, match="without nodes"):
        prefixes(model)


def prefix(last):
    return Prefix(first=last, last=last, op_types=(f"Op{last}",), model=onnx.ModelProto())


def timed(last, burn, runtime=None, iqr=0.0):
    return Timed(prefix=prefix(last), burn=burn, onnxruntime=runtime, iqr=iqr)


PREFIXES = [prefix(last) for last in range(1, 5)]


def test_a_segment_is_a_difference():
    made = segments([timed(1, 1.0, 0.5), timed(2, 4.0, 0.75), timed(3, 4.5)], PREFIXES)
    assert [segment.burn for segment in made] == [1.0, 3.0, 0.5]
    assert [segment.onnxruntime for segment in made] == [0.5, 0.25, None]


def test_the_nodes_of_a_piece_that_was_not_timed_fall_to_the_next():
    made = segments([timed(1, 1.0), timed(4, 4.0)], PREFIXES)
    assert [(segment.first, segment.last) for segment in made] == [(1, 1), (2, 4)]
    assert [segment.op_types for segment in made] == [("Op1",), ("Op2", "Op3", "Op4")]


def test_what_is_below_the_noise_is_not_named():
    said = [timed(1, 1.0, iqr=0.1), timed(2, 1.05, iqr=0.2), timed(3, 0.9, iqr=0.1), timed(4, 9.0, iqr=0.1)]
    made = segments(said, PREFIXES)
    assert [segment.below_noise for segment in made] == [False, True, True, False]
    assert [segment.last for segment in slowest(made)] == [4, 1]
    assert [segment.last for segment in slowest(made, 1)] == [4]
