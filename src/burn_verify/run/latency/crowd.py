"""How much processor time other programs use while some of ours run, as the operating system counts.

Measures no calls and decides nothing.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_IDLE = {"idle", "iowait"}
_COUNTED_ELSEWHERE = {"guest", "guest_nice"}
"""The time of guests is part of that of the programs that run them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Processor time until now, in seconds.

    Attributes:
        machine: of everything, what a hypervisor took away included.
        own: of the processes that are ours.
        clock: the time this was asked.
    """

    machine: float
    own: float
    clock: float


def usage(pids: Iterable[int | None]) -> Usage | None:
    """Ask for the processor time of the machine and of processes; None where nobody tells, or one does not run."""
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
    """Return the processor time that others used from one to the other, and how long that was, in seconds.

    The system counts in ticks, often of 10 ms: over a short while others may seem to have used less than nothing.
    """
    if before is None or after is None or after.clock <= before.clock:
        return None
    return after.machine - before.machine - after.own + before.own, after.clock - before.clock
