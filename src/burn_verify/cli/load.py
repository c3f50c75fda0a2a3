"""The command ``load``: many requests to a server of a verified model, every answer compared with the first."""

import argparse
import sys
from typing import Any, Final

from tabulate import tabulate

from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed
from burn_verify.core.errors import StageError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.target import HTTP_BINARY, HTTP_JSON
from burn_verify.report.views.latency import seconds
from burn_verify.ship.load import Loaded, load
from burn_verify.ship.proven import prove
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Verify a model by HTTP, then send its first inputs again and again to a server on this machine, from several clients at
once, and compare every answer with the first. Needs httpx: pip install 'burn-verify[serve]'."""
_EXAMPLES: Final = """\
examples:
  burn-verify load mnist                        1000 requests from 16 clients, as binary tensors
  burn-verify load mnist --json --requests 200  the same as JSON
exit codes: 0 all answers are alike, 1 one is not, or the model does not pass, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {"timeout", "memory_limit"}
_MOST: Final = 1_000_000


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "load", "put load on a server of a model", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("--requests", type=int, default=1000, metavar="N", help="how many (default: 1000)")
    command.add_argument("--clients", type=int, default=16, metavar="N", help="how many at once (default: 16)")
    command.add_argument("--json", action="store_true", help="tensors as JSON instead of binary data")
    add_options(command, _FIELDS)
    command.set_defaults(run=_load)


def _load(arguments: argparse.Namespace) -> int:
    for name, most in (("requests", _MOST), ("clients", 256)):
        if not 1 <= getattr(arguments, name) <= most:
            message = f"--{name}: a number from 1 to {most} is needed, not {getattr(arguments, name)}"
            raise UsageError(message)
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    via = HTTP_JSON if arguments.json else HTTP_BINARY
    try:
        with LongWork(sys.stderr) as work:
            proven = prove(settings, cache, case, arguments.seams, work.listen, via=via)
        program: Any = proven.ready.built.program
        headers, body = program.request(proven.inputs)
    except StageError as error:
        sys.stderr.write(f"burn-verify: {case.id} is not loaded: {error.stage}: {error.message}\n")
        return 1
    try:
        service = program.serve(max_requests=2 * arguments.clients)
        limits = {"requests": arguments.requests, "clients": arguments.clients}
        came = load(service.port, program.path, headers, body, pid=service.pid, **limits)
    finally:
        program.close()
    print(tabulate(_rows(came), tablefmt="plain", disable_numparse=True))
    return 0 if came.fine else 1


def _rows(came: Loaded) -> list[list[str]]:
    counts = sorted(came.statuses.items())
    statuses = ", ".join(f"{count} of status {status or 'none, no answer'}" for status, count in counts)
    rows = [
        ["answers", f"{statuses}; {came.differing} of another content than the first"],
        ["requests a second", f"{len(came.latencies) / came.seconds:.0f}"],
        *([f"p{round(100 * share)}", seconds(came.percentile(share))] for share in (0.5, 0.95, 0.99)),
    ]
    if came.forward is not None:
        rows.append(["in the model, mean", seconds(came.forward)])
    if None not in came.resident:
        rows.append(["memory before, after", " MiB, ".join(f"{one:.0f}" for one in came.resident) + " MiB"])
    return rows
