"""A child process that serves on a port of this machine until it is closed. Independent of what it serves."""

import contextlib
import http.client
import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Final

from burn_verify.core.errors import ProcessDied
from burn_verify.core.stage import FailureKind
from burn_verify.system.process import kill_group
from burn_verify.system.signals import held

_START: Final = 30.0
_GRACE: Final = 12.0


class Service:
    """A process that prints a line of JSON with its ``port`` when it listens, and ends when its stdin closes.

    Started by the first request, and again after it died. What it asked for memory, and what it wrote to stderr, is
    its own.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._connection: http.client.HTTPConnection | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server; None where none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def port(self) -> int:
        """The port that it listens on; the server is started if it does not run.

        Raises:
            ProcessDied: it did not start.
        """
        if self.pid is None:
            self._start()
        return self._port

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request and return status, headers by name in lower case, and body.

        Raises:
            ProcessDied: there is no answer; the server is ended, and the next request starts another.
        """
        port = self.port
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except TimeoutError as error:
            self.close()
            msg = f"no answer by HTTP within {timeout:g} s"
            raise ProcessDied(msg, FailureKind.TIMEOUT) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            msg = f"the connection to the server broke: {error}"
            raise ProcessDied(msg, FailureKind.PROTOCOL) from error

    def wait(self) -> int:
        """Wait until the server ends by itself, and return its exit code.

        Raises:
            ProcessDied: it does not start.
        """
        assert self.port
        process = self._process
        assert process is not None
        return process.wait()

    def close(self) -> None:
        """End the server, if one runs; it may finish what it is answering."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            kill_group(process)

    def _start(self) -> None:
        self.close()
        try:
            with held():
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
        except OSError as error:
            msg = f"the server cannot be started: {error}"
            raise ProcessDied(msg, FailureKind.NOT_STARTED) from error
        line = self._first_line(time.monotonic() + _START)
        try:
            self._port = int(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError):
            self.close()
            message = f"the server says {line[:80]!r} instead of its port"
            raise ProcessDied(message, FailureKind.NOT_STARTED) from None

    def _first_line(self, deadline: float) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not chunk:
                break
            line += chunk
        return line
