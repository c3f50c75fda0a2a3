"""The command ``serve``: a server of a verified model, with Furnace's API and KServe v2."""

import argparse
import socket
import sys
from typing import Any, Final

from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed
from burn_verify.core.errors import BurnVerifyError, ProcessDied, StageError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.target import HTTP_BINARY
from burn_verify.ship.proven import prove
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Verify a model by HTTP, then serve it until Ctrl-C or SIGTERM. A model that does not pass is not served.

  GET  /health, /healthz, /readyz, /model/info, /metrics
  POST /predict                       {"input": [...]}, {"inputs": [[...], ...]}, or raw float32 with X-Batch-Size
  GET  /v2, /v2/health/live, /v2/health/ready, /v2/models/NAME, /v2/models/NAME/ready
  POST /v2/models/NAME/infer          KServe v2, tensors as JSON or as binary data

An answer without success is JSON with the fields error, code and status."""
_EXAMPLES: Final = """\
examples:
  burn-verify serve mnist --port 3000
  curl localhost:3000/v2/models/mnist-12
exit codes: 0 ended by Ctrl-C or SIGTERM, 1 the model does not pass, 2 the server failed, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {"timeout", "memory_limit"}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "serve", "serve a verified model over HTTP", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    numbers = (
        ("--port", "N", 3000, "0 for a free one (default: 3000)"),
        ("--max-body", "BYTES", 64_000_000, "what a request may hold (default: 64000000)"),
        ("--max-requests", "N", 64, "how many requests may wait at once (default: 64)"),
        ("--read-seconds", "SECONDS", 10, "how long a request may take to arrive (default: 10)"),
        ("--answer-seconds", "SECONDS", 60, "how long the model may take to answer (default: 60)"),
    )
    for flag, metavar, default, text in numbers:
        command.add_argument(flag, type=int, default=default, metavar=metavar, help=text)
    add_options(command, _FIELDS)
    command.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    _require_free(arguments.host, arguments.port)
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    try:
        with LongWork(sys.stderr) as work:
            proven = prove(settings, cache, case, arguments.seams, work.listen, via=HTTP_BINARY)
    except StageError as error:
        sys.stderr.write(f"burn-verify: {case.id} is not served: {error.stage}: {error.message}\n")
        return 1
    program: Any = proven.ready.built.program
    service = program.serve(**options)
    try:
        print(f"{case.id} {proven.result.verdict}; http://{arguments.host}:{service.port}{program.path}", flush=True)
        code: int = service.wait()
    except KeyboardInterrupt:
        return 0
    except ProcessDied as death:
        message = f"{death.message}; is port {arguments.port} of {arguments.host} free?"
        raise BurnVerifyError(message) from death
    finally:
        program.close()
    message = f"the server ended by itself, with exit code {code}"
    raise BurnVerifyError(message)


def _require_free(host: str, port: int) -> None:
    """Check that the server can listen, before the model is verified.

    Raises:
        UsageError: it cannot; the message says why.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listening:
            # As the server does: what ended lately is not in the way.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        message = f"port {port} of {host} cannot be listened on: {error.strerror or error}; --port 0 takes a free one"
        raise UsageError(message) from error


def _options(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the options of the server.

    Raises:
        UsageError: a number is out of its range.
    """
    limits = {"port": (0, 65535), "max_body": (1, 1 << 40), "max_requests": (1, 1 << 16)}
    limits |= {"read_seconds": (1, 86400), "answer_seconds": (1, 86400)}
    for name, (low, high) in limits.items():
        value = getattr(arguments, name)
        if not low <= value <= high:
            message = f"--{name.replace('_', '-')}: a number from {low} to {high} is needed, not {value}"
            raise UsageError(message)
    return {"host": arguments.host, **{name: getattr(arguments, name) for name in limits}}
