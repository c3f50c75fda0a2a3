"""The command ``package``: a crate that loads a verified model, and proves it again with ``cargo test``."""

import argparse
import sys
from pathlib import Path
from typing import Final

from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed
from burn_verify.core.errors import StageError
from burn_verify.core.options import settings_from
from burn_verify.core.ways import FULL, WEIGHTS
from burn_verify.ship.crate import Load
from burn_verify.ship.package import contents_of, crate_name, require_absent, write
from burn_verify.ship.proven import prove
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Verify a model, and write a crate that loads it: typed inputs and outputs, the weights, an example that reads .npz
files, and a test with the inputs, the answers and the bounds of this verification. A model that does not pass is not
packaged.
"""
_EXAMPLES: Final = """\
examples:
  burn-verify package mnist -o mnist-model                        the weights inside the program
  burn-verify package my.onnx -o my-model --load file             the weights beside it
  burn-verify package my.onnx -o my-model --weights half          about half the bytes, float16
  burn-verify package my.onnx -o my-model --pregenerated          no ONNX file and no burn-onnx in the crate
  cd my-model && cargo test --offline                             is it still what was verified?
exit codes: 0 written, 1 the model does not pass, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {"timeout", "memory_limit"}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "package", "write a crate that loads a verified model", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="a folder that is not there")
    command.add_argument("--load", choices=list(Load), default=Load.EMBEDDED, help="where the weights are")
    command.add_argument("--weights", choices=WEIGHTS, default=FULL, help="how they are stored (default: full)")
    command.add_argument(
        "--pregenerated", action="store_true", help="put the generated Rust into the crate, instead of a build.rs"
    )
    add_options(command, _FIELDS)
    command.set_defaults(run=_package)


def _package(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    folder: Path = arguments.output
    require_absent(folder)
    cache = arguments.seams.cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    try:
        with LongWork(sys.stderr) as work:
            proven = prove(settings, cache, case, arguments.seams, work.listen, weights=arguments.weights)
        contents = contents_of(proven, crate_name(folder), Load(arguments.load), pregenerated=arguments.pregenerated)
    except StageError as error:
        sys.stderr.write(f"burn-verify: {case.id} is not packaged: {error.stage}: {error.message}\n")
        return 1
    write(folder, contents)
    print(f"{folder}: {case.id} {proven.result.verdict}; prove it again with: cargo test --offline")
    return 0
