"""The memory of a process."""

import os

from burn_verify.run.evaluate.memory import peak


def test_of_this_process_and_of_none():
    assert peak(os.getpid()) > 10
    assert peak(None) is None
    assert peak(2**22 + 1) is None
