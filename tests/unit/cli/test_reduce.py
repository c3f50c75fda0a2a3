"""The command ``burn-verify reduce``, with fakes for ONNX Runtime and Burn."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from wrong import has, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_a_small_model_is_written(command, tmp_path):
    out = tmp_path / "tiny.onnx"
    code, said, _ = command("reduce", ADD, "-o", out, "--json", seams=seams(refuses=has("Add")))
    assert code == 1
    assert json.loads(said)["reason"] == "unsupported Add"
    onnx.checker.check_model(onnx.load(out), full_check=True)


def test_the_small_model_fails_the_same_way(command, tmp_path):
    wrong = seams("Add", lambda array: array + np.float32(1))
    assert command("reduce", ADD, "-o", tmp_path / "tiny.onnx", seams=wrong)[0] == 1
    code, out, _ = command("verify", tmp_path / "tiny.onnx", seams=wrong)
    assert code == 1
    assert "disagrees" in out


def test_nothing_is_written_of_a_model_that_passes(command, tmp_path):
    code, out, _ = command("reduce", ADD, "-o", tmp_path / "tiny.onnx", seams=seams())
    assert code == 0
    assert "nothing wrong" in out
    assert not list(tmp_path.glob("tiny*"))


@pytest.mark.parametrize(
    ("out", "message"), [(ADD, "is the model itself"), (ADD.parent / "no" / "tiny.onnx", "there is no folder")]
)
def test_a_mistake_is_one_line(command, out, message):
    code, said, err = command("reduce", ADD, "-o", out, seams=seams())
    assert (code, said) == (4, "")
    assert message in err
