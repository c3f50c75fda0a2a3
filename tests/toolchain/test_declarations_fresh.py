"""The packaged file of what burn-onnx declares is what the sources of onnx-ir say."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "refresh_declared.py"


def test_the_declarations_are_fresh(tmp_path, capsys):
    if not SCRIPT.is_file():
        pytest.skip(f"{SCRIPT} is missing")
    spec = importlib.util.spec_from_file_location("refresh_declared", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    try:
        script.find_crates(["onnx-ir", "burn-onnx"])
    except SystemExit as missing:
        pytest.skip(f"the sources of onnx-ir are not here: {missing}")

    assert script.main(["--check"]) == 0, f"run python tools/{SCRIPT.name}"
    assert script.main(["--check", "--folder", str(tmp_path)]) == 1
    assert "is stale" in capsys.readouterr().err
