"""pytest inside a test, with fakes for ONNX Runtime and Burn from a plugin of its own."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
FAKE = """
from fakes import seams


def pytest_burn_verify_seams():
    return seams()
"""


@pytest.fixture
def faked(pytester, as_a_user, monkeypatch):
    """Return a function that runs pytest on fixtures/add.onnx, with fakes."""
    (pytester.path / "faked.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}:{TESTS}", prepend=":")
    add = TESTS.parent / "fixtures" / "add.onnx"

    def run(*words, models=add):
        places = ("--burn-cache-dir", str(pytester.path / "cache"))
        selection = (f"--models={models}",) if models else ()
        return pytester.runpytest_subprocess("-p", "faked", *selection, *places, *map(str, words))

    return run
