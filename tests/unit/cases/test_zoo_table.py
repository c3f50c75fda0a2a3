"""The committed table of models is what the script makes of the zoo's lists."""

import json
import os
import shutil
from pathlib import Path

import pytest

import refresh_zoo as script

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "src" / "burn_verify" / "data" / "zoo.toml"


@pytest.fixture(scope="module")
def lists():
    mirror = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or ROOT.parent / "shared" / "zoo")
    paths = mirror / "onnx-hub-manifest.json", mirror / "index.json"
    for path in paths:
        if not path.is_file():
            pytest.skip(f"{path} is missing: set BURN_VERIFY_ZOO_MIRROR to a mirror of the zoo")
    return paths


def test_the_table_is_fresh(lists):
    text = script.render(*(json.loads(path.read_text(encoding="utf-8")) for path in lists))
    assert text == TABLE.read_text(encoding="utf-8"), f"run tools/refresh_zoo.py on {lists[0].parent}"


def test_check_tells_fresh_from_stale(lists, tmp_path, capsys):
    arguments = [*map(str, lists), "--output", str(tmp_path / "zoo.toml"), "--check"]
    shutil.copy(TABLE, tmp_path)
    assert script.main(arguments) == 0
    (tmp_path / "zoo.toml").write_text("stale", encoding="utf-8")
    assert script.main(arguments) == 1
    assert "is stale" in capsys.readouterr().err


def test_a_name_that_means_two_things_is_refused():
    with pytest.raises(SystemExit, match="not unique: mnist-12"):
        script.check(["mnist-12", "MNIST_12"], {})
    with pytest.raises(SystemExit, match="hides the entry"):
        script.check(["candy", "candy-9"], {"candy": ["candy-9"]})


def test_an_unknown_dimension_is_refused():
    model = {"path": "x/new-1.onnx", "inputs": [["x", ["mystery", 3], "tensor(float)"]]}
    with pytest.raises(SystemExit, match="new-1: no value is known for dimension 'mystery'"):
        script.hints_of_manifest(model)
