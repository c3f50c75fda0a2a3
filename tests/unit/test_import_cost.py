"""What every pytest start in the environment pays for the plugin: nothing heavy is imported before it is needed."""

import json
import subprocess
import sys

import pytest

HEAVY = [
    *("onnx", "onnxruntime", "numpy", "ml_dtypes", "safetensors", "rich", "tabulate", "pooch", "requests", "tqdm"),
    *("jinja2", "junitparser", "psutil", "tomlkit", "duckdb", "submitit"),
]


def imported_by(statement):
    """Return the heavy modules that a fresh interpreter holds after a statement."""
    script = f"import json, sys\n{statement}\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    # Isolated: neither PYTHONPATH nor a `sitecustomize` of the working folder may import anything.
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "module",
    ["plugin.hooks", "plugin.suite.test_models", "core.options", "core.errors", "core.case", "expectations.match"],
)
def test_what_every_pytest_start_imports_is_light(module):
    assert imported_by(f"import burn_verify.{module}") == []


def test_an_import_would_be_seen():
    assert "numpy" in imported_by("import burn_verify.system.wire")
