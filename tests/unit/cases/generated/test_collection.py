"""Generated graphs: made once, checked and answered; names and ids mean what a user types."""

import numpy as np
import onnx
import pytest

from burn_verify.cases.generated.collection import Generated, requested
from burn_verify.cases.index import read_index
from burn_verify.cases.load import prepare
from burn_verify.core.errors import UsageError
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.files import sha256_of
from burn_verify.system.wire import at, decode_named


def test_graphs_are_made_once(cache):
    told = []
    cases = Generated(cache, told.append).cases(["Gelu", "Neg"], "quick")
    assert told
    told.clear()
    assert Generated(cache, told.append).cases(["Gelu", "Neg"], "quick") == cases
    assert not told
    assert {case.corpus for case in cases} == {"op"}
    assert len({case.id for case in cases}) == len(cases) > 10
    indexes = [read_index(path.parent) for path in (cache.root / "generated").rglob("index.json")]
    assert [index.invalid for index in indexes] == [{}, {}], "onnx refuses one of our declarations"
    for case in cases:
        source = case.source
        assert sha256_of(source.model) == source.digest
        onnx.checker.check_model(onnx.load(source.model), full_check=True)
        assert source.subject.axes


def test_answers_are_right_and_need_nobody(cache):
    by_id = {case.id: case for case in Generated(cache).cases(["Neg"], "quick")}
    prepared = prepare(by_id["op/Neg-13/float32/default"], cache)
    engine = OnnxRuntime(cache, 10.0)
    answers = read(Oracle(cache, engine).answer(prepared))
    assert engine.pid is None
    assert list(answers.data_sets) == ["seeded", "other"]
    drawn, other = answers.data_sets.values()
    for data_set in (drawn, other):
        np.testing.assert_array_equal(data_set.desired[0], -data_set.inputs[0])
    assert drawn.inputs[0].tobytes() != other.inputs[0].tobytes()
    assert not (cache.root / "reference").exists()


def test_what_onnxruntime_has_no_kernel_for_is_answered_by_the_evaluator_and_says_so(cache):
    cases = Generated(cache).cases(["Neg"], "quick")
    evaluated = [case for case in cases if case.source.evaluated]
    assert evaluated
    assert all("onnx.reference" in case.note for case in evaluated)
    named = decode_named(evaluated[0].source.data.read_bytes())
    np.testing.assert_array_equal(at(named, 0, "out")[0], -at(named, 0, "in")[0])


def test_what_no_reference_runs_is_kept_and_says_why(cache):
    cases = Generated(cache).cases(["MaxRoiPool"], "quick")
    refused = [case for case in cases if case.source.refused]
    assert refused
    assert "ONNX Runtime" in refused[0].source.refused
    assert refused[0].source.model.is_file()


def test_twins_are_there_beyond_the_profile_quick(cache):
    cases = {case.id: case for case in Generated(cache).cases(["Gelu"], "nightly")}
    twins = {case.source.twin for case in cases.values()} - {None}
    assert "op/Gelu-20/float32/twin=expanded" in twins
    assert twins <= cases.keys()
    assert any("input=run" not in id_ and "X=" not in id_ and "expanded" not in id_ for id_ in twins)


def test_names_mean_operators_and_ids_single_graphs():
    assert requested(["gelu", "Conv", "Gelu"]).operators == ("Conv", "Gelu")
    assert len(requested(["all"]).operators) >= 185
    typed = "op/Conv-22/float32/auto_pad=VALID,W=init"
    request = requested([*typed.split(","), "Relu-14/int8/default"])
    assert request.operators == ("Conv", "Relu")
    assert request.ids == {typed, "op/Relu-14/int8/default"}
    assert requested(["Scaler", "ai.onnx.ml.Scaler"][1:]).operators == ("ai.onnx.ml.Scaler",)


@pytest.mark.parametrize("name", ["Convolution", "ImageDecoder", "op/Nothing-1/float32/default"])
def test_a_name_that_means_nothing_says_where_to_look(name):
    with pytest.raises(UsageError, match="burn-verify ops list"):
        requested([name])


def test_an_id_is_found_in_whatever_profile_and_a_wrong_one_is_told(cache):
    (case,) = Generated(cache).choose(["op/Gelu-20/float32/twin=expanded"], "quick")
    assert case.id == "op/Gelu-20/float32/twin=expanded"
    with pytest.raises(UsageError, match="no generated graph is called"):
        Generated(cache).choose(["op/Gelu-20/float32/alpha=9"], "full")


def test_damaged_graphs_are_made_again(cache):
    (case, *_) = Generated(cache).cases(["Neg"], "quick")
    for damaged in (case.source.model, case.source.data, case.source.model.parent / "index.json"):
        before = damaged.read_bytes()
        damaged.write_bytes(before[:-9])
        assert Generated(cache).cases(["Neg"], "quick")[0] == case
        assert damaged.read_bytes() == before
