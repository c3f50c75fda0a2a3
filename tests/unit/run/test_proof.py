"""What proves that found nodes are the cause."""

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.located import Proof
from burn_verify.core.options import Settings
from burn_verify.run.locate import locate
from burn_verify.run.search import Search
from handmade import model, value
from wrong import seams


def chain(*op_types):
    """Return a model of a chain of nodes named after their operators."""
    nodes = [
        helper.make_node(op_type, [f"v{place}" if place else "x"], [f"v{place + 1}"], f"{op_type.lower()}{place}")
        for place, op_type in enumerate(op_types)
    ]
    return model(nodes, [value("x", shape=[3])], [value(f"v{len(op_types)}", shape=[3])])


@pytest.fixture
def asked(cache, tmp_path):
    def ask(proto, seams):
        onnx.save(proto, tmp_path / "m.onnx")
        case = Case(id="file/m", corpus="file", source=ModelFile(path=tmp_path / "m.onnx"))
        return locate(case, Search(settings=Settings(), cache=cache, seams=seams))

    return ask


def objecting(*objections):
    """Return a function that says the first of these words whose operator a model has."""
    said = dict(objections)

    def object_to(proto):
        return next((words for node in proto.graph.node if (words := said.get(node.op_type))), "")

    return object_to


def test_nothing_is_left_without_the_last_node(asked):
    assert asked(chain("Neg", "Exp"), seams("Exp", lambda array: array * 2)).proof is Proof.LAST


def test_the_rest_may_have_another_obstacle(asked):
    found = asked(chain("Neg", "Exp", "Abs"), seams(refuses=objecting(("Neg", "no Neg"), ("Exp", "no Exp"))))
    assert [one.nodes[0].name for one in found.suspects] == ["neg0", "exp1"]
    assert found.proof is Proof.TOGETHER
    assert found.rest == "no Exp"


def test_a_rest_that_cannot_be_built_proves_nothing(asked):
    def refuses(proto):
        return "odd input" if [node.op_type for node in proto.graph.node] == ["Abs", "Neg"] else ""

    found = asked(chain("Exp", "Abs", "Neg"), seams("Exp", lambda array: array * 2, refuses=refuses))
    assert (found.first.nodes[0].name, found.proof) == ("exp0", Proof.UNBUILT)


def test_the_error_is_watched_along_the_graph(asked):
    found = asked(chain("Neg", "Exp", "Abs"), seams("Exp", lambda array: array * np.float32(1.5)))
    assert [(one.node, bool(one.max_abs)) for one in found.growth] == [("neg0", False), ("exp1", True), ("abs2", True)]
