"""The list of rewritings: each has a name of its own, a reason, and leaves any model as it is or valid."""

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from burn_verify.core.errors import OracleError
from burn_verify.prepare.catalogue import FREE, about, candidates
from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.recipe import rewritten
from burn_verify.prepare.rewriting import Promise
from damage import damaged
from handmade import model, value
from rewriting import TOOLS, operators

EVERYTHING = model(
    [helper.make_node(name.rpartition(".")[2], ["x"], [f"y{place}"]) for place, name in enumerate(DECOMPOSITIONS)],
    [value("x")],
    [value("y0")],
)


def test_names_are_unique_and_reasons_are_given():
    found = candidates(EVERYTHING, frozenset())
    assert len({one.name for one in found}) == len(found)
    assert all(one.reason and one.name for one in found)
    assert {one.name for one in found} >= FREE


def test_the_rewritings_of_an_operator_have_the_names_of_the_list():
    names = {one.name for one in candidates(EVERYTHING, frozenset())}
    found = {name for operator in DECOMPOSITIONS if "." not in operator for name in about(operator)}
    assert found <= names
    assert about("Nonsense") == ()
    assert about("Clip") == ("Clip by its definition", "Clip put differently")


def test_functions_of_the_standard_are_told_apart():
    given = model([helper.make_node("Celu", ["x"], ["y"])], [value("x")], [value("y")])
    reasons = {one.name: one.reason for one in candidates(given, frozenset({"Celu"}))}
    assert "wrongly" in reasons["Celu by its definition"]
    reasons = {one.name: one.reason for one in candidates(given, frozenset())}
    assert "does not have it" in reasons["Celu by its definition"]


def test_the_definition_of_an_operator_takes_those_inside_that_are_lacking():
    shapes = [value("x", shape=[3, 5]), value("t", onnx.TensorProto.INT64, [3])]
    node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "t"], ["y"])
    made = model([node], shapes, [value("y", shape=[])], opset=13)
    (one,) = (one for one in candidates(made, frozenset({"LogSoftmax"})) if "SoftmaxCross" in one.name)
    found = set(operators(one.function(made, TOOLS)))
    assert "LogSoftmax" in found
    assert not found & {"SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"}


names = st.sampled_from(["", "x", "y", "a", "b", "x.1", "X", "fn"])
op_types = st.sampled_from([*DECOMPOSITIONS, "Loop", "If", "Scan", "Celu", "Shape", "Add", "Constant", "Nonsense"])
domains = st.sampled_from(["", "", "", "com.microsoft", "foreign"])
integers = st.integers(-(2**40), 2**40)
attributes = st.dictionaries(
    st.sampled_from(["axis", "mode", "kernel_shape", "to", "value", "body", "pads", "block_size", "alpha"]),
    st.one_of(integers, st.lists(integers, min_size=1, max_size=3), st.just("text"), st.floats(width=32)),
    max_size=3,
)
nodes = st.builds(
    lambda op_type, inputs, outputs, domain, given: helper.make_node(
        op_type.rpartition(".")[2], inputs, outputs, domain=domain, **given
    ),
    op_types,
    st.lists(names, max_size=4),
    st.lists(names, min_size=1, max_size=3),
    domains,
    attributes,
)
dims = st.one_of(st.none(), st.lists(st.one_of(st.integers(-1, 2**33), st.just("n")), max_size=4))
tensors = st.builds(
    lambda name, size: onnx.numpy_helper.from_array(np.zeros(size, np.float32), name), names, st.integers(0, 3)
)


@given(st.lists(nodes, max_size=5), dims, st.integers(0, 30), st.lists(tensors, max_size=2))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_model_makes_a_rewriting_crash_or_change_its_input(some, shape, opset, constants):
    made = model(some, [value("x", shape=shape)], [value("y")], constants, opset=opset)
    data = made.SerializeToString()
    for one in candidates(made, frozenset()):
        if one.promise is not Promise.OPTIONS:
            rewritten(data, [one], TOOLS)
    assert made.SerializeToString() == data


class Refusing:
    """Tools of an engine that refuses every model: a damaged one may end the process of a real one."""

    def run(self, model, inputs):
        """Refuse."""
        raise OracleError("refused")

    def lifted(self, model, opset):
        """Know no newer opset."""
        return None


@given(damaged())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_generated_graph_makes_no_rewriting_crash_or_change_its_input(data):
    """Types, sizes, cycles, functions and bytes of generated graphs are wrong; alone and all together."""
    try:
        made = onnx.ModelProto.FromString(data)
        some = candidates(made, frozenset())
    except (DecodeError, ValueError):
        # Nobody asks for the rewritings of what cannot be read.
        return
    before = made.SerializeToString()
    for recipe in (*([one] for one in some), some):
        rewritten(before, recipe, Refusing())
    assert made.SerializeToString() == before
