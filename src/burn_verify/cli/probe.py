"""The command ``probe``: one program that proves a verified model where it will live."""

import argparse
import sys
from pathlib import Path
from typing import Final

from burn_verify.burn.wasm import PLATFORM, missing_library
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed
from burn_verify.core.errors import StageError, ToolchainError
from burn_verify.core.options import settings_from
from burn_verify.core.ways import FULL, WEIGHTS
from burn_verify.ship.package import require_absent
from burn_verify.ship.probe import build, contents_of_probe, probe_files
from burn_verify.ship.proven import prove
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Verify a model, and build one program with its weights, the inputs, the expected answers and the bounds of this
verification. Where the program runs it needs neither Python nor ONNX Runtime nor a file beside it: it prints a line of
a record, and ends with 0 where the answers are within the bounds, else with 1."""
_EXAMPLES: Final = """\
examples:
  burn-verify probe mnist -o probe
  ./probe >> elsewhere.jsonl              on the machine where the model will run
  burn-verify probe mnist -o probe.wasm --platform wasm32-wasip1   the same for a host of WebAssembly
  burn-verify report run.jsonl elsewhere.jsonl --out site         the machine as a target beside this one
exit codes: 0 written, 1 the model does not pass, 3 toolchain, 4 usage"""
_HERE: Final = "native"
_FIELDS: Final = PLACES | {"timeout", "memory_limit"}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "build a program that proves a model where it will live"
    command = add_command(commands, "probe", short, _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="a file that is not there")
    command.add_argument(
        "--platform", choices=(_HERE, PLATFORM), default=_HERE, help="where it will run (default: like this machine)"
    )
    command.add_argument("--weights", choices=WEIGHTS, default=FULL, help="how they are stored (default: full)")
    add_options(command, _FIELDS)
    command.set_defaults(run=_probe)


def _probe(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    output: Path = arguments.output
    require_absent(output)
    wasm = arguments.platform == PLATFORM
    if wasm and (why := missing_library()):
        raise ToolchainError(why)
    cache = arguments.seams.cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    try:
        with LongWork(sys.stderr) as work:
            proven = prove(settings, cache, case, arguments.seams, work.listen, weights=arguments.weights)
            files = probe_files(proven, contents_of_probe(proven), wasm=wasm)
            build(files, cache, proven, output, work.listen, wasm=wasm)
    except StageError as error:
        sys.stderr.write(f"burn-verify: {case.id} is not probed: {error.stage}: {error.message}\n")
        return 1
    print(f"{output}: {case.id} {proven.result.verdict}, {output.stat().st_size / 1e6:.1f} MB")
    return 0
