"""Models by both engines, with stand-ins: what is compared with what, and what a fault of one engine does."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases.select import Selection
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.errors import ConvertError, ToolchainError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.run.evaluate.evaluation import Wish, engine_name, evaluate
from burn_verify.system.cache import Cache
from documented import save_tokenizer
from fakes import Faults, seams
from handmade import model, value
from labelled import classifier, detector, pictures, rows

BOX = (0.25, 0.25, 0.75, 0.75)


def run(tmp_path, *models, targets=(Target(),), faults=Faults(), **wish):  # noqa: B008  (immutable)
    cache = Cache(tmp_path / "cache")
    settings = settings_from({})
    cases = Selection(cache, mirror=None, offline=True).choose([str(one) for one in models]).cases
    return evaluate(cases, targets, Wish(**wish), settings, cache, seams(faults), silent)


@pytest.fixture
def digits(tmp_path):
    return classifier(tmp_path / "net.onnx"), rows(tmp_path / "a.npz")


def test_burn_beside_the_engine(tmp_path, digits):
    found = run(tmp_path, digits[0], data=digits[1], task="classification")
    assert [one.name for one in found.evaluated] == ["net by fake", "net by burn-flex"]
    assert [one.metrics for one in found.evaluated] == [{"top1": 0.75}] * 2
    assert [(one.before, one.after) for one in found.comparisons] == [("net by fake", "net by burn-flex")]
    assert found.passes


def test_a_fault_of_burn_fails(tmp_path, digits):
    faults = Faults({("run", "net"): lambda outputs: [outputs[0][:, ::-1]]})
    found = run(tmp_path, digits[0], data=digits[1], task="classification", faults=faults)
    assert not found.passes
    assert found.comparisons[0].kinds == {"class": 3}


def test_what_the_data_lack_is_fed_as_the_graph_tells(tmp_path):
    nodes = [helper.make_node("Gather", ["table", "place"], ["row"]), helper.make_node("Add", ["x", "row"], ["scores"])]
    made = model(
        nodes,
        [value("x", shape=["batch", 3]), value("place", TensorProto.INT64, ["batch"])],
        [value("scores", shape=["batch", 3])],
        [numpy_helper.from_array(np.zeros((2, 3), "f4"), "table")],
    )
    onnx.save(made, tmp_path / "net.onnx")
    found = run(tmp_path, tmp_path / "net.onnx", data=rows(tmp_path / "a.npz"), task="classification")
    # A place that is drawn from all of int64 lies outside of the table.
    assert found.evaluated[0].unanswered == ()
    assert found.evaluated[0].metrics == {"top1": 0.75}


def test_a_refusal_is_no_pass(tmp_path, digits):
    faults = Faults({("convert", "net"): ConvertError("no such operator")})
    found = run(tmp_path, digits[0], data=digits[1], task="classification", faults=faults)
    assert not found.passes
    assert found.evaluated[1].error == "convert: no such operator"
    assert found.evaluated[0].metrics == {"top1": 0.75}


def test_a_target_that_does_not_start_costs_no_other(tmp_path, digits):
    wish = {"data": digits[1], "task": "classification", "faults": Faults({("start", "wgpu"): ToolchainError("x")})}
    found = run(tmp_path, digits[0], targets=(Target(), Target(backend="wgpu")), **wish)
    *well, refused = [one.error for one in found.evaluated]
    assert well == ["", ""]
    assert refused.endswith("on wgpu: no device")
    assert [one.passes for one in found.comparisons] == [True, False]
    with pytest.raises(ToolchainError, match="no device"):
        run(tmp_path, digits[0], targets=(Target(backend="wgpu"),), **wish)


def test_several_models_are_compared_with_the_first(tmp_path, digits):
    other = classifier(tmp_path / "other.onnx")
    found = run(tmp_path, digits[0], other, data=digits[1], task="classification")
    pairs = [(one.before, one.after) for one in found.comparisons]
    assert pairs == [
        ("net by fake", "net by burn-flex"),
        ("other by fake", "other by burn-flex"),
        ("net by fake", "other by fake"),
        ("net by burn-flex", "other by burn-flex"),
    ]


def test_the_engine_alone_with_a_baseline(tmp_path, digits):
    (tmp_path / "base.json").write_text('{"top1": 1.0}')
    wish = {"data": digits[1], "task": "classification", "baselines": (tmp_path / "base.json",)}
    found = run(tmp_path, digits[0], targets=(), **wish)
    assert len(found.evaluated) == len(found.comparisons) == 1
    assert not found.passes
    assert run(tmp_path, digits[0], targets=(), max_drop={"top1": 0.3}, **wish).passes


def test_a_description_says_the_task(tmp_path, digits):
    with pytest.raises(UsageError, match="what is the task of net"):
        run(tmp_path, digits[0], data=digits[1])
    (tmp_path / "net.toml").write_text('[task]\nkind = "classification"\n')
    assert run(tmp_path, digits[0], data=digits[1]).passes


def test_a_metric_that_does_not_exist(tmp_path, digits):
    with pytest.raises(UsageError, match="--max-drop ap: the metrics are top1"):
        run(tmp_path, digits[0], data=digits[1], task="classification", max_drop={"ap": 0.1})


def test_a_function_of_one_s_own_finds_its_labels(tmp_path, digits):
    (tmp_path / "own.py").write_text("def best(outputs, label):\n    return outputs['scores'].max()\n")
    found = run(tmp_path, digits[0], data=digits[1], task=f"{tmp_path / 'own.py'}:best")
    assert found.evaluated[1].metrics == {"best": 1.0}


def test_a_detector(tmp_path):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    data = pictures(tmp_path / "photos", [[(BOX, 1)], [(BOX, 1)], []])
    found = run(tmp_path, detector(tmp_path / "net.onnx"), data=data, task="detection")
    # Two of three boxes are right, and all have one score.
    assert found.evaluated[0].metrics["AR100"] == pytest.approx(1.0)
    assert found.evaluated[0].details["detections"] == 3
    assert found.passes


def test_labels_without_a_box_have_no_metric(tmp_path):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    data = pictures(tmp_path / "photos", [[], []])
    with pytest.raises(UsageError, match="AP cannot be computed of 2 samples: none has a labelled box"):
        run(tmp_path, detector(tmp_path / "net.onnx"), data=data, task="detection")


@pytest.mark.parametrize(
    ("fault", "kinds", "passes"),
    [
        (lambda outputs: [outputs[0] + np.float32(0.5 / 32), *outputs[1:]], {}, False),
        (lambda outputs: [*outputs[:2], outputs[2] + 1], {"class": 3}, False),
        (lambda outputs: [outputs[0].astype("f2").astype("f4"), *outputs[1:]], {}, True),
        (lambda outputs: [one[:, :0] for one in outputs], {"box": 3}, False),
    ],
    ids=["half a pixel", "classes", "float16", "nothing found"],
)
def test_faults_of_one_engine(tmp_path, fault, kinds, passes):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    box = (0.27, 0.27, 0.77, 0.77)
    data = pictures(tmp_path / "photos", [[(box, 1), ((0, 0, 0.1, 0.1), 2)], [(box, 1)], [(box, 1)]])
    faults = Faults({("run", "net"): fault})
    found = run(tmp_path, detector(tmp_path / "net.onnx", box), data=data, task="detection", faults=faults)
    assert found.comparisons[0].kinds == kinds
    assert found.passes == passes


def test_names_of_engines():
    assert engine_name(Target()) == "burn-flex"
    assert engine_name(Target(backend="ndarray")) == "burn-ndarray"
    assert engine_name(replace(Target(), simplify=False)).startswith("burn-")
    assert engine_name(replace(Target(), simplify=False)) != "burn-flex"


def test_the_drift_to_a_second_model_is_the_same_by_both_engines(tmp_path, digits):
    second = classifier(tmp_path / "second.onnx")
    found = run(tmp_path, digits[0], second, data=digits[1], task="classification")
    (drift,) = found.drifts
    assert (drift.passes, drift.samples, drift.metrics) == (True, 4, {"top1": (0.0, 0.0)})
    faults = Faults({("run", "second"): lambda outputs: [outputs[0] * np.float32(0.9)]})
    wrong = run(tmp_path, digits[0], second, data=digits[1], task="classification", faults=faults)
    assert all(one.passes for one in wrong.comparisons)
    assert not wrong.drifts[0].passes
    assert not wrong.passes


def test_each_engine_has_the_size_of_what_it_loads(tmp_path, digits):
    found = run(tmp_path, digits[0], data=digits[1], task="classification")
    assert [one.size for one in found.evaluated] == [digits[0].stat().st_size] * 2


def test_the_sizes_of_the_catalogue_cut_no_text(tmp_path):
    save_tokenizer(tmp_path / "tokenizer.json", {"[UNK]": 0, "a": 1, "cat": 2, "dog": 3})
    (tmp_path / "pairs.csv").write_text("a cat,a dog,1\na a,a a,5\n")
    table = numpy_helper.from_array(np.eye(4, dtype="f4"), "table")
    node = helper.make_node("Gather", ["table", "input_ids"], ["hidden"])
    ids, hidden = value("input_ids", TensorProto.INT64, ["batch", "sequence"]), value("hidden", shape=[None, None, 4])
    onnx.save(model([node], [ids], [hidden], [table]), tmp_path / "net.onnx")
    source = ModelFile(path=tmp_path / "net.onnx")
    drawn, said = (("batch", 2), ("sequence", 1)), (("batch", (2,)), ("sequence", (1,)))
    for corpus, sizes, cosine in (("zoo", (), 0.5), ("zoo", said, 1.0), ("file", said, 1.0)):
        case = Case(id="net", corpus=corpus, source=source, hints=Hints(dims=drawn, sizes=sizes))
        wish = Wish(data=tmp_path / "pairs.csv", task="similarity")
        found = evaluate([case], (), wish, settings_from({}), Cache(tmp_path / "cache"), seams(), silent)
        assert found.evaluated[0].answered[0].prediction == pytest.approx(cosine)
