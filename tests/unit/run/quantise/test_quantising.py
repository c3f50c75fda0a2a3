"""Models are quantised by ONNX Runtime in a process of its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.errors import OracleError, UsageError
from burn_verify.core.progress import silent
from burn_verify.core.quantised import Loss, Quantisation, Width
from burn_verify.run.quantise.quantising import counted_nodes, quantised, worst
from handmade import model, value
from quantisable import network, samples
from rewriting import answers

SRC = Path(__file__).parents[4] / "src"


@pytest.fixture
def prepared(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SRC), prepend=":")
    np.savez(tmp_path / "data.npz", x=samples())

    def make(made=None, *, data=True):
        path = tmp_path / "net.onnx"
        onnx.save(made or network(), path)
        case = Case(id="net", corpus="file", source=ModelFile(path=path))
        hints = Hints(data=(tmp_path / "data.npz",)) if data else Hints()
        return prepare(replace(case, hints=hints), cache)

    return make


def asked(prepared, how, *, losses=0, listen=silent):
    return quantised(prepared, how, samples=8, losses=losses, listen=listen)


def types(made):
    return {node.op_type for node in onnx.ModelProto.FromString(made.model).graph.node}


def test_static_quantisation_is_calibrated_and_its_loss_is_told(prepared):
    events = []
    made = asked(prepared(), Quantisation(), losses=3, listen=events.append)
    assert {"QuantizeLinear", "DequantizeLinear"} <= types(made)
    assert (made.samples, made.nodes["Conv"], made.nodes["Gemm"]) == (8, (1, 1), (1, 1))
    assert {event.phase for event in events} == {"samples", "calibrate", "run as float", "run quantised"}
    assert sum(event.phase == "calibrate" for event in events) == 8
    found = {loss.tensor: loss for loss in made.losses}
    assert found["weights"].weight
    assert 20 < found["weights"].own < 80
    assert 10 < found["y"].whole < 80
    assert list(made.losses) == sorted(made.losses, key=worst)
    assert made.unmeasured == ""


def test_the_answers_are_near_those_of_the_float_model(prepared):
    made = asked(prepared(), Quantisation(per_channel=True))
    (before,), (after,) = (answers(one, [samples()]) for one in (network(), onnx.ModelProto.FromString(made.model)))
    assert 0 < np.abs(before - after).max() < 0.5


def test_each_choice_reaches_onnx_runtime(prepared):
    made = asked(prepared(), Quantisation(activations=Width.UINT8, weights=Width.INT8, operators=("Conv",)))
    assert made.nodes["Gemm"] == (0, 1)
    tensors = {tensor.name: tensor.data_type for tensor in onnx.ModelProto.FromString(made.model).graph.initializer}
    assert tensors["x_zero_point"] == onnx.TensorProto.UINT8
    assert tensors["filters_quantized"] == onnx.TensorProto.INT8
    excluded = asked(prepared(), Quantisation(exclude=("conv",)))
    assert excluded.nodes["Conv"] == (0, 1)


def test_gemm_alone_is_quantised_dynamically(prepared):
    made = asked(prepared(), Quantisation(dynamic=True, operators=("Gemm",)))
    assert (made.nodes["Conv"], made.nodes["Gemm"]) == ((0, 1), (1, 1))
    assert "MatMulInteger" in types(made)


def test_a_gemm_that_became_a_matmul_of_floats_is_not_quantised():
    before = model([helper.make_node("Gemm", ["x", "w"], ["y"])], [value("x")], [value("y")])
    after = model([helper.make_node("MatMul", ["x", "w"], ["y"])], [value("x")], [value("y")])
    assert counted_nodes(before.SerializeToString(), after.SerializeToString()) == {"Gemm": (0, 1)}


@pytest.mark.parametrize("calibration", ["entropy", "percentile"])
def test_other_calibrators(prepared, calibration):
    assert "QuantizeLinear" in types(asked(prepared(), Quantisation(calibration=calibration)))


def test_dynamic_quantisation_needs_no_data(prepared):
    made = asked(prepared(data=False), Quantisation(dynamic=True), losses=3)
    assert "ConvInteger" in types(made)
    assert made.samples == 0
    assert made.nodes["Conv"] == (1, 1)


def test_the_loss_of_dynamic_quantisation_is_that_of_values_of_the_same_name(prepared):
    made = asked(prepared(), Quantisation(dynamic=True), losses=3)
    assert {"c", "y"} <= {loss.tensor for loss in made.losses if loss.whole is not None}


def test_static_quantisation_without_data_is_a_usage_error(prepared):
    with pytest.raises(UsageError, match="--data"):
        asked(prepared(data=False), Quantisation())


def test_nothing_to_quantise_is_told(prepared):
    small = model([helper.make_node("Neg", ["x"], ["y"])], [value("x", shape=[1, 1, 4, 4])], [value("y")])
    with pytest.raises(OracleError, match="nothing that ONNX Runtime quantises"):
        asked(prepared(small), Quantisation(dynamic=True))


def test_what_is_quantised_is_not_quantised_again(prepared):
    once = onnx.ModelProto.FromString(asked(prepared(), Quantisation()).model)
    with pytest.raises(OracleError, match="is quantised already, by QuantizeLinear: quantise the float model"):
        asked(prepared(once), Quantisation(dynamic=True))


def test_what_onnx_runtime_refuses_is_one_line(prepared):
    wrong = network()
    wrong.graph.node[3].input[1] = "filters"
    with pytest.raises(OracleError, match="does not quantise the model") as told:
        asked(prepared(wrong), Quantisation())
    assert "\n" not in str(told.value)


def test_nodes_that_disappear_count_as_quantised():
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Conv", ["a", "w"], ["y"])]
    before = model(nodes, [value("x")], [value("y")]).SerializeToString()
    rest = model([helper.make_node("Conv", ["x", "w"], ["y"])], [value("x")], [value("y")]).SerializeToString()
    assert counted_nodes(before, rest) == {"Conv": (0, 1), "Relu": (1, 1)}


def test_the_worst_tensor_is_the_one_furthest_from_float():
    assert worst(Loss(tensor="a", weight=False, own=1.0, whole=30.0)) == 30.0
    assert worst(Loss(tensor="a", weight=True, own=40.0)) == 40.0
    assert worst(Loss(tensor="a", weight=True)) == float("inf")


def of_opset(made, opset):
    made.opset_import[0].version = opset
    made.ir_version = 4
    return made


def test_scales_by_channel_raise_an_opset_that_has_none(prepared):
    made = asked(prepared(of_opset(network(), 10)), Quantisation(per_channel=True))
    assert onnx.ModelProto.FromString(made.model).opset_import[0].version >= 13
    assert len(answers(onnx.ModelProto.FromString(made.model), [samples()[:1]])) == 1


def test_an_opset_that_cannot_be_raised_is_told(prepared):
    older = of_opset(network(), 10)
    older.graph.node.append(helper.make_node("ReverseSequence", ["y", "lengths"], ["z"], batch_axis=1, time_axis=0))
    older.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3, np.int64), "lengths"))
    older.graph.output.append(value("z", shape=["batch", 3]))
    with pytest.raises(OracleError, match="leave --per-channel out"):
        asked(prepared(older), Quantisation(per_channel=True))
