"""Real models on real data through ONNX Runtime: the metrics that were measured with other programs.

The data lie beside the mirror of the zoo, and are not part of the project.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from burn_verify.cases.load import prepare
from burn_verify.cli import main
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.progress import silent
from burn_verify.reference.engine import infer
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.evaluate.evaluation import Wish, subject_of
from burn_verify.run.evaluate.stream import Asked, evaluated
from burn_verify.system.cache import Cache
from burn_verify.task.boxes import Limits
from burn_verify.task.evaluated import compared

ZOO = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR", ""))
DATA = ZOO.parent / "data"
YOLOX = ZOO / "models" / "yolox_nano-iinfer.onnx"
RCNN = DATA / "fasterrcnn"
BERT = ZOO / "models" / "all-MiniLM-L6-v2.onnx"

pytestmark = pytest.mark.skipif(
    not os.environ.get("BURN_VERIFY_ZOO_MIRROR") or not DATA.is_dir(),
    reason="BURN_VERIFY_ZOO_MIRROR names no folder that has data beside it",
)

MEASURED = {
    "digits": (DATA / "digits/digits.onnx", DATA / "digits/test.npz", "classification", {"top1": 0.984427}),
    "digits in 8 bits": (
        DATA / "digits/digits-int8-per-tensor.onnx",
        DATA / "digits/test.npz",
        "classification",
        {"top1": 0.984427},
    ),
    "digits in 8 bits by channel": (
        DATA / "digits/digits-int8-per-channel.onnx",
        DATA / "digits/test.npz",
        "classification",
        {"top1": 0.983315},
    ),
    "triangles, one stage": (
        RCNN / "detector-no-roialign.onnx",
        DATA / "triangles/test",
        "detection",
        {"AP": 0.877491, "AP50": 0.997035, "AP75": 0.985601, "AR100": 0.904479},
    ),
    "triangles, two stages": (
        RCNN / "model.onnx",
        DATA / "triangles/test",
        "detection",
        {"AP": 0.862148, "AP50": 0.986081, "AP75": 0.969409, "AR100": 0.889045},
    ),
    "tinycoco": (
        YOLOX,
        DATA / "tinycoco/train",
        "detection",
        {"AP": 0.269070, "AP50": 0.408226, "AP75": 0.286581, "AR100": 0.357495},
    ),
    "persons": (
        YOLOX,
        DATA / "persons/val",
        "detection",
        {"AP": 0.387797, "AP50": 0.665901, "AP75": 0.369686, "AR100": 0.507692},
    ),
    "sentences": (BERT, DATA / "stsb/test.csv", "similarity", {"spearman": 0.820325, "pearson": 0.827406}),
}


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))

    def run(*words):
        words = ["evaluate", *words, "--reference-only", "-o", tmp_path / "out", "--pictures", "0"]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return ended.value.code, capsys.readouterr().out, json.loads((tmp_path / "out/comparison.json").read_text())

    return run


@pytest.mark.parametrize("name", MEASURED)
def test_the_metrics_are_those_that_were_measured(evaluate, name):
    model, data, task, wanted = MEASURED[name]
    words = ["--tokenizer", DATA / "minilm-tokenizer/tokenizer.json"] if task == "similarity" else []
    code, _, found = evaluate(model, "--data", data, "--task", task, *words)
    assert code == 0
    (one,) = found["evaluations"]
    assert {key: one[key] for key in wanted} == pytest.approx(wanted, abs=1e-4)


def test_a_baseline_finds_the_export_that_is_wrong(evaluate, tmp_path):
    model = onnx.load(RCNN / "model.onnx")
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "coordinate_transformation_mode" and node.op_type == "RoiAlign":
                attribute.s = b"half_pixel"
    onnx.save(model, tmp_path / "bad.onnx")
    words = ("--data", DATA / "triangles/test", "--task", "detection")
    code, _, found = evaluate(tmp_path / "bad.onnx", *words)
    assert code == 0, "nobody says that the graph is wrong"
    code, out, found = evaluate(tmp_path / "bad.onnx", *words, "--baseline", RCNN / "torch_metrics.json")
    assert code == 1
    (one,) = found["comparisons"]
    assert one["metrics"]["AP"]["before"] == pytest.approx(0.862148, abs=1e-4)
    assert one["metrics"]["AP"]["after"] == pytest.approx(0.278433, abs=1e-4)
    assert one["metrics"]["AP50"]["after"] == pytest.approx(0.841809, abs=1e-4)
    assert (one["tier"], one["passes"]) == ("warning", False)
    low, high = one["metrics"]["AP"]["interval"]
    assert low < -0.583 < high < -0.5
    assert "FAILS: AP differs by -0.583715: warning" in out


def test_the_right_export_is_excellent_beside_its_framework(evaluate):
    words = ("--data", DATA / "triangles/test", "--task", "detection", "--baseline", RCNN / "torch_metrics.json")
    code, _, found = evaluate(RCNN / "model.onnx", *words)
    assert code == 0
    (one,) = found["comparisons"]
    assert (one["tier"], one["flips"]["count"]) == ("excellent", 0)


def halves(outputs):
    """Return outputs whose last layer was computed in float16."""
    return [one.astype("f2").astype("f4") for one in outputs]


def shifted(outputs):
    """Return outputs whose boxes are half a pixel further to the right and down: sides are left, top, right, bottom."""
    scores, sides = outputs
    half = 0.5 / 160
    return [scores, sides + np.array([-half, -half, half, half], "f4").reshape(1, 4, 1)]


def swapped(outputs):
    """Return outputs with the first two classes in each other's place."""
    return [outputs[0][:, [1, 0, 2]], outputs[1]]


