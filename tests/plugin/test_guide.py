"""Every command of the guide to one's own models is run as it stands there, with stand-ins for Burn and ONNX Runtime.

The models are small: a classifier of images and an encoder of token ids, with a tokenizer of four words.
"""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cli import main
from documented import code_of, commands_of, run, run_pytest, save_tokenizer
from handmade import model, value

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "own-models.md").read_text(encoding="utf-8").partition("## What a model is fed")[0]
COMMANDS = commands_of(GUIDE)
DESCRIPTION = "".join(code_of(GUIDE, "toml"))


def classifier():
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["scores"]),
    ]
    return model(nodes, [value("pixels", shape=["batch", 3, 224, 224])], [value("scores", shape=["batch", 3])])


def encoder():
    table = numpy_helper.from_array(np.arange(8, dtype="f4").reshape(4, 2), "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["hidden"]),
    ]
    ids = [value(name, TensorProto.INT64, ["batch", "seq"]) for name in ("input_ids", "attention_mask")]
    last = numpy_helper.from_array(np.array([2]), "last")
    return model(nodes, ids, [value("hidden", shape=["batch", "seq", 2])], [table, last])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with all that the guide names."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    save_tokenizer(tmp_path / "tokenizer.json", {"[UNK]": 0, "a": 1, "small": 2, "cat": 3})
    onnx.save(classifier(), tmp_path / "classifier.onnx")
    onnx.save(encoder(), tmp_path / "encoder.onnx")
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        pillow.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "sentences.txt").write_text("a small cat\na cat\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_the_guide_has_commands_of_both_kinds():
    assert {command.partition(" ")[0] for command in COMMANDS} == {"burn-verify", "pytest"}


def test_every_command_runs(folder, capsys):
    said = ""
    for command in COMMANDS:
        if "--burn-record" in command:
            (folder / "classifier.toml").write_text(DESCRIPTION)
        if command.startswith("burn-verify "):
            said += run(command, capsys)
    assert "file/classifier: 3 of 3 samples agree" in said
    assert "file/classifier: 1 sample agrees; the worst is photos/a.png" in said
    assert "mean 0.485/0.456/0.406" in said
    assert "file/encoder: 2 of 2 samples agree" in said
    assert "  ULP\n" in said


def test_the_command_of_pytest_runs(folder, pytester, as_a_user):
    (command,) = [command for command in COMMANDS if command.startswith("pytest ")]
    for path in folder.iterdir():
        if path.name != "cache":
            path.rename(pytester.path / path.name)
    assert any("file/classifier: 3 of 3 samples agree" in line for line in run_pytest(command, pytester))


def test_uvx_finds_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entry = EntryPoint(name=project["name"], value=project["scripts"][project["name"]], group="console_scripts")
    assert entry.load() is main
