"""Every command of docs/detectors.md is run as it stands there, on a small detector; its picture is made here."""

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from burn_verify.cli import main
from fakes import Faults, seams
from labelled import detector, pictures

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "detectors.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines() if line]
(DESCRIPTION,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
BOX = (0.25, 0.25, 0.75, 0.75)


def squares(folder):
    """Write images with a square where the label is."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    pictures(folder, [[(BOX, 1)], [(BOX, 1)]])
    for path in (folder / "data").glob("*.png"):
        pixels = np.full((32, 32, 3), 225, np.uint8)
        pixels[8:24, 8:24] = (250, 200, 80)
        image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with all that the page names."""
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    detector(tmp_path / "detector.onnx")
    squares(tmp_path / "shapes")
    (tmp_path / "detector.toml").write_text(DESCRIPTION)
    (tmp_path / "torch_metrics.json").write_text(json.dumps({"AP": 1.0, "images": 2}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BURN_VERIFY_CACHE", str(tmp_path / "cache"))
    return tmp_path


def run(command, faults=None):
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:], seams(faults or Faults()))
    return ended.value.code


def test_the_description_is_toml():
    assert tomllib.loads(DESCRIPTION)["task"]["family"] == "decoded"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("burn-verify ")])
def test_every_command_runs(folder, command, capsys):
    assert run(command) == 0
    assert "AP50" in capsys.readouterr().out
    assert json.loads((folder / "out" / "comparison.json").read_text())["passes"]


def test_the_command_of_pytest_runs(folder, pytester, as_a_user):
    (command,) = [one for one in COMMANDS if one.startswith("pytest ")]
    for path in ("detector.onnx", "detector.toml", "shapes"):
        shutil.move(folder / path, pytester.path / path)
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'tests'}\n")
    pytester.makeconftest("from fakes import seams\n\n\ndef pytest_burn_verify_seams():\n    return seams()\n")
    done = pytester.runpytest_subprocess(*shlex.split(command)[1:])
    assert done.ret == 0
    assert any("detection on shapes: AP 1.000000" in line for line in done.outlines)


def test_a_baseline_that_was_not_reached_fails(folder):
    detector(folder / "detector.onnx", box=(0.3, 0.25, 0.8, 0.75))
    (command,) = [one for one in COMMANDS if "--baseline" in one]
    assert run(command) == 1


def test_the_picture_is_what_comes_of_a_wrong_engine(folder):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    faults = Faults({("run", "detector"): lambda outputs: [outputs[0] + np.float32(0.15), *outputs[1:]]})
    assert run(COMMANDS[0], faults) == 1
    made = folder / "out" / "eval_shapes_burn-flex" / "visualizations" / "000_data_0.png"
    kept = ROOT / "docs" / "detectors.png"
    one, other = (np.asarray(image.open(path).convert("RGB"), np.int16) for path in (made, kept))
    assert one.shape == other.shape, f"copy {made} to {kept}"
    # Another version of Pillow draws letters in another way.
    assert (np.abs(one - other) > 32).any(axis=-1).mean() < 0.02, f"copy {made} to {kept}"
