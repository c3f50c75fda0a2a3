"""The command ``burn-verify compare``: the answers of two sides to the same inputs.

Compiles nothing: answers were kept by a run, or ONNX Runtime gives them.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from burn_verify.cli.common import Commands, add_command, add_options, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.report.views.comparison import comparison_text
from burn_verify.run.comparing import compare
from burn_verify.system.console import LongWork

_DESCRIPTION: Final = """\
Compare two sides, output by output, by the judge of a run (docs/compare.md). A side is a folder that
'burn-verify verify MODEL --keep-outputs DIR' wrote, or an .onnx file, which ONNX Runtime answers on the
inputs of the other side. Two files: on the inputs that a run of A would feed.

Outputs go together by name, else by place. What has other inputs is told, and not compared."""
_EXAMPLES: Final = """\
examples:
  burn-verify compare before/ after/            two runs that kept their answers
  burn-verify compare kept/ model.onnx          what Burn answered, and ONNX Runtime to the same inputs
  burn-verify compare model.onnx simplified.onnx    before and after a simplifier, a quantiser, an exporter
exit codes: 0 all outputs agree, 1 one differs or could not be compared, 4 usage"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "compare", "compare two models, or kept answers", _DESCRIPTION, _EXAMPLES)
    command.add_argument("a", type=Path, metavar="A", help="a folder of kept answers, or an .onnx file")
    command.add_argument("b", type=Path, metavar="B", help="the same; judged against A")
    command.add_argument(
        "--answers",
        choices=("burn", "reference"),
        default="burn",
        help="whose answers in a folder count: Burn's, or those that they were compared with (default: burn)",
    )
    add_options(command, {"cache_dir", "timeout", "memory_limit", "judge", "judge_timeout"})
    command.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    for path in (arguments.a, arguments.b):
        if not path.exists():
            message = f"{path}: no such file or folder"
            raise UsageError(message)
    with LongWork(sys.stderr) as work:
        found = compare(
            (arguments.a, arguments.b),
            settings_from(typed(arguments)),
            answers=arguments.answers,
            listen=work.listen,
            seams=arguments.seams,
        )
    print(comparison_text(found))
    return 0 if found.agrees else 1
