"""The command ``burn-verify locate``, with fakes for ONNX Runtime and Burn."""

import json
from pathlib import Path

import numpy as np
import pytest

from wrong import has, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_a_wrong_node_is_named(command):
    code, out, _ = command("locate", ADD, seams=seams("Add", lambda array: array + np.float32(1)))
    assert code == 1
    assert "fails alone, fed right values" in out


def test_a_model_that_passes_is_code_0(command):
    code, out, _ = command("locate", ADD, seams=seams())
    assert code == 0
    assert "nothing wrong" in out


def test_a_failure_that_no_piece_shows_cannot_be_said(command):
    code, out, _ = command("locate", ADD, seams=seams(refuses=lambda proto: "" if proto.graph.name == "cut" else "odd"))
    assert code == 3
    assert "cannot say" in out


def test_json_is_one_object(command):
    code, out, _ = command("locate", ADD, "--json", seams=seams(refuses=has("Add")))
    assert code == 1
    assert json.loads(out)["stage"] == "convert"


def test_errors_of_the_nodes_are_written_for_model_explorer(command, tmp_path):
    path = tmp_path / "nodes.json"
    command("locate", ADD, "--node-data", path, seams=seams("Add", lambda array: array + np.float32(1)))
    assert [node["value"] > 1 for node in json.loads(path.read_text())["results"].values()] == [True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((ADD.parent,), "models: name one at a time"),
        ((ADD, "--output", "nothing"), "no node gives a value of this name"),
        ((ADD, "--burn-backend", "flex,wgpu"), "2 targets: choose one"),
        (("no-such-model",), "no-such-model"),
    ],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("locate", *words, seams=seams())
    assert (code, out) == (4, "")
    assert message in err


def test_whose_fault_it_is_is_asked_where_it_is_wanted(command):
    wrong = seams("Add", lambda array: array + np.float32(1), right_on="ndarray")
    _, out, _ = command("locate", ADD, "--whose-fault", seams=wrong)
    assert "whose fault: kernel (on ndarray the same code answers right; written as ONNX again" in out
    _, out, _ = command("locate", ADD, "--round-trip", seams=wrong)
    assert "whose fault: kernel (written as ONNX again" in out
    _, out, _ = command("locate", ADD, seams=wrong)
    assert "whose fault" not in out
    _, out, _ = command("locate", ADD, "--whose-fault", "--burn-backend", "ndarray", "--json", seams=wrong)
    assert json.loads(out)["fault"] is None
