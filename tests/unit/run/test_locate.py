"""Where a model fails first, with onnx's evaluator for ONNX Runtime and for Burn, which is wrong in one operator."""

from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import OracleError, UsageError
from burn_verify.core.located import Finding, PieceKind, Proof
from burn_verify.core.options import Settings
from burn_verify.core.stage import Stage
from burn_verify.run import locate as module
from burn_verify.run.locate import locate
from burn_verify.run.search import Search
from handmade import model, value
from wrong import has, holds, initializer, seams


def shaped():
    """Return x → Neg → Exp → b; b + Reshape(w, Shape(b)) → Sqrt."""
    nodes = [
        helper.make_node("Neg", ["x"], ["a"], "first"),
        helper.make_node("Exp", ["a"], ["b"], "second"),
        helper.make_node("Shape", ["b"], ["s"]),
        helper.make_node("Reshape", ["w", "s"], ["r"], "reshape"),
        helper.make_node("Add", ["b", "r"], ["where"], "sum"),
        helper.make_node("Sqrt", ["where"], ["y"], "last"),
    ]
    ends = [value("x", shape=["N", 3])], [value("y", shape=["N", 3])]
    return model(nodes, *ends, [initializer("w", 1, 1, 1)])


def looping(op_type="Add"):
    """Return a Loop that adds x three times."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node(op_type, ["c", "x"], ["next"], "plus")],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("c", shape=[3])],
        [value("on", TensorProto.BOOL, []), value("next", shape=[3])],
    )
    node = helper.make_node("Loop", ["n", "", "x"], ["z"], "again", body=body)
    ends = [value("x", shape=[3])], [value("y", shape=[3])]
    nodes = [node, helper.make_node("Neg", ["z"], ["y"])]
    return model(nodes, *ends, [helper.make_tensor("n", TensorProto.INT64, [], [3])])


def choosing():
    """Return an If in front of an Exp; the branch has a Mul."""
    branch = helper.make_graph([helper.make_node("Mul", ["x", "x"], ["o"], "square")], "g", [], [value("o", shape=[3])])
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Less", ["m", "limit"], ["c"]),
        helper.make_node("If", ["c"], ["z"], "choose", then_branch=branch, else_branch=branch),
        helper.make_node("Exp", ["z"], ["y"], "end"),
    ]
    ends = [value("x", shape=[3])], [value("y", shape=[3])]
    return model(nodes, *ends, [helper.make_tensor("limit", TensorProto.FLOAT, [], [9])])


@pytest.fixture
def asked(cache, tmp_path):
    def ask(proto, seams, output=None, **more):
        path = tmp_path / "m.onnx"
        onnx.save(proto, path)
        case = Case(id="file/m", corpus="file", source=ModelFile(path=path))
        return locate(case, Search(settings=Settings(), cache=cache, seams=seams, **more), output)

    return ask


def first(found):
    return found.first.kind, [node.name for node in found.first.nodes]


def test_the_wrong_node_is_named_and_proved(asked):
    found = asked(shaped(), seams("Exp", lambda array: array * np.float32(1.01)))
    assert first(found) == (PieceKind.NODE, ["second"])
    assert (found.finding, found.stage, found.proof) == (Finding.NODE, Stage.COMPARE, Proof.ALONE)
    assert len(found.suspects) == 1
    assert found.first.nodes[0].cell == "Exp-13/float32"
    assert [one.node for one in found.growth if one.max_abs] == ["second", "sum", "last"]


def test_a_model_that_passes_has_no_guilty_node(asked):
    found = asked(shaped(), seams())
    assert (found.finding, found.suspects, found.aside) == (Finding.NOTHING_WRONG, (), 0)


def test_two_wrong_nodes_are_proved_together(asked):
    twice = model(
        [helper.make_node("Exp", ["x"], ["a"], "one"), helper.make_node("Exp", ["a"], ["b"], "two"),
         helper.make_node("Neg", ["b"], ["y"])],
        [value("x", shape=[3])],
        [value("y", shape=[3])],
    )  # fmt: skip
    found = asked(twice, seams("Exp", lambda array: array * np.float32(1.01)))
    assert [one.nodes[0].name for one in found.suspects] == ["one", "two"]
    assert found.proof is Proof.TOGETHER


@pytest.mark.parametrize(
    ("seam", "stage"), [("refuses", Stage.CONVERT), ("rejects", Stage.COMPILE), ("panics", Stage.RUN)]
)
def test_refusals_and_panics_are_located_the_same_way(asked, seam, stage):
    found = asked(shaped(), seams(**{seam: has("Add")}))
    assert first(found) == (PieceKind.NODE, ["sum"])
    assert (found.stage, found.first.stage, found.first.same_reason) == (stage, stage, True)
    assert found.proof is Proof.ALONE


def test_what_fails_at_a_later_stage_is_a_further_obstacle(asked):
    found = asked(shaped(), seams(refuses=has("Add"), rejects=has("Neg")))
    assert first(found) == (PieceKind.NODE, ["sum"])
    assert [one.nodes[0].name for one in found.later] == ["first"]


def test_what_the_whole_got_past_is_the_fault_of_the_cut(asked):
    def refuses(proto):
        return "too small" if len(proto.graph.node) == 1 else ""

    found = asked(shaped(), seams("Exp", lambda array: array * np.float32(1.01), refuses=refuses))
    assert first(found) == (PieceKind.PAIR, ["first", "second"])
    assert found.aside > 0


def test_a_pair_that_fails_together_is_named(asked):
    def panics(proto):
        types = [node.op_type for node in proto.graph.node]
        return "together" if any(pair == ("Add", "Sqrt") for pair in pairwise(types)) else ""

    found = asked(shaped(), seams(panics=panics))
    assert first(found) == (PieceKind.PAIR, ["sum", "last"])


def test_a_failure_that_no_piece_shows_is_found_among_the_first_nodes(asked):
    def refuses(proto):
        return "too many" if sum(node.op_type in ("Neg", "Exp", "Reshape") for node in proto.graph.node) == 3 else ""

    found = asked(shaped(), seams(refuses=refuses))
    assert first(found) == (PieceKind.PREFIX, ["reshape"])


def test_what_every_node_does_right_is_amplified(asked):
    found = asked(shaped(), seams(wrong_from=5))
    assert (found.finding, found.suspects, found.unknown) == (Finding.AMPLIFIED, (), ())


def test_a_shape_of_another_dtype_that_is_an_output_is_wrong(asked):
    nodes = [
        helper.make_node("Neg", ["x"], ["y"], "first"),
        helper.make_node("Shape", ["y"], ["s"], "shape"),
        helper.make_node("Cast", ["s"], ["t"], "cast", to=TensorProto.INT16),
    ]
    proto = model(nodes, [value("x", shape=[2, 3])], [value("y", shape=[2, 3]), value("t", TensorProto.INT16, [2])])
    found = asked(proto, seams("Cast", lambda array: array.astype(np.int64)))
    assert (found.finding, found.first.nodes[-1].name) == (Finding.NODE, "cast")


def test_nodes_of_a_branch_are_found(asked):
    found = asked(choosing(), seams("Mul", lambda array: array * np.float32(1.1)))
    assert first(found) == (PieceKind.NODE, ["choose/then_branch/square"])


def test_an_if_that_fails_though_its_branch_does_not(asked):
    found = asked(choosing(), seams(refuses=has("If")))
    assert first(found) == (PieceKind.BRANCH, ["choose"])
    assert found.proof is Proof.INLINED


def test_nodes_of_a_loop_are_found(asked):
    found = asked(looping(), seams(panics=holds("Add")))
    assert first(found) == (PieceKind.NODE, ["again/body/plus"])
    assert found.proof is Proof.ALONE


def test_only_what_an_output_is_computed_from(asked):
    found = asked(shaped(), seams("Add", lambda array: array * np.float32(1.1)), "b")
    assert (found.finding, found.nodes) == (Finding.NOTHING_WRONG, 2)


def test_an_unknown_output_is_a_usage_error(asked):
    with pytest.raises(UsageError, match="no node gives a value of this name"):
        asked(shaped(), seams(), "nothing")


def test_large_models_are_bisected(asked):
    nodes = [
        helper.make_node("Exp" if place == 1500 else "Neg", [f"v{place}" if place else "x"], [f"v{place + 1}"])
        for place in range(module.BISECTED + 2)
    ]
    batches = []
    proto = model(nodes, [value("x", shape=[3])], [value(f"v{module.BISECTED + 2}", shape=[3])])
    found = asked(proto, seams("Exp", lambda array: array * np.float32(1.1), seen=batches))
    assert [node.name for node in found.first.nodes] == ["Exp#1501"]
    assert max(map(len, batches)) < 200


def test_a_refusal_is_located_without_a_reference(asked):
    def infer(path, inputs):
        message = "no kernel"
        raise OracleError(message)

    found = asked(shaped(), seams(refuses=has("Exp"), infer=infer))
    assert first(found) == (PieceKind.NODE, ["second"])
    assert found.first.nodes[0].name == "second"


def test_without_a_reference_nothing_is_said_of_a_model_that_compiles(asked):
    def infer(path, inputs):
        message = "no kernel"
        raise OracleError(message)

    found = asked(shaped(), seams(infer=infer))
    assert (found.finding, found.stage, found.message) == (Finding.UNKNOWN, Stage.REFERENCE, "no kernel")


def test_a_node_that_is_clearly_wrong_is_named_though_the_model_passes(asked):
    """Nobody confirms ONNX Runtime here: the bound is that of the dtype."""
    nodes = [helper.make_node("Exp", ["x"], ["a"], "hidden"), helper.make_node("Mul", ["a", "none"], ["b"]),
             helper.make_node("Add", ["b", "x"], ["y"])]  # fmt: skip
    proto = model(nodes, [value("x", shape=[3])], [value("y", shape=[3])], [initializer("none", 0)])
    found = asked(proto, seams("Exp", lambda array: array * 2))
    assert (found.finding, found.aside) == (Finding.NOTHING_WRONG, 1)


def test_no_batch_is_begun_after_the_deadline(asked):
    batches = []
    found = asked(shaped(), seams("Exp", lambda array: array * 2, seen=batches), deadline=0.0)
    assert (len(batches), found.proof) == (1, Proof.NONE)


def test_pieces_are_fed_the_data_set_with_which_the_model_fails(asked):
    nodes = [helper.make_node("Neg", ["x"], ["a"], "first"), helper.make_node("Exp", ["a"], ["y"], "second")]
    proto = model(nodes, [value("x", shape=["N", 3])], [value("y", shape=["N", 3])])
    sizes = []

    def wrong(array):
        sizes.append(len(array))
        return array if len(array) == sizes[0] else array + 1

    found = asked(proto, seams("Exp", wrong))
    assert first(found) == (PieceKind.NODE, ["second"])
    assert f"[{sizes[0]},3]" not in found.first.nodes[0].inputs[0]
    assert found.data_set != asked(proto, seams("Exp", lambda array: array + 1)).data_set


def test_a_message_about_a_piece_has_the_names_of_the_model(asked):
    found = asked(shaped(), seams("Exp", lambda array: array * np.float32(1.01)))
    assert found.first.message.startswith("b: float32")


def test_every_node_has_its_state(asked):
    found = asked(shaped(), seams("Exp", lambda array: array * np.float32(1.01)))
    states = {one.name: one for one in found.states}
    assert [name for name, one in states.items() if one.fails] == ["second"]
    assert states["second"].headroom > 1 > states["first"].headroom
    assert (states["second"].value, states["second"].op_type) == ("b", "Exp")
