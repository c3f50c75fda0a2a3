"""The command ``locate``: the first node whose output leaves its bound when it is fed right inputs."""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from burn_verify.cli.common import (
    PLACES,
    Commands,
    add_command,
    add_options,
    add_whose_fault,
    instruments_of,
    one_case,
    one_target,
    typed,
    write_file,
)
from burn_verify.core.located import Finding
from burn_verify.core.options import settings_from
from burn_verify.report.views.located import located_text
from burn_verify.report.views.node_data import node_data
from burn_verify.run.locate import locate
from burn_verify.run.search import Search
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Find the node with which a model starts to fail. Each node becomes a small model that is fed ONNX Runtime's values, so
that errors do not add up: alone, with the nodes that compute its shapes, and in pairs. What is found is proved by
running the rest of the model with ONNX Runtime's values in place of the node's. Refusals of burn-onnx and rustc, and
panics, are located the same way. Without a wrong node the table shows where the error grows (docs/locate.md).
With --whose-fault it is also asked whether the importer is wrong, or a kernel."""
_EXAMPLES: Final = """\
examples:
  burn-verify locate my.onnx                   the first wrong node
  burn-verify locate squeezenet --output conv1 only what this value is computed from
  burn-verify locate my.onnx --whose-fault     importer or kernel
  burn-verify locate my.onnx --json            everything that was found, for programs
exit codes: 0 nothing is wrong, 1 a node is found, 3 cannot say, or toolchain, 4 usage"""
FIELDS: Final = PLACES | {
    *("timeout", "memory_limit", "judge", "judge_timeout", "simplify", "partition"),
    *("burn_backend", "burn_version", "burn_path", "burn_onnx_path", "burn_hooks"),
}
"""Fields of the options of the commands that cut or change one model on one target."""
CODES: Final = {Finding.NOTHING_WRONG: 0, Finding.NODE: 1, Finding.HIDDEN: 1, Finding.AMPLIFIED: 3, Finding.UNKNOWN: 3}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "locate", "find the first node of a model that is wrong", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("--output", metavar="NAME", help="an output, or any value: try only what it is computed from")
    command.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    command.add_argument(
        "--node-data", type=Path, metavar="FILE", help="write the error of each node as node data for Model Explorer"
    )
    add_whose_fault(command)
    add_options(command, FIELDS)
    command.set_defaults(run=_locate)


def _locate(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case, target = one_case(arguments.model, settings, cache), one_target(settings, cache)
    with LongWork(sys.stderr) as work:
        search = Search(
            settings=settings,
            cache=cache,
            target=target,
            listen=work.listen,
            seams=arguments.seams,
            instruments=instruments_of(arguments, target),
        )
        found = locate(case, search, arguments.output)
    if arguments.node_data is not None:
        write_file(arguments.node_data, node_data(found) + "\n")
    print(json.dumps(found.to_json()) if arguments.json else located_text(found))
    return CODES[found.finding]
