"""What every test of this repository shares."""

import json
import os
import signal
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

FIXTURES = Path(__file__).parent / "fixtures"
HOME = os.environ.get("HOME", "")

# A shell starts what it puts into the background, and nohup what it runs, with one of these ignored, and children
# inherit it: tests that send the signal would wait.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


@pytest.fixture
def as_a_user(monkeypatch):
    """Undo what would tell a pytest inside a test from one that a user types."""
    monkeypatch.delenv("BURN_VERIFY_ZOO_MIRROR", raising=False)
    # The test may itself run in a worker of pytest-xdist.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run pytest in a process of its own; return its result and the results it recorded, by case id."""
    # pytester moves the home folder away, and with it rustup and the cache in which Burn is compiled.
    monkeypatch.setenv("HOME", HOME)
    pytester.makeini("[pytest]\n")

    def run(*arguments):
        record = pytester.path / "record.jsonl"
        record.unlink(missing_ok=True)
        done = pytester.runpytest_subprocess("--burn-record", str(record), *map(str, arguments))
        lines = (
            [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()] if record.exists() else []
        )
        return done, {line["case_id"]: line for line in lines if line["kind"] == "result"}

    return run
