"""A quantised model is rewritten for Burn, with weights in 8 bits as long as that does, with fakes for both engines."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Status
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.run.quantise.readying import readied
from fakes import seams
from handmade import model, value

FLOAT = model([helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[2, 3])], [value("y", shape=[2, 3])])


def quantised():
    """Return a Gemm of weights in 8 bits, as a QDQ model has it."""
    tensors = {
        "w": np.array([[1, -2], [3, 4], [-5, 6]], "i1"),
        "scale": np.float32(0.5),
        "zero": np.int8(0),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["weights"]),
        helper.make_node("Gemm", ["x", "weights"], ["y"]),
    ]
    initializers = [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()]
    return model(nodes, [value("x", shape=[2, 3])], [value("y", shape=[2, 2])], initializers, opset=21)


@pytest.fixture
def ready(tmp_path, cache):
    def ready(refuses, *, data=True):
        onnx.save(FLOAT, tmp_path / "net.onnx")
        np.savez(tmp_path / "data.npz", x=np.arange(12, dtype="f4").reshape(2, 2, 3))
        hints = Hints(data=(tmp_path / "data.npz",)) if data else Hints()
        case = Case(id="net", corpus="file", source=ModelFile(path=tmp_path / "net.onnx"))
        prepared = prepare(replace(case, hints=hints), cache)
        model = quantised().SerializeToString()
        return readied(prepared, model, Settings(), Target(), cache=cache, listen=silent, seams=seams(refuses=refuses))

    return ready


def types(found):
    return [node.op_type for node in onnx.ModelProto.FromString(found.model).graph.node]


def test_what_is_taken_as_it_is_stays(ready):
    assert ready([]).status is Status.AGREED


@pytest.mark.parametrize("data", [True, False])
def test_weights_stay_in_8_bits(ready, data):
    found = ready(["Gemm"], data=data)
    assert (found.status, found.rewritings) == (Status.LIFTED, ("Gemm put differently",))
    assert types(found) == ["DequantizeLinear", "MatMul"]


def test_weights_become_floats_only_where_nothing_else_does(ready):
    found = ready(["DequantizeLinear"])
    assert found.status is Status.LIFTED
    assert "DequantizeLinear" not in types(found)


def test_what_stands_in_the_way_is_told(ready):
    found = ready(["Gemm", "MatMul"])
    assert (found.status, found.model) == (Status.STAYS, None)
    assert "unsupported operators" in found.in_the_way
