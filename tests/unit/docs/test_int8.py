"""The commands of docs/int8.md run, on a Burn that refuses a Gemm of quantised weights, as the page says."""

import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from burn_verify.cli import main
from fakes import seams
from quantisable import network, samples

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "int8.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ burn-verify (.*)$", TEXT, re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"), prepend=":")
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    onnx.save(network(), tmp_path / "model.onnx")
    np.savez(tmp_path / "calibration.npz", x=samples())
    return tmp_path


def rounded(made):
    """Return a model with weights of few bits, as a stand-in for one in 8 bits."""
    for tensor in made.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("f2").astype("f4"), tensor.name))
    return made


def test_the_page_shows_the_ways():
    assert [("--dynamic" in words, "--per-channel" in words) for words in COMMANDS if words.startswith("quantize")] == [
        (False, False),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("words", [words for words in COMMANDS if words.startswith("evaluate")])
def test_two_models_beside_each_other(words, folder, capsys):
    onnx.save(rounded(network()), folder / "model.int8.onnx")
    np.savez(folder / "labelled.npz", x=samples(), labels=np.zeros(10, np.int64))
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(words), seams())
    out, err = capsys.readouterr()
    assert ended.value.code == 0, out + err
    assert "drift from model to model.int8 by fake and by burn-flex: the same" in out


@pytest.mark.parametrize("words", [words for words in COMMANDS if words.startswith("quantize")])
def test_a_command_runs(words, folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(words), seams(refuses=["Gemm"]))
    assert ended.value.code == 0, capsys.readouterr().err
    (written,) = folder.glob("*.int8.onnx")
    assert "Gemm" not in {node.op_type for node in onnx.load(written).graph.node}
