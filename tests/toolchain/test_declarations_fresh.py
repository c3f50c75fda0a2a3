"""The packaged file of what burn-onnx declares is what the sources of onnx-ir say."""

import refresh_declared
from burn_verify.burn.workspace import Workspace
from burn_verify.core.progress import silent
from burn_verify.core.target import Target


def test_the_declarations_are_fresh(tmp_path, capsys, cache):
    # Whoever compiled the converter has the sources of onnx-ir.
    Workspace.of(cache, silent, Target()).converter()
    assert refresh_declared.main(["--check"]) == 0, "run python tools/refresh_declared.py"
    assert refresh_declared.main(["--check", "--folder", str(tmp_path)]) == 1
    assert "is stale" in capsys.readouterr().err
