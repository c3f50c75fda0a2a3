"""The memory that a process had at most."""

import functools
from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1 << 20


def peak(pid: int | None) -> float | None:
    """Return MiB that a process had resident at most; where the system keeps no such mark, what it has now.

    Of a program in a sandbox the known process is that of the sandbox, and the program is below it: the greatest one
    below counts. None where there is no such process.
    """
    if pid is None:
        return None
    return max((size for one in _below(pid) or (pid,) if (size := _of(one)) is not None), default=None)


@functools.lru_cache(maxsize=16)
def _below(pid: int) -> tuple[int, ...]:
    """Return the children of a process that has answered; they stay the same, and to look for them takes a while."""
    try:
        return tuple(child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return ()


def _of(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        if marks:
            return int(marks[0]) / 1024
    except OSError:
        pass
    try:
        return float(psutil.Process(pid).memory_info().rss) / _MIB
    except psutil.Error:
        return None
