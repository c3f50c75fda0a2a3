"""The command ``round-trip``: compiled models are written as ONNX again and run by ONNX Runtime."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from burn_verify.cli.common import (
    PLACES,
    Commands,
    add_command,
    add_options,
    one_target,
    other_backend,
    typed,
    write_file,
)
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.report.views.round_trip import end_of, is_decided, is_finding, round_trip_page
from burn_verify.run.session import Session
from burn_verify.run.travelling import rounds
from burn_verify.system.console import LongWork

_TEXT: Final = """\
ONNX -> Burn -> ONNX: what a compiled model computes is recorded and written as ONNX by burn-onnx's exporter, and ONNX
Runtime's answers to that are judged. It verifies the exporter; and of a model that fails it says whose fault that is:
where what was written is right, a kernel is wrong, else the importer. Cases that fail are run on another backend too.
The exporter writes few operators (docs/locate.md). Burn with the exporter is compiled once, in some minutes."""
_EXAMPLES: Final = """\
examples:
  burn-verify round-trip mnist squeezenet
  burn-verify round-trip --conformance node --out round-trip.md --lines round-trip.jsonl
exit codes: 0 the exporter is right wherever it writes, 1 it is wrong somewhere, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {
    *("conformance", "timeout", "memory_limit", "judge", "judge_timeout", "simplify", "partition"),
    *("burn_backend", "burn_version"),
}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(
        commands, "round-trip", "write compiled models as ONNX again, and verify that", _TEXT, _EXAMPLES
    )
    command.add_argument(
        "models", nargs="*", metavar="MODEL", help="a name (see list), an .onnx file, a glob or a folder"
    )
    add_options(command, _FIELDS)
    command.add_argument("--one-backend", action="store_true", help="do not run failing cases on another backend")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the page as Markdown")
    command.add_argument("--lines", type=Path, metavar="FILE", help="write a JSON line for each case")
    command.set_defaults(run=_round_trip)


def _round_trip(arguments: argparse.Namespace) -> int:
    settings = replace(settings_from(typed(arguments)), models=tuple(arguments.models))
    if not settings.selects:
        message = "nothing is selected: name models, or say --conformance"
        raise UsageError(message)
    cache = arguments.seams.cache(settings.cache_dir)
    target = one_target(settings, cache)
    other = None if arguments.one_backend else replace(target, backend=other_backend(target))
    with LongWork(sys.stderr) as work:
        session = Session.open(settings, work.listen, targets=[target], seams=arguments.seams)
        cases = session.selected.cases
        session.close()
        seams = arguments.seams
        found = rounds(cases, settings, cache, listen=work.listen, seams=seams, target=target, other=other)
    lines = [json.loads(json.dumps(one.line)) for one in found]
    if arguments.lines is not None:
        write_file(arguments.lines, "".join(json.dumps(line) + "\n" for line in lines))
    if arguments.out is not None:
        write_file(arguments.out, round_trip_page(lines, "burn-verify round-trip"))
    written = [line for line in lines if line["trip"] and line["trip"]["written"]]
    right = sum(end_of(line) == "right" for line in written)
    failing = [line for line in lines if line["trip"] and line["fault"]]
    print(f"{len(lines)} cases, {len(written)} exported, {right} of these right as Burn's own answers are")
    print(f"{len(failing)} run and fail, of {sum(map(is_decided, failing))} it is known whose fault that is")
    findings = [line for line in lines if is_finding(line)]
    for line in findings:
        print(f"exporter wrong: {line['case']}: {line['trip']['obstacle'] or line['trip']['difference']}")
    return 1 if findings else 0
