"""The commands of docs/prepare.md about five refusals run, on a Burn that refuses what the page says."""

import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cli import main
from fakes import seams
from handmade import model, value

TEXT = (Path(__file__).parents[3] / "docs" / "prepare.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ burn-verify (.*)$", TEXT.partition("## Five refusals")[2], re.MULTILINE)
REFUSED = ["RMSNormalization", "Resize", "MaxPool", "Compress", "mine.double"]


def shaped(*shape):
    return [value("x", shape=shape)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Hold a model for each refusal."""
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    constant = {
        name: numpy_helper.from_array(array, name)
        for name, array in {
            "scale": np.ones(8, np.float32),
            "sizes": np.array([1, 1, 4, 4], np.int64),
            "mask": np.array([True, False, True]),
        }.items()
    }
    norm = helper.make_node("RMSNormalization", ["x", "scale"], ["y"])
    smooth = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", antialias=1)
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2, 2])
    mask = helper.make_node("Compress", ["x", "mask"], ["y"], axis=0)
    call = helper.make_node("double", ["x"], ["y"], domain="mine")
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    double = helper.make_function("mine", "double", ["a"], ["b"], body, [helper.make_opsetid("", 18)])
    made = {
        "norm": model([norm], shaped(2, 8), [value("y", shape=[2, 8])], [constant["scale"]], opset=23),
        "smooth": model([smooth], shaped(1, 1, 8, 8), [value("y", shape=[1, 1, 4, 4])], [constant["sizes"]]),
        "volume": model([pool], shaped(1, 1, 3, 3, 3), [value("y", shape=[1, 1, 2, 2, 2])]),
        "mask": model([mask], shaped(3, 2), [value("y", shape=[None, 2])], [constant["mask"]]),
        "local": model([call], shaped(2, 2), [value("y", TensorProto.FLOAT, [2, 2])], functions=[double]),
    }
    made["norm-ready"] = model([helper.make_node("Neg", ["x"], ["y"])], shaped(2, 8), [value("y", shape=[2, 8])])
    for name, one in made.items():
        onnx.save(one, tmp_path / f"{name}.onnx")
    (tmp_path / "norm-ready.onnx").rename(tmp_path / "kept")
    return tmp_path


def test_there_are_five_refusals_and_what_comes_after():
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_runs(words, folder, capsys):
    if words.startswith("verify"):
        (folder / "kept").rename(folder / "norm-ready.onnx")
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(words), seams(refuses=REFUSED))
    assert ended.value.code == 0
    out = capsys.readouterr().out
    if words.startswith("prepare"):
        assert "agrees" in out
        (written,) = folder.glob("*-ready.onnx")
        nodes = onnx.load(written).graph.node
        assert not {node.op_type for node in nodes} & {name.rpartition(".")[2] for name in REFUSED}
