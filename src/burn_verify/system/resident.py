"""A child process that responds to framed requests and may crash. Independent of the content of requests."""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from burn_verify.core.errors import ProcessDied
from burn_verify.core.stage import FailureKind
from burn_verify.system.process import kill_group, logger
from burn_verify.system.signals import LOOK, check, held
from burn_verify.system.wire import PREFIX, VERSION, pack, unpack_header, unpack_prefix

try:
    import resource
except ImportError:  # pragma: no cover - not on Windows
    resource = None  # type: ignore[assignment]

_CHUNK = 1 << 20
_LOG_TAIL = 4000
_START_TIMEOUT = 60.0
_GIVE_UP_AFTER = 20
_OUT_OF_MEMORY = (
    "memory allocation of",
    "bad_alloc",
    "MemoryError",
    "Cannot allocate memory",
    "cannot allocate memory",
    "failed to map segment",
)
_SENT: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
# Signals that are sent from outside a process, not raised by its own fault.
# With a memory limit: the stack of a new thread exceeds it. Without a limit, thread creation fails for other reasons.
_NO_THREAD = "Resource temporarily unavailable"


MOST_AT_ONCE: Final = 32 << 10
"""Bytes of several requests that are sent before the first response is read; a pipe holds 64 KiB."""


class Resident:
    """A child process that responds to one framed request at a time; started on demand, and again after a crash.

    Attributes:
        role: the name that the process must send in the handshake.

    Arguments:
        start_timeout: seconds until the handshake.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        role: str,
        log: Path,
        memory_limit_mib: int = 0,
        env: Mapping[str, str] | None = None,
        start_timeout: float = _START_TIMEOUT,
    ) -> None:
        self.role = role
        self._start_timeout = start_timeout
        self._argv = list(argv)
        self._log_path = log
        self._memory_limit = memory_limit_mib << 20
        self._env = dict(os.environ if env is None else env)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._log_start = 0
        self._sequence = 0
        self._deaths_in_a_row = 0
        self._closed = False
        self._turn = threading.RLock()  # held for as long as a request takes
        self._guard = threading.Lock()  # no process is started once `_closed` is set

    def request(
        self, header: Mapping[str, Any], payload: bytes = b"", *, timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its response, at most `timeout` seconds.

        Raises:
            ProcessDied: there is no response; the process was terminated and the next request starts another.
        """
        return self.request_all([(header, payload)], timeout=timeout)[0]

    def request_all(
        self, requests: Sequence[tuple[Mapping[str, Any], bytes]], *, timeout: float
    ) -> list[tuple[dict[str, Any], bytes]]:
        """Send several requests at once and wait for all their responses, at most `timeout` seconds.

        Several requests together must fit into a pipe (`MOST_AT_ONCE` bytes): the process may be blocked while it
        writes a response that is not read yet.

        Raises:
            ProcessDied: a response is missing; it is unknown for which request.
        """
        with self._turn:
            self._start()
            first = self._sequence + 1
            self._sequence += len(requests)
            frames = [
                pack({**header, "id": first + place}, payload) for place, (header, payload) in enumerate(requests)
            ]
            self._log_start = self._log_path.stat().st_size
            deadline = time.monotonic() + timeout
            answers = []
            with self._blaming(f"no answer within {timeout:g} s"):
                self._write(b"".join(frames), deadline)
                for place in range(len(requests)):
                    answer, data = self._read_frame(deadline)
                    _expect(answer, id=first + place)
                    _check_answer(answer)
                    answers.append((answer, data))
            self._deaths_in_a_row = 0
            return answers

    @property
    def pid(self) -> int | None:
        """The id of the current process, None before the first request and after `end`."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """Terminate the process permanently: a pending request on another thread fails, and no process is started."""
        with self._guard:
            self._closed = True
            process = self._process
        if process is not None:
            kill_group(process)
        # A thread that waits for a response must fail first, so that no thread reads from a closed pipe.
        with self._turn:
            self.end()

    def end(self) -> None:
        """Terminate the process, if there is one; the next request starts another."""
        if self._process is not None:
            kill_group(self._process)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _start(self) -> None:
        if self._process is not None:
            return
        if self._deaths_in_a_row >= _GIVE_UP_AFTER:
            message = f"the {self.role} died {self._deaths_in_a_row} times in a row and is not started again"
            raise ProcessDied(message, FailureKind.NOT_STARTED, self._tail())
        logger.info("+ %s", " ".join(self._argv))
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._log_path.open("ab")
        self._log_start = self._log_path.stat().st_size
        try:
            with held(), self._guard:
                if self._closed:
                    message = f"the {self.role} was closed"
                    raise ProcessDied(message, FailureKind.CLOSED)
                self._process = subprocess.Popen(
                    self._argv,
                    env=self._env,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    start_new_session=True,
                    bufsize=0,
                )
        except ProcessDied:
            self.end()
            raise
        except OSError as error:
            self.end()
            message = f"the {self.role} cannot be started: {error}"
            raise ProcessDied(message, FailureKind.NOT_STARTED) from error
        self._limit_memory(self._process.pid)
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        try:
            with self._blaming(f"the {self.role} did not start within {self._start_timeout:g} s"):
                hello, _ = self._read_frame(time.monotonic() + self._start_timeout)
                _expect(hello, protocol=VERSION, role=self.role)
        except ProcessDied as death:
            # It has not received a request yet, so the failure is not a model's.
            kind = FailureKind.NOT_STARTED if death.kind is FailureKind.EXITED else death.kind
            raise ProcessDied(death.message, kind, death.log) from death

    def _limit_memory(self, pid: int) -> None:
        if self._memory_limit and hasattr(resource, "prlimit"):
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_AS, (self._memory_limit, self._memory_limit))

    @contextlib.contextmanager
    def _blaming(self, too_slow: str) -> Iterator[None]:
        """Terminate the process and raise `ProcessDied` with the cause, for any error of communication."""
        try:
            yield
        except TimeoutError:
            death = FailureKind.TIMEOUT, too_slow
        except ValueError as error:
            death = FailureKind.PROTOCOL, f"the {self.role} broke the protocol: {error}"
        except (EOFError, BrokenPipeError):
            death = self._cause_of_death()
        except BaseException:
            self.end()
            raise
        else:
            return
        self._deaths_in_a_row += 1
        tail = self._tail()
        self.end()
        kind, message = death
        raise ProcessDied(message, kind, tail)

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        view = memoryview(data)
        while view:
            _wait(deadline, writable=pipe)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(pipe, view[:_CHUNK]) :]

    def _read_frame(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        header_len, payload_len = unpack_prefix(self._read(PREFIX.size, deadline))
        header = unpack_header(self._read(header_len, deadline))
        return header, self._read(payload_len, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        # Grown as bytes arrive, so that a header with a wrong length allocates no memory.
        data = bytearray()
        while len(data) < size:
            _wait(deadline, readable=pipe)
            chunk = os.read(pipe, min(_CHUNK, size - len(data)))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _cause_of_death(self) -> tuple[FailureKind, str]:
        assert self._process is not None
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return FailureKind.PROTOCOL, f"the {self.role} closed its output and went on"
        tail = self._tail()
        if "has overflowed its stack" in tail:
            return FailureKind.KILLED, "stack overflow"
        if any(sign in tail for sign in _OUT_OF_MEMORY) or (self._memory_limit and _NO_THREAD in tail):
            return FailureKind.MEMORY, f"out of memory (limit {self._memory_limit >> 20} MiB)"
        if code < 0:
            name = signal.Signals(-code)
            kind = FailureKind.ENDED_FROM_OUTSIDE if name in _SENT else FailureKind.KILLED
            return kind, f"the process was ended by {name.name}"
        return FailureKind.EXITED, f"the process ended with exit code {code}"

    def _tail(self) -> str:
        """Return the end of what the process wrote to stderr since the request began."""
        if not self._log_path.exists():
            return ""
        with self._log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - _LOG_TAIL))
            return log.read().decode("utf-8", "replace").strip()


def _expect(header: Mapping[str, Any], **fields: Any) -> None:
    """Check fields of a header.

    Raises:
        ValueError: one of them has another value.
    """
    for name, value in fields.items():
        if header.get(name) != value:
            msg = f"{name} {value!r} was expected, {header.get(name)!r} came"
            raise ValueError(msg)


def _check_answer(header: Mapping[str, Any]) -> None:
    """Check that a response has a status, and a message in case of an error.

    Raises:
        ValueError: one of them is missing.
    """
    ok = header.get("ok")
    if not isinstance(ok, bool) or not (ok or isinstance(header.get("message"), str)):
        msg = "an answer is ok or has a message, this one is neither"
        raise ValueError(msg)


def _wait(deadline: float, *, readable: int | None = None, writable: int | None = None) -> None:
    """Wait until a pipe is ready.

    Raises:
        TimeoutError: the deadline passed before.
    """
    reading = [] if readable is None else [readable]
    writing = [] if writable is None else [writable]
    while (remaining := deadline - time.monotonic()) > 0:
        if any(select.select(reading, writing, [], min(remaining, LOOK))):
            return
        check()
    raise TimeoutError
