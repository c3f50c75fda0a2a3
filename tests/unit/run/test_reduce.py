"""Models are made small, with onnx's evaluator for ONNX Runtime and for a Burn that is wrong."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import OracleError
from burn_verify.core.options import Settings
from burn_verify.core.reduced import Reduction
from burn_verify.core.stage import Stage
from burn_verify.run.reduce import reduce
from burn_verify.run.search import Search
from handmade import model, value
from wrong import has, holds, initializer, seams


def large():
    """Return a model of unrelated nodes around a Clip of a product, of 2 by 3."""
    nodes = [helper.make_node("Neg" if place % 2 else "Abs", [f"a{place}"], [f"a{place + 1}"]) for place in range(2)]
    nodes += [
        helper.make_node("Mul", ["a2", "w"], ["m"]),
        helper.make_node("Clip", ["m", "low", "high"], ["c"], "clip"),
        helper.make_node("Softmax", ["c"], ["s"], axis=-1),
        *(helper.make_node("Sqrt" if place % 2 else "Abs", [f"b{place}" if place else "s"], [f"b{place + 1}"])
          for place in range(2)),
    ]  # fmt: skip
    weights = [
        initializer("w", *np.linspace(1, 2, 3)),
        helper.make_tensor("low", TensorProto.FLOAT, [], [-1]),
        helper.make_tensor("high", TensorProto.FLOAT, [], [1]),
    ]
    return model(nodes, [value("a0", shape=[2, 3])], [value("b2", shape=[2, 3])], weights)


@pytest.fixture
def asked(cache, tmp_path):
    def ask(proto, seams):
        onnx.save(proto, tmp_path / "m.onnx")
        case = Case(id="file/m", corpus="file", source=ModelFile(path=tmp_path / "m.onnx"))
        return reduce(case, Search(settings=Settings(), cache=cache, seams=seams))

    return ask


@pytest.mark.parametrize(
    ("seam", "stage"), [("refuses", Stage.CONVERT), ("rejects", Stage.COMPILE), ("panics", Stage.RUN)]
)
def test_what_is_refused_is_left_alone(asked, seam, stage):
    found, draft = asked(large(), seams(**{seam: has("Clip")}))
    assert (found.reduction, found.stage, found.reason) == (Reduction.REDUCED, stage, "unsupported Clip")
    assert [node.op_type for node in draft.model.graph.node] == ["Clip"]
    assert list(draft.model.graph.node[0].input) == ["input0"]
    assert found.nodes == (7, 1)
    assert sum(array.size for array in draft.inputs) == found.elements[1] == 1


def test_wrong_numbers_stay_wrong(asked):
    found, draft = asked(large(), seams("Softmax", lambda array: array + np.float32(0.5)))
    assert (found.reduction, found.stage, found.nodes[1]) == (Reduction.REDUCED, Stage.COMPARE, 1)
    assert found.op_types == ("Softmax",)
    onnx.checker.check_model(draft.model, full_check=True)


def test_an_attribute_that_matters_stays(asked):
    def refuses(proto):
        return next((f"axis {one.i}" for node in proto.graph.node for one in node.attribute if one.name == "axis"), "")

    _, draft = asked(large(), seams(refuses=refuses))
    assert [one.name for one in draft.model.graph.node[0].attribute] == ["axis"]


def test_what_needs_three_nodes_keeps_three(asked):
    def refuses(proto):
        types = {node.op_type for node in proto.graph.node}
        return "together" if {"Mul", "Clip", "Softmax"} <= types else ""

    found, draft = asked(large(), seams(refuses=refuses))
    assert [node.op_type for node in draft.model.graph.node] == ["Mul", "Clip", "Softmax"]
    assert found.reduction is Reduction.REDUCED


def test_an_if_stays_an_if(asked):
    branch = helper.make_graph([helper.make_node("Mul", ["a", "a"], ["o"])], "g", [], [value("o", shape=[3])])
    nodes = [
        helper.make_node("Neg", ["x"], ["a"]),
        helper.make_node("ReduceMax", ["a"], ["m"], keepdims=0),
        helper.make_node("Less", ["m", "limit"], ["c"]),
        helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch),
        helper.make_node("Exp", ["z"], ["y"]),
    ]
    weights = [helper.make_tensor("limit", TensorProto.FLOAT, [], [9])]
    proto = model(nodes, [value("x", shape=[3])], [value("y", shape=[3])], weights)
    found, draft = asked(proto, seams(refuses=has("If")))
    assert found.op_types == ("If",)
    assert draft is not None


def test_a_model_that_passes_is_not_reduced(asked):
    found, draft = asked(large(), seams())
    assert (found.reduction, draft) == (Reduction.NOTHING_WRONG, None)


def test_of_several_missing_operators_one_is_enough(asked):
    found, _ = asked(large(), seams(refuses=holds("Sqrt", "unsupported operators:")))
    assert (found.nodes[1], found.reason) == (1, "unsupported operators: Sqrt")


def test_a_refusal_is_reduced_without_a_reference(asked):
    def infer(path, inputs):
        message = "no kernel"
        raise OracleError(message)

    found, _ = asked(large(), seams(refuses=has("Clip"), infer=infer))
    assert (found.reduction, found.op_types) == (Reduction.REDUCED, ("Clip",))
    found, draft = asked(large(), seams(infer=infer))
    assert (found.reduction, found.stage, draft) == (Reduction.UNKNOWN, Stage.REFERENCE, None)


def test_what_does_not_fail_alone_is_not_claimed(asked):
    seen = []

    def refuses(proto):
        # The second time it is asked about one Clip in a model of its own, it says nothing.
        if [node.op_type for node in proto.graph.node] == ["Clip"]:
            seen.append(proto.ByteSize())
            return "" if len(seen) > 1 and seen.count(seen[-1]) > 1 else "no Clip"
        return "no Clip" if "Clip" in {node.op_type for node in proto.graph.node} else ""

    found, draft = asked(large(), seams(refuses=refuses))
    assert (found.reduction, draft) == (Reduction.UNREPEATED, None)
