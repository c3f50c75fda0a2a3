"""The command ``burn-verify round-trip``, with stand-ins for ONNX Runtime, Burn and its exporter."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from wrong import seams

FIXTURES = Path(__file__).parents[3] / "fixtures"


@pytest.fixture
def add(tmp_path):
    return Path(shutil.copy(FIXTURES / "add.onnx", tmp_path))


def subtracting(written):
    made = onnx.ModelProto()
    made.CopyFrom(written)
    made.graph.node[0].op_type = "Sub"
    return made


def test_an_exporter_that_is_right_is_code_0(command, add, tmp_path):
    code, out, _ = command(
        "round-trip", add, "--out", tmp_path / "p.md", "--lines", tmp_path / "l.jsonl", seams=seams()
    )
    assert code == 0
    assert "1 cases, 1 exported, 1 of these right" in out
    assert (tmp_path / "p.md").read_text().startswith("# Round trip")
    assert json.loads((tmp_path / "l.jsonl").read_text())["case"] == "file/add"


def test_an_exporter_that_is_wrong_is_named(command, add):
    code, out, _ = command("round-trip", add, seams=seams(exports=subtracting))
    assert code == 1
    assert "exporter wrong: file/add: " in out


def test_whose_fault_a_failure_is_is_counted(command, add):
    wrong = seams("Add", lambda array: array + np.float32(1), right_on="ndarray")
    code, out, _ = command("round-trip", add, seams=wrong)
    assert code == 0
    assert "1 run and fail, of 1 it is known whose fault that is" in out
    _, out, _ = command("round-trip", add, "--one-backend", seams=wrong)
    assert "1 run and fail, of 1 it is known" in out


@pytest.mark.parametrize(("words", "message"), [((), "nothing is selected"), (("no-such-model",), "no-such-model")])
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("round-trip", *words, seams=seams())
    assert (code, out) == (4, "")
    assert message in err
