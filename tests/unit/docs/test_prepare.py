"""The commands of docs/prepare.md about five refusals run, on a Burn that refuses what the page says."""

import re
import shlex
from pathlib import Path

import onnx
import pytest
from onnx import helper

import shipped
from burn_verify.cli import main
from fakes import seams
from handmade import model, value
from refused import REFUSALS, refused, shaped

TEXT = (Path(__file__).parents[3] / "docs" / "prepare.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ burn-verify (.*)$", TEXT.partition("## Five refusals")[2], re.MULTILINE)
REFUSED = [operator for operator, _ in REFUSALS.values()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Hold a model for each refusal."""
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    made = refused()
    made["norm-ready"] = model([helper.make_node("Neg", ["x"], ["y"])], shaped(2, 8), [value("y", shape=[2, 8])])
    for name, one in made.items():
        onnx.save(one, tmp_path / f"{name}.onnx")
    (tmp_path / "norm-ready.onnx").rename(tmp_path / "kept")
    return tmp_path


def test_there_are_five_refusals_and_what_comes_after():
    assert len(COMMANDS) == 7
    assert [words.split()[1] for words in COMMANDS[:5]] == [f"{name}.onnx" for name in REFUSALS]
    for name, (_, message) in REFUSALS.items():
        assert message in TEXT, name


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_runs(words, folder, capsys):
    if not words.startswith("prepare"):
        (folder / "kept").rename(folder / "norm-ready.onnx")
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(words), shipped.seams() if words.startswith("package") else seams(refuses=REFUSED))
    assert ended.value.code == 0
    out = capsys.readouterr().out
    if words.startswith("prepare"):
        assert "agrees" in out
        (written,) = folder.glob("*-ready.onnx")
        nodes = onnx.load(written).graph.node
        assert not {node.op_type for node in nodes} & {name.rpartition(".")[2] for name in REFUSED}
