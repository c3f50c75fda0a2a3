"""The memory of a process."""

import os
import subprocess
import sys

from burn_verify.run.evaluate.memory import peak


def test_of_this_process_and_of_none():
    assert peak(os.getpid()) > 10
    assert peak(None) is None
    assert peak(2**22 + 1) is None


def test_a_process_below_another_one_counts():
    inner = "data = bytearray(90 << 20); print('ready', flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert peak(process.pid) > 90
        process.stdin.write(b"\n")
