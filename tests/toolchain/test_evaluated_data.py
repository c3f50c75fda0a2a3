"""Real models on real data through ONNX Runtime: the metrics that were measured with other programs.

The data lie beside the mirror of the zoo, and are not part of the project.
"""

import json
import os
from pathlib import Path

import onnx
import pytest

from burn_verify.cli import main

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
