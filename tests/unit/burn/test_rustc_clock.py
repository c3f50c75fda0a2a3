"""The clock between cargo and rustc: exit code as it was, crate, seconds and memory in the log."""

import json
import sys

import pytest

from burn_verify.burn import rustc_clock


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_is_timed_and_keeps_its_exit_code(tmp_path, monkeypatch, code):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv(rustc_clock.LOG, str(log))

    argv = [sys.executable, "-c", f"raise SystemExit({code})", "--crate-name", "batch_1"]

    assert rustc_clock.main(argv) == code
    note = json.loads(log.read_text())
    assert note["crate"] == "batch_1"
    assert note["seconds"] > 0
    assert note["peak"] > 1 << 20


def test_every_command_adds_a_line(tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv(rustc_clock.LOG, str(log))

    for _ in range(2):
        rustc_clock.main([sys.executable, "-c", ""])

    assert [json.loads(line)["crate"] for line in log.read_text().splitlines()] == ["", ""]
