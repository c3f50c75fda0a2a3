"""The packaged file of what burn-onnx declares is what the sources of onnx-ir say."""

import importlib.util
from pathlib import Path

import pytest

from burn_verify.burn.workspace import Workspace
from burn_verify.core.progress import silent
from burn_verify.core.target import Target

SCRIPT = Path(__file__).parents[2] / "tools" / "refresh_declared.py"


def test_the_declarations_are_fresh(tmp_path, capsys, cache):
    if not SCRIPT.is_file():
        pytest.skip(f"{SCRIPT} is missing")
    spec = importlib.util.spec_from_file_location("refresh_declared", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    # Whoever compiled the converter has the sources of onnx-ir.
    Workspace.of(cache, silent, Target()).converter()
    assert script.main(["--check"]) == 0, f"run python tools/{SCRIPT.name}"
    assert script.main(["--check", "--folder", str(tmp_path)]) == 1
    assert "is stale" in capsys.readouterr().err
