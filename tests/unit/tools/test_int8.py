"""The table of models in 8 bits is made of what `evaluate` wrote, and of the notes in the models."""

import copy
import json

import numpy as np
import onnx
import pytest
from onnx import helper

import int8
from burn_verify.cli.written import QUANTISED, annotate
from handmade import model, value


def run(name, engine, top1, **changed):
    call = {"median": 2.0, "low": 1.5, "high": 2.5}
    return {"model": name, "engine": engine, "top1": top1, "samples": 9, "bytes": 1234, "call_ms": call, **changed}


LOSS = {"tensor": "logits", "weight": False, "own": 40.0, "whole": None}
FOUND = {
    "digits": {
        "task": "classification",
        "evaluations": [
            run("digits", "onnxruntime", 1.0),
            run("digits.int8-per-tensor", "onnxruntime", 0.9),
            run("digits", "burn-flex", 1.0),
            run("digits.int8-per-tensor", "burn-flex", None, error="convert: no", bytes=None, call_ms=None),
        ],
        "comparisons": [
            {
                "before": "digits by onnxruntime",
                "after": "digits by burn-flex",
                "tier": "excellent",
                "dataset_check": "the same data",
                "flips": {"count": 1},
                "samples": 9,
            }
        ],
        "drifts": [
            {
                "after": "digits.int8-per-tensor",
                "engines": ["onnxruntime", "burn-flex"],
                "metrics": {"top1": {"onnxruntime": -0.1, "burn-flex": 0.0}},
                "share_that_differs": 0.25,
                "flipped_by_one_only": {"onnxruntime": ["a", "b"]},
                "exceeded": ["25.0 % differs"],
                "passes": False,
            }
        ],
        "notes": {
            "digits.int8-per-tensor": {"samples": 256, "steps": ["Gemm (close)"], "options": {"simplify": False}}
        },
    }
}


def test_each_model_has_a_row_by_each_engine_and_a_refusal_is_told():
    text = int8.page(FOUND)
    assert "| digits | float32 | burn-flex | 1,234 | top1 1.000000 | 2 [1.5, 2.5] | excellent, 1 of 9 flipped |" in text
    assert "| digits | per tensor | burn-flex | - | convert: no | - | - |" in text


def test_a_drift_that_differs_is_told():
    cells = ("onnxruntime, burn-flex", "top1 -0.100000", "top1 +0.000000", "25 %", "2", "no: 25.0 % differs")
    assert f"| digits | per tensor | {' | '.join(cells)} |" in int8.page(FOUND)


def test_what_had_to_be_rewritten():
    assert "| digits | per tensor | 256 | Gemm (close), simplify off |" in int8.page(FOUND)


def test_notes_are_those_of_the_model(tmp_path):
    made = model([helper.make_node("Neg", ["x"], ["y"])], [value("x")], [value("y")])
    annotate(made, QUANTISED, {"samples": 3})
    onnx.save(made, tmp_path / "a.onnx")
    nothing = {"samples": 3, "steps": [], "options": {}, "losses": [], "disagrees": ""}
    assert int8.notes(tmp_path / "a.onnx") == nothing
    told = {"prepare": {"agrees": False, "after": {"message": "not at sequence=19"}}, "losses": [LOSS]}
    (tmp_path / "a.json").write_text(json.dumps(told))
    assert int8.notes(tmp_path / "a.onnx") == {**nothing, "losses": [LOSS], "disagrees": "not at sequence=19"}


def test_losses_and_disagreements_are_told():
    found = copy.deepcopy(FOUND)
    found["digits"]["notes"]["digits.int8-per-tensor"] |= {"losses": [LOSS] * 4, "disagrees": "not at sequence=19"}
    text = int8.page(found)
    assert "| digits | per tensor | 4 | `logits` | 40.0 | - |\n|  |  |  | `logits` | 40.0 | - |" in text
    assert text.count("`logits`") == 3
    assert "- digits, per tensor: they do not agree, so `quantize` wrote nothing: not at sequence=19" in text


def test_digits_are_framed_as_those_of_mnist():
    images = np.zeros((2, 1, 8, 8), np.float32)
    images[:, :, 2:6, 2:6] = 1
    made = int8.framed(images)
    assert made.shape == (2, 1, 28, 28)
    assert (made[:, :, :4].max(), made.max(), made[0, 0, 14, 14]) == (0, 255, 255)
    assert made.sum() == pytest.approx(255 * 2 * 16 * 2.5**2, rel=0.02)


def test_what_was_not_evaluated_is_told():
    assert "not evaluated here: mnist, micro-kws, resnet20, minilm." in int8.page(FOUND)
