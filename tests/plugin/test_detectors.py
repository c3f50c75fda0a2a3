"""Every command of docs/detectors.md is run as it stands there, on a small detector; its picture is made here."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from documented import code_of, commands_of, run, run_pytest
from fakes import Faults
from labelled import detector, pictures

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "detectors.md").read_text(encoding="utf-8")
COMMANDS = commands_of(TEXT)
(DESCRIPTION,) = code_of(TEXT, "toml")
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


def test_the_description_is_toml():
    assert tomllib.loads(DESCRIPTION)["task"]["family"] == "decoded"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("burn-verify ")])
def test_every_command_runs(folder, command, capsys):
    assert "AP50" in run(command, capsys)
    assert json.loads((folder / "out" / "comparison.json").read_text())["passes"]


def test_the_command_of_pytest_runs(folder, pytester, as_a_user):
    (command,) = [one for one in COMMANDS if one.startswith("pytest ")]
    for path in ("detector.onnx", "detector.toml", "shapes"):
        shutil.move(folder / path, pytester.path / path)
    assert any("detection on shapes: AP 1.000000" in line for line in run_pytest(command, pytester))


def test_a_baseline_that_was_not_reached_fails(folder, capsys):
    detector(folder / "detector.onnx", box=(0.3, 0.25, 0.8, 0.75))
    (command,) = [one for one in COMMANDS if "--baseline" in one]
    run(command, capsys, code=1)


def test_the_picture_is_what_comes_of_a_wrong_engine(folder, capsys):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    faults = Faults({("run", "detector"): lambda outputs: [outputs[0] + np.float32(0.15), *outputs[1:]]})
    run(COMMANDS[0], capsys, faults, code=1)
    made = folder / "out" / "eval_shapes_burn-flex" / "visualizations" / "000_data_0.png"
    kept = ROOT / "docs" / "detectors.png"
    one, other = (np.asarray(image.open(path).convert("RGB"), np.int16) for path in (made, kept))
    assert one.shape == other.shape, f"copy {made} to {kept}"
    # Another version of Pillow draws letters in another way.
    assert (np.abs(one - other) > 32).any(axis=-1).mean() < 0.02, f"copy {made} to {kept}"
