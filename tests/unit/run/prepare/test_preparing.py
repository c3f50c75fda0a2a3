"""Models are rewritten until they agree, with fakes for ONNX Runtime and Burn."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Grade, Status
from burn_verify.run.prepare.preparing import preparation
from fakes import Faults, seams
from handmade import model, value

NONE = Faults()


@pytest.fixture
def prepared(cache, tmp_path):
    """Return a function that prepares models by name on a Burn that refuses some operators."""

    def prepare(models, refuses, faults=NONE):
        cases = []
        for name, made in models.items():
            path = tmp_path / f"{name}.onnx"
            path.write_bytes(made.SerializeToString() if isinstance(made, onnx.ModelProto) else made)
            cases.append(Case(id=name, corpus="file", source=ModelFile(path=path)))
        with preparation(Settings(), cache=cache, seams=seams(faults, refuses)) as one:
            found = one.prepare(cases)
        assert [path.read_bytes() for path in (case.source.path for case in cases)] == [
            made.SerializeToString() if isinstance(made, onnx.ModelProto) else made for made in models.values()
        ]
        return found

    return prepare


def of(*nodes, tensors=(), opset=20):
    return model(nodes, [value("x", shape=[2, 3])], [value("y", shape=[2, 3])], tensors, opset=opset)


CELU = of(helper.make_node("Celu", ["x"], ["y"]))
NEG = of(helper.make_node("Neg", ["x"], ["y"]))


def test_a_model_that_agrees_stays(prepared):
    found = prepared({"a": NEG}, ())["a"]
    assert (found.status, found.model, found.tried) == (Status.AGREED, None, 0)


def test_an_operator_is_put_by_its_definition(prepared):
    found = prepared({"a": CELU}, ("Celu",))["a"]
    assert (found.status, found.rewritings) == (Status.LIFTED, ("Celu by its definition",))
    assert [one.grade for one in found.proofs] == [Grade.SAME] or found.proofs[0].grade is Grade.CLOSE
    assert "Celu" not in {node.op_type for node in onnx.ModelProto.FromString(found.model).graph.node}
    assert found.before.message == "unsupported operators: Celu"


def test_many_models_are_one_batch(prepared):
    found = prepared({"a": CELU, "b": NEG, "c": CELU}, ("Celu",))
    assert [one.status for one in found.values()] == [Status.LIFTED, Status.AGREED, Status.LIFTED]


def test_what_cannot_be_put_differently_stays(prepared):
    found = prepared({"a": NEG}, ("Neg",))["a"]
    assert (found.status, found.model) == (Status.STAYS, None)
    assert found.in_the_way == "convert: unsupported operators: Neg"


def test_a_file_that_is_no_model_is_not_judged(prepared):
    found = prepared({"a": b"nothing"}, ())["a"]
    assert (found.status, found.agrees) == (Status.UNKNOWN, False)


def test_several_rewritings_together(prepared):
    zero = numpy_helper.from_array(np.array([2], np.int64), "two")
    nodes = [
        helper.make_node("Neg", ["two"], ["axis"]),
        helper.make_node("ReduceSum", ["x", "axis"], ["t"], keepdims=1),
        helper.make_node("Celu", ["t"], ["u"]),
        helper.make_node("Add", ["u", "x"], ["y"]),
    ]
    found = prepared({"a": of(*nodes, tensors=[zero])}, ("Celu", "Neg"))["a"]
    assert set(found.rewritings) == {"Celu by its definition", "constants folded"}
