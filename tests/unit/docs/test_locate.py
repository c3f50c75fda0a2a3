"""The commands of docs/locate.md run."""

import re
import shlex
from pathlib import Path

import onnx
import pytest
from onnx import helper

from burn_verify.cli import main
from handmade import model, value
from wrong import seams

TEXT = (Path(__file__).parents[3] / "docs" / "locate.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ burn-verify (.*)$", TEXT, re.MULTILINE)


def test_there_are_commands():
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_runs(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    nodes = [helper.make_node("Exp", ["x"], ["hidden"], "e"), helper.make_node("Neg", ["hidden"], ["y"], "n")]
    onnx.save(model(nodes, [value("x", shape=[3])], [value("y", shape=[3])]), tmp_path / "my.onnx")
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(words), seams("Exp", lambda array: array * 2))
    assert ended.value.code == 1
    assert "Exp" in capsys.readouterr().out
