"""Another plugin says what a run is made of, here and in the workers of pytest-xdist."""

import pytest

ELSEWHERE = """
from burn_verify.core.errors import ToolchainError
from burn_verify.run.seams import Seams


def builder(cache, settings, listen, targets):
    raise ToolchainError("no cargo here")


def pytest_burn_verify_seams():
    return Seams(builder=builder)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "xdist"])
def test_the_builder_of_another_plugin_is_asked(pytester, identity, monkeypatch, workers):
    (pytester.path / "elsewhere.py").write_text(ELSEWHERE)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    places = ("--burn-cache-dir", str(pytester.path / "cache"))
    done = pytester.runpytest_subprocess("-p", "elsewhere", "--models", str(identity()), *places, *workers)
    assert done.ret == 3
    assert "burn-verify: no cargo here" in done.stdout.str() + done.stderr.str()
