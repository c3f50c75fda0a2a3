"""The memory that a process had at most."""

from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1 << 20


def peak(pid: int | None) -> float | None:
    """Return MiB that a process had resident at most; where the system keeps no such mark, what it has now.

    None where there is no such process.
    """
    if pid is None:
        return None
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
