"""Execution of a command, with its output line by line. Independent of the command.

Only this module and `resident` import `subprocess`.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

from burn_verify.core.errors import CommandFailed
from burn_verify.system.signals import LOOK, check, held

logger = logging.getLogger("burn_verify")

_LOG_TAIL: Final = 4000


class Commands:
    """Commands that run concurrently, each on its own thread, and that are terminated together.

    Ctrl-C raises in the main thread only, which terminates the commands that the other threads wait for.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False
        self._guard = threading.Lock()  # no command is started once `_ended` is set

    def end(self) -> None:
        """Terminate every command and its children; none is started afterwards."""
        with self._guard:
            self._ended = True
            running = tuple(self._running)
        for process in running:
            kill_group(process)

    @contextlib.contextmanager
    def started(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command; terminate it and its children at the end of the block.

        Raises:
            CommandFailed: `end` was called before.
        """
        process: subprocess.Popen[bytes] | None = None
        try:
            with held(), self._guard:
                if self._ended:
                    raise CommandFailed(" ".join(argv[:2]), "the run is over", "the run is over")
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
                self._running.add(process)
            yield process
        finally:
            if process is not None:
                if process.poll() is None:
                    kill_group(process)
                self._running.discard(process)


def stream(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_stdout: Callable[[str], None],
    on_stderr: Callable[[str], None],
    among: Commands | None = None,
) -> int:
    r"""Run a command to its end and return its exit code.

    Lines of stdout end at ``\n``; those of stderr at ``\n`` or ``\r``, as progress bars write them. An exception
    during the call, including Ctrl-C, terminates the command and its children.

    Arguments:
        among: commands that this one is terminated with.
    """
    logger.info("+ %s", " ".join(argv))
    with (among or Commands()).started(argv, cwd, env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        pump = threading.Thread(target=_pump, args=(process.stderr, on_stderr, b"\r"), daemon=True)
        try:
            with held():  # a thread whose start was interrupted cannot be joined
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


def output_of(argv: Sequence[str], *, timeout: float | None = 60.0) -> str:
    """Return the stdout of a short command.

    Arguments:
        timeout: seconds after which it is terminated; None for no limit.

    Raises:
        CommandFailed: it is missing, timed out, or failed; with its output.
    """
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        why, code, words = f"no answer within {timeout:g} s", None, _words(error.stderr, error.stdout)
    except OSError as error:
        why, code, words = f"it cannot be started: {error.strerror or error}", None, ""
    else:
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace").strip()
        why, code, words = ending(done.returncode), done.returncode, _words(done.stderr, done.stdout)
    # The output of a command that exited by itself is more specific than its exit code.
    summary = in_one_line(words) if words and code is not None and code > 0 else why
    failed = CommandFailed(" ".join(argv[:2]), words or why, summary, code)
    logger.info("%s failed (%s): %s", " ".join(argv), why, failed.words)
    raise failed


def in_one_line(words: str) -> str:
    """Return the first error in the output of a command, with its causes in cargo's format; else its last line.

    Arguments:
        words: the whole output.
    """
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    first = next((place for place, line in enumerate(lines) if line.startswith(("error", "fatal:"))), len(lines) - 1)
    causes = [line for before, line in pairwise(lines[first:]) if before == "Caused by:"]
    return ": ".join([*lines[first : first + 1], *causes])


def _words(*outputs: bytes | None) -> str:
    """Return the end of the first of a command's outputs that is not empty."""
    texts = ((output or b"")[-_LOG_TAIL:].decode("utf-8", "replace").strip() for output in outputs)
    return next(filter(None, texts), "")


def ending(code: int) -> str:
    """Return a description of a process's exit code; the code is negative for a signal."""
    return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _pump(pipe: IO[bytes], sink: Callable[[str], None], also_ends_a_line: bytes) -> None:
    rest = b""
    while chunk := _read(pipe.fileno()):
        if also_ends_a_line:
            chunk = chunk.replace(also_ends_a_line, b"\n")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            sink(line.decode("utf-8", "replace"))
    if rest:
        sink(rest.decode("utf-8", "replace"))


def _read(pipe: int) -> bytes:
    """Wait until a pipe has bytes, and return some; none at its end."""
    while not any(select.select([pipe], [], [], LOOK)):
        check()
    return os.read(pipe, 65536)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process and its children, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