class Planted:
    """The single-stage detector on the triangles, by ONNX Runtime, with faults."""

    def __init__(self, folder):
        cache = Cache(folder)
        case = Case(id="file/net", corpus="file", source=ModelFile(path=RCNN / "detector-no-roialign.onnx"))
        self.subject = subject_of(prepare(case, cache), Wish(data=DATA / "triangles/test", task="detection"), "net")
        self.engine = OnnxRuntime(cache, 60.0)
        self.known = {}

    def infer(self, inputs):
        """Answer, each input once."""
        key = inputs[0].tobytes()
        if key not in self.known:
            self.known[key] = infer(self.engine, self.subject.prepared.model, inputs)
        return self.known[key]

    def evaluated(self, engine, fault=lambda outputs: outputs, feed=lambda inputs: inputs, limits=None):
        subject = self.subject
        task = replace(subject.task, limits=limits or subject.task.limits)
        asked = Asked(
            model="net",
            engine=engine,
            infer=lambda inputs: fault(self.infer(feed(inputs))),
            pid=lambda: None,
            outputs=subject.prepared.outputs,
        )
        return evaluated(asked, subject.data, subject.digest, subject.feeder, task, silent)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    found = Planted(tmp_path_factory.mktemp("cache"))
    yield found
    found.engine.close()


FAULTS = {
    "boxes shifted by half a pixel": ({"fault": shifted}, "warning", []),
    "classes 1 and 2 swapped": ({"fault": swapped}, "warning", ["class"]),
    "last layer in float16": ({"fault": halves}, "excellent", ["box"]),
    "suppression at an overlap of 0.7, not 0.5": ({"limits": Limits(score=0.05, iou=0.7, keep=50)}, "good", ["box"]),
    # It was trained with channels in any order: the metrics do not see it, the flips do.
    "BGR fed, not RGB": ({"feed": lambda inputs: [inputs[0][:, ::-1]]}, "excellent", ["box", "class"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_said_of_a_fault_of_one_engine(planted, name):
    fault, tier, kinds = FAULTS[name]
    before, after = planted.evaluated("onnxruntime"), planted.evaluated("burn", **fault)
    found = compared(before, after, planted.subject.task, limits={}, seed=0)
    assert (found.tier, sorted(found.kinds)) == (tier, kinds)
    assert found.passes == (tier != "warning")
    assert found.worst
