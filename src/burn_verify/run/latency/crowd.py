"""Processor time used by other programs while the timed programs run, as counted by the operating system.

Measures no calls and decides nothing.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_IDLE = {"idle", "iowait"}
_COUNTED_ELSEWHERE = {"guest", "guest_nice"}
"""The time of guests is included in that of the programs that run them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Processor time until now, in seconds.

    Attributes:
        machine: of all processes, including the time stolen by a hypervisor.
        own: of this program's processes.
        clock: the time of the measurement.
    """

    machine: float
    own: float
    clock: float


def usage(pids: Iterable[int | None]) -> Usage | None:
    """Return the processor time of the machine and of processes; None if unavailable, or if a process has ended."""
    own = 0.0
    try:
        for pid in pids:
            if pid is None:
                return None
            spent = psutil.Process(pid).cpu_times()
            own += spent.user + spent.system
        machine = psutil.cpu_times()._asdict()
    except (psutil.Error, OSError):
        return None
    busy = sum(spent for what, spent in machine.items() if what not in _IDLE | _COUNTED_ELSEWHERE)
    return Usage(machine=busy, own=own, clock=time.monotonic())


def others(before: Usage | None, after: Usage | None) -> tuple[float, float] | None:
    """Return the processor time of other programs between two measurements, and the elapsed time, in seconds.

    The system counts in ticks, often of 10 ms: over a short interval the time of other programs may be negative.
    """
    if before is None or after is None or after.clock <= before.clock:
        return None
    return after.machine - before.machine - after.own + before.own, after.clock - before.clock
