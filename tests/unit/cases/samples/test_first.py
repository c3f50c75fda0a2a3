"""The first sample becomes a data set, and what it lacks is drawn."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from burn_verify.cases.samples.first import chosen, fed, first
from burn_verify.cases.samples.sample import Sample
from burn_verify.core.case import Fill, Hints, InputHint, ModelFacts, TensorSpec
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind, GivenData, StoredArrays
from burn_verify.graph.facts import facts
from burn_verify.graph.infer.rules import infer
from burn_verify.system.wire import at, decode_named

FACTS = ModelFacts(
    op_types=(),
    opset=18,
    inputs=(
        TensorSpec(name="ids", dtype="int64", shape=("batch", "seq")),
        TensorSpec(name="mask", dtype="float32", shape=("batch", "seq")),
    ),
    outputs=(TensorSpec(name="y", dtype="float32", shape=("batch", 2)),),
)
IDS = np.arange(10, dtype="i8").reshape(2, 5)


def inputs(data):
    return at(decode_named(data.path.read_bytes()), 0, "in")


def test_a_sample_is_fed_in_the_order_of_the_graph(tmp_path, cache):
    np.savez(tmp_path / "a.npz", ids=IDS, mask=np.ones((2, 5), "f4"))
    found = first(Hints(data=(tmp_path / "a.npz",)), FACTS, "d", cache)
    (given,) = found.fed
    assert isinstance(given, GivenData)
    assert (given.name, found.stored, found.count) == ("a.npz[0]", (), 2)
    assert [array.tolist() for array in inputs(given)] == [IDS[:1].tolist(), [[1.0] * 5]]


def test_expected_outputs_make_it_a_stored_one(tmp_path, cache):
    np.savez(tmp_path / "a.npz", ids=IDS, mask=np.ones((2, 5), "f4"), y=np.zeros((2, 2), "f4"))
    found = first(Hints(data=(tmp_path / "a.npz",)), FACTS, "d", cache)
    assert [type(one) for one in found.stored] == [StoredArrays]
    assert found.fed == ()


def test_what_is_missing_is_drawn_in_the_shape_of_what_is_there():
    sample = Sample(name="s", inputs={"ids": IDS})
    found = fed(sample, Hints(inputs=(InputHint(name="mask", fill=Fill.ONES),)), FACTS, "d")
    assert found.drawn == ("mask",)
    assert found.inputs[1].tolist() == np.ones((2, 5)).tolist()
    assert fed(sample, Hints(dims=(("seq", 3),)), FACTS, "d").inputs[1].shape == (2, 5)


def test_what_is_missing_is_drawn_in_the_range_that_the_graph_tells():
    """An index of a table of two rows, and a length of a dimension that the sample decides."""
    values = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("x", onnx.TensorProto.FLOAT, ["seq", "batch", 2]),
            ("segment", onnx.TensorProto.INT64, ["seq"]),
            ("lengths", onnx.TensorProto.INT32, ["batch"]),
        )
    ]
    nodes = [
        helper.make_node("Gather", ["table", "segment"], ["row"]),
        helper.make_node("ReverseSequence", ["x", "lengths"], ["turned"], time_axis=0, batch_axis=1),
    ]
    table = numpy_helper.from_array(np.zeros((2, 3), "f4"), "table")
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ("row", "turned")]
    model = helper.make_model(helper.make_graph(nodes, "g", values, outputs, [table]))
    sample = Sample(name="s", inputs={"x": np.zeros((3, 50, 2), "f4")})
    found = fed(sample, Hints(), facts(model), "d", lambda: infer(model))
    assert found.drawn == ("segment", "lengths")
    assert set(found.inputs[1]) == {0, 1}
    assert set(found.inputs[2]) == {1, 2, 3}
    described = Hints(inputs=(InputHint(name="segment", value=1),))
    assert set(fed(sample, described, facts(model), "d", lambda: infer(model)).inputs[1]) == {1}


def test_one_sample_by_name(tmp_path, cache):
    np.savez(tmp_path / "a.npz", ids=IDS, mask=np.ones((2, 5), "f4"))
    hints = Hints(data=(tmp_path / "a.npz",), sample="a.npz[1]")
    assert chosen(hints, FACTS)[1] == (1,)
    assert inputs(first(hints, FACTS, "d", cache).fed[0])[0].tolist() == IDS[1:].tolist()


@pytest.mark.parametrize("sample", ["", "a.npz[9]"])
def test_a_mistake_is_an_error_of_the_case(tmp_path, cache, sample):
    np.savez(tmp_path / "a.npz", **({"ids": IDS} if sample else {"idz": IDS}))
    with pytest.raises(LoadError) as caught:
        first(Hints(data=(tmp_path / "a.npz",), sample=sample), FACTS, "d", cache)
    assert caught.value.kind is FailureKind.USAGE
    assert "\n" not in caught.value.message
