"""Another process that holds a lock of a cache."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from burn_verify.system.cache import Cache


@dataclass(frozen=True, slots=True)
class Holder:
    """The other process.

    Attributes:
        pid: its process id.
        release: makes it let go of the lock and end.
        mark: a file that it makes before it lets go.
    """

    pid: int
    release: Callable[[], None]
    mark: Path


@contextmanager
def held(cache: Cache, name: str) -> Iterator[Holder]:
    """Have a lock held by another process, until it is told to let go or the block ends."""
    mark = cache.root / f"{name}.done"
    script = (
        "import sys, pathlib; from burn_verify.system.cache import Cache\n"
        f"with Cache(pathlib.Path({str(cache.root)!r})).lock({name!r}):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
        f"    pathlib.Path({str(mark)!r}).touch()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "held\n"
            yield Holder(pid=other.pid, release=other.stdin.close, mark=mark)
        finally:
            other.stdin.close()
    assert other.returncode == 0
