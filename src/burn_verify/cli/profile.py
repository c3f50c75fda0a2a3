"""The command ``profile``: where the time of a model goes, found by truncating it at successive nodes.

Each prefix goes through the whole pipeline, verdict included; see `prefixes` for what the differences say.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from tabulate import tabulate

from burn_verify.cases.load import prepare
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.graph import truncate
from burn_verify.graph.truncate import Prefix, Segment, Timed
from burn_verify.report.views.latency import seconds
from burn_verify.run.models import Model, models
from burn_verify.run.seams import Seams
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Truncate a model at successive nodes, time every prefix beside ONNX Runtime, and name the five places that add most to
Burn's time. A place adds the difference of two medians; a difference below the spread of the calls is in the table, but
not named."""
_EXAMPLES: Final = """\
examples:
  burn-verify profile squeezenet               24 places, some minutes
  burn-verify profile my.onnx --cuts 8         fewer places, each of several nodes
exit codes: 0 done, 1 a prefix could not be timed, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {"timeout", "memory_limit", "simplify", "partition", "threads"}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "profile", "show which nodes of a model take the time", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument(
        "--cuts", type=int, default=truncate.MOST, metavar="N", help=f"places (default: {truncate.MOST})"
    )
    add_options(command, _FIELDS)
    command.set_defaults(run=_profile)


def _profile(arguments: argparse.Namespace) -> int:
    import onnx

    if arguments.cuts < 1:
        message = f"--cuts: at least one place is needed, not {arguments.cuts}"
        raise UsageError(message)
    settings = settings_from({**typed(arguments), "latency": "on"})
    cache = Cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    prefixes = truncate.prefixes(onnx.load(prepare(case, cache).model), arguments.cuts)
    timed, untimed = _timed(settings, cache, case, prefixes, arguments.seams)
    made = truncate.segments(timed, prefixes)
    print(_table(made))
    print(f"\nthe slowest of {case.id}:")
    for segment in truncate.slowest(made):
        print(f"  {_place(segment)}: {seconds(segment.burn)}{_beside(segment)}")
    for line in untimed:
        sys.stderr.write(f"burn-verify: {line}\n")
    return 1 if untimed else 0


def _timed(
    settings: Settings, cache: Cache, case: Case, prefixes: Sequence[Prefix], seams: Seams
) -> tuple[list[Timed], list[str]]:
    """Return the prefixes that could be timed, and a line for each of the others."""
    done: list[Timed] = []
    untimed: list[str] = []
    named = {f"{case.id} to node {prefix.last}": prefix for prefix in prefixes}
    wanted = [Model(name=name, model=prefix.model, hints=case.hints) for name, prefix in named.items()]
    with LongWork(sys.stderr) as work:
        found = models(wanted, settings, cache=cache, listen=work.listen, seams=seams)
    for name, prefix in named.items():
        result = found[name].result
        latency = result.latency
        if latency is None or latency.burn is None:
            why = latency.why if latency is not None else result.message.partition("\n")[0]
            untimed.append(f"{name} was not timed: {why}")
            continue
        steady, runtime = latency.burn.steady, latency.onnxruntime
        other = runtime.steady.median if runtime else None
        done.append(Timed(prefix=prefix, burn=steady.median, onnxruntime=other, iqr=steady.iqr))
    return done, untimed


def _table(made: Sequence[Segment]) -> str:
    rows = [
        [
            _place(segment),
            _signed(segment.burn),
            "" if segment.onnxruntime is None else _signed(segment.onnxruntime),
            "below the noise" if segment.below_noise else "",
        ]
        for segment in made
    ]
    return tabulate(rows, headers=["nodes", "Burn", "ONNX Runtime", ""], colalign=("left", "right", "right", "left"))


def _place(segment: Segment) -> str:
    nodes = f"{segment.first}" if segment.first == segment.last else f"{segment.first} to {segment.last}"
    return f"{nodes} ({', '.join(segment.op_types)})"


def _beside(segment: Segment) -> str:
    return "" if segment.onnxruntime is None else f", ONNX Runtime {_signed(segment.onnxruntime)}"


def _signed(value: float) -> str:
    return f"-{seconds(-value)}" if value < 0 else seconds(value)
