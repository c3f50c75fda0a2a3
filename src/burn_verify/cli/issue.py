"""The command ``issue``: a folder that shows a failure to people who do not have burn-verify."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Final

from burn_verify.cli.common import (
    Commands,
    add_command,
    add_options,
    add_whose_fault,
    instruments_of,
    one_case,
    one_target,
    typed,
)
from burn_verify.cli.locate import FIELDS
from burn_verify.cli.reduce import CODES
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.target import Target
from burn_verify.core.text import without_numbers
from burn_verify.core.versions import BURN_ONNX, known
from burn_verify.expectations import packaged
from burn_verify.report.views.reduced import reduced_text
from burn_verify.run.search import Search
from burn_verify.ship.evidence import evidence_of
from burn_verify.ship.issue import files_of
from burn_verify.ship.package import require_absent, write_files
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Write a folder that can be sent upstream: the model made small (see reduce), inputs.npz and expected.npz, the generated
Rust, a report of one screen, and a cargo project with nothing but Burn in it: `cargo run` prints what is expected and
what comes, or how burn-onnx or rustc refuse the model (docs/locate.md)."""
_EXAMPLES: Final = """\
examples:
  burn-verify issue my.onnx                    the folder issue-my
  burn-verify issue squeezenet -o report
exit codes: 0 nothing is wrong, 1 written, 3 cannot say, or toolchain, 4 usage"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "issue", "write a folder that shows a failure to others", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--out", type=Path, metavar="DIR", help="the folder (default: issue-MODEL)")
    command.add_argument("--json", action="store_true", help="print what was kept and saved as one JSON object")
    add_whose_fault(command)
    add_options(command, FIELDS)
    command.set_defaults(run=_issue)


def _issue(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case, target = one_case(arguments.model, settings, cache), one_target(settings, cache)
    version = known(target.burn)
    if version.importer != BURN_ONNX:
        message = f"issue writes a project for burn-onnx, and Burn {version.burn} converts with {version.importer}"
        raise UsageError(message)
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", case.id.rpartition("/")[2])
    folder = arguments.out or Path(f"issue-{name}")
    require_absent(folder)
    with LongWork(sys.stderr) as work:
        search = Search(
            settings=settings,
            cache=cache,
            target=target,
            listen=work.listen,
            seams=arguments.seams,
            instruments=instruments_of(arguments, target),
        )
        found, evidence = evidence_of(case, search, lambda result: known_cases(result, target))
    if evidence is not None:
        write_files(folder, files_of(evidence))
    print(json.dumps(found.to_json()) if arguments.json else reduced_text(found, folder))
    return CODES[found.reduction]


def known_cases(result: CaseResult, target: Target) -> tuple[str, ...]:
    """Return the ids of the packaged expectations whose reason is that of a failure, at its stage.

    Wrong numbers all have one reason: there the id has to name an operator of the model.
    """
    reason = without_numbers(result.reason)
    alike = (
        entry.pattern
        for entry in packaged.load(target)
        if entry.stage is result.stage and reason and without_numbers(entry.reason) == reason
    )
    if result.stage is not Stage.COMPARE:
        return tuple(alike)
    words = [f"{before}{name}{after}" for name in result.op_types for before, after in (("/", "-"), ("test_", ""))]
    return tuple(pattern for pattern in alike if any(word.lower() in pattern.lower() for word in words))
