"""The command ``reduce``: the smallest model found that fails as another does."""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from burn_verify.cli.common import Commands, add_command, add_options, one_case, one_target, typed
from burn_verify.cli.locate import FIELDS
from burn_verify.core.case import ModelFile
from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.reduced import Reduction
from burn_verify.report.views.reduced import reduced_text
from burn_verify.run.kept import write_draft
from burn_verify.run.reduce import reduce
from burn_verify.run.search import Search
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Make a model small that fails at the same stage, for the same reason and by the same side as MODEL: fewer nodes,
outputs, operands and attributes, smaller sizes, plainer values, many candidates a compilation. The result is verified
once more, alone. Where the failure depends on values, they are stored beside it as a data set (docs/locate.md)."""
_EXAMPLES: Final = """\
examples:
  burn-verify reduce my.onnx -o tiny.onnx
  burn-verify verify tiny.onnx                the same failure
exit codes: 0 nothing is wrong, 1 reduced, 3 cannot say, or toolchain, 4 usage"""
CODES: Final = {
    Reduction.NOTHING_WRONG: 0,
    Reduction.REDUCED: 1,
    Reduction.UNREPEATED: 3,
    Reduction.UNKNOWN: 3,
}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "reduce", "make a small model that fails the same way", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the .onnx file to write")
    command.add_argument("--json", action="store_true", help="print what was kept and saved as one JSON object")
    add_options(command, FIELDS)
    command.set_defaults(run=_reduce)


def _reduce(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case, target = one_case(arguments.model, settings, cache), one_target(settings, cache)
    source = case.source
    if isinstance(source, ModelFile) and arguments.out.resolve() == source.path.resolve():
        message = f"-o {arguments.out} is the model itself: name another file"
        raise UsageError(message)
    if not arguments.out.absolute().parent.is_dir():
        message = f"-o {arguments.out}: there is no folder {arguments.out.parent}"
        raise UsageError(message)
    with LongWork(sys.stderr) as work:
        search = Search(settings=settings, cache=cache, target=target, listen=work.listen, seams=arguments.seams)
        found, draft = reduce(case, search)
        if draft is not None:
            try:
                write_draft(arguments.out, draft, search, found.stage)
            except OSError as error:
                message = f"{arguments.out} cannot be written: {error.strerror or error}"
                raise StoreError(message) from error
    print(json.dumps(found.to_json()) if arguments.json else reduced_text(found, arguments.out))
    return CODES[found.reduction]
