"""The committed table of models is what the script makes of the zoo's lists."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "src" / "burn_verify" / "data" / "zoo.toml"
SCRIPT = ROOT / "tools" / "refresh_zoo.py"


@pytest.fixture(scope="module")
def script():
    if not SCRIPT.is_file():
        pytest.skip(f"{SCRIPT} is missing")
    spec = importlib.util.spec_from_file_location("refresh_zoo", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lists():
    mirror = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or ROOT.parent / "shared" / "zoo")
    paths = mirror / "onnx-hub-manifest.json", mirror / "index.json"
    for path in paths:
        if not path.is_file():
            pytest.skip(f"{path} is missing: set BURN_VERIFY_ZOO_MIRROR to a mirror of the zoo")
    return paths


def test_the_table_is_fresh(script, lists):
    text = script.render(*(json.loads(path.read_text(encoding="utf-8")) for path in lists))
    assert text == TABLE.read_text(encoding="utf-8"), f"run {SCRIPT.name} on {lists[0].parent}"


def test_check_tells_fresh_from_stale(script, lists, tmp_path, capsys):
    arguments = [*map(str, lists), "--output", str(tmp_path / "zoo.toml"), "--check"]
    shutil.copy(TABLE, tmp_path)
    assert script.main(arguments) == 0
    (tmp_path / "zoo.toml").write_text("stale", encoding="utf-8")
    assert script.main(arguments) == 1
    assert "is stale" in capsys.readouterr().err


def test_a_name_that_means_two_things_is_refused(script):
    with pytest.raises(SystemExit, match="not unique: mnist-12"):
        script.check(["mnist-12", "MNIST_12"], {})
    with pytest.raises(SystemExit, match="hides the entry"):
        script.check(["candy", "candy-9"], {"candy": ["candy-9"]})


def test_an_unknown_dimension_is_refused(script):
    model = {"path": "x/new-1.onnx", "inputs": [["x", ["mystery", 3], "tensor(float)"]]}
    with pytest.raises(SystemExit, match="new-1: no value is known for dimension 'mystery'"):
        script.hints_of_manifest(model)
