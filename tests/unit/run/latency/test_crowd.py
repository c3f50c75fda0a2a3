"""What other programs use of the processors, with real ones."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from burn_verify.run.latency.crowd import Usage, others, usage

_SPIN = "while True: pass"


@pytest.fixture
def spinning() -> Iterator[int]:
    """A process that wants a processor for itself."""
    process = subprocess.Popen([sys.executable, "-c", _SPIN])
    yield process.pid
    process.kill()
    process.wait()


def _until(pid: int, seconds: float, ours: list[int]) -> tuple[float, float, float]:
    """Wait until a process has had so many seconds more; return what others than ours used, how long it took, share."""
    before, spun = usage(ours), usage([pid])
    assert spun is not None
    while (now := usage([pid])) is not None and now.own < spun.own + seconds:
        pass
    assert now is not None
    seen = others(before, usage(ours))
    assert seen is not None
    return *seen, now.own - spun.own


# Time is counted in ticks of a hundredth of a second, on every processor.
TICKS = 0.02 * (psutil.cpu_count() or 1)


def test_one_that_spins_is_seen(spinning: int) -> None:
    used, wall, spun = _until(spinning, 0.3, [os.getpid()])
    assert used >= spun - TICKS
    assert wall > 0


def test_what_is_ours_is_none_of_the_others(spinning: int) -> None:
    with_it, wall, _ = _until(spinning, 0.3, [os.getpid(), spinning])
    # This process asks all the time, and is ours as well; what is left is the rest of the machine.
    assert with_it <= (psutil.cpu_count() or 1) * wall - 0.3 + TICKS


@pytest.mark.parametrize("pids", [[None], [2**22 + 1], [os.getpid(), None]])
def test_of_no_process_nothing_is_said(pids: list[int | None]) -> None:
    assert usage(pids) is None
    assert others(usage(pids), usage(pids)) is None


def test_no_time_has_no_share() -> None:
    now = Usage(machine=5.0, own=1.0, clock=3.0)
    assert others(now, now) is None
