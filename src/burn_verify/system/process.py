"""A command run to its end, its output handed out line by line. Knows nothing of what is run.

With `resident` the only importer of `subprocess`.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

logger = logging.getLogger("burn_verify")


def stream(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_stdout: Callable[[str], None],
    on_stderr: Callable[[str], None],
) -> int:
    r"""Run a command to its end and return its exit code.

    Lines of stdout end at ``\n``; those of stderr at ``\n`` or ``\r``, as progress bars write them. Whatever ends this
    call early, Ctrl-C included, ends the command and all that it started.
    """
    logger.info("+ %s", " ".join(argv))
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    pump = threading.Thread(target=_pump, args=(process.stderr, on_stderr, b"\r"), daemon=True)
    try:
        pump.start()
        _pump(process.stdout, on_stdout, b"")
        code = process.wait()
        pump.join()
        return code
    finally:
        if process.poll() is None:
            kill_group(process)
        pump.join(timeout=5)
        process.stdout.close()
        process.stderr.close()


def output_of(argv: Sequence[str]) -> str | None:
    """Return what a short command prints, or None where it is missing or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _pump(pipe: IO[bytes], sink: Callable[[str], None], also_ends_a_line: bytes) -> None:
    rest = b""
    while chunk := os.read(pipe.fileno(), 65536):
        if also_ends_a_line:
            chunk = chunk.replace(also_ends_a_line, b"\n")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            sink(line.decode("utf-8", "replace"))
    if rest:
        sink(rest.decode("utf-8", "replace"))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
