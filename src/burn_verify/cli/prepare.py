"""The command ``burn-verify prepare``: rewrite a model that Burn refuses until it agrees, and prove every step.

`run.prepare` does it; this reads the options, and writes and prints what came of it.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from burn_verify.cases.load import prepare
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, targets_of, typed, write_file
from burn_verify.cli.written import PREPARED, annotate, bytes_of, check_files, prepare_note, write_model
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.prepared import Prepared, Proof, Status
from burn_verify.core.target import Target
from burn_verify.report.views.prepared import prepared_json, prepared_markdown, prepared_text
from burn_verify.run.prepare.asked import Asked, changed, fitting, pairs
from burn_verify.run.prepare.preparing import preparation
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Rewrite a model that burn-onnx refuses, that does not compile, or that answers otherwise, until it agrees with ONNX
Runtime; of all sets of rewritings that lead there, the smallest. Every step is proved with ONNX Runtime, before and
after it. A model that agrees as it is stays as it is. Inputs and outputs change only where one of --pin, --freeze,
--drop-zipmap and --cut asks for it; the reference only where --unsigned-weights does."""
_EXAMPLES: Final = """\
examples:
  burn-verify prepare model.onnx -o ready.onnx
  burn-verify prepare vad.onnx -o ready.onnx --pin batch=1 --freeze sr=16000
  burn-verify prepare vad.onnx -o ready.onnx --pin input=1x512 --pin state=2x1x128
  burn-verify prepare forest.onnx -o ready.onnx --drop-zipmap --report ready.md
exit codes: 0 it agrees, 1 no rewriting makes it agree, 2 the model cannot be read, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {
    "timeout",
    "memory_limit",
    "judge",
    "judge_timeout",
    "burn_version",
    "burn_backend",
    "burn_hooks",
}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "prepare", "rewrite a model until Burn computes it", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the model that agrees to this file")
    command.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="a size for a symbolic dimension, or a shape such as 1x3x224x224 for an input; several times",
    )
    command.add_argument(
        "--freeze", action="append", default=[], metavar="INPUT=VALUE", help="make an input a constant; several times"
    )
    command.add_argument("--drop-zipmap", action="store_true", help="give scores as a tensor, not as a map by class")
    command.add_argument(
        "--cut", action="store_true", help="leave out pre- and post-processing by operators of foreign domains"
    )
    command.add_argument(
        "--unsigned-weights",
        action="store_true",
        help="weights of quantised layers in unsigned 8 bits: the same sums, and exact ones of ONNX Runtime too",
    )
    command.add_argument("--force", action="store_true", help="replace FILE where it exists; never the model itself")
    command.add_argument("--report", type=Path, metavar="FILE", help="write what was done as Markdown")
    command.add_argument("--json", action="store_true", help="print what was done as JSON")
    add_options(command, _FIELDS)
    command.set_defaults(run=_prepare)


def _prepare(arguments: argparse.Namespace) -> int:
    asked = Asked(
        pin=pairs("--pin", arguments.pin),
        freeze=pairs("--freeze", arguments.freeze),
        drop_zipmap=arguments.drop_zipmap,
        cut=arguments.cut,
        unsigned_weights=arguments.unsigned_weights,
    )
    settings = settings_from(typed(arguments))
    cache = Cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache, doing="prepare")
    target = _target(settings, cache)
    source = prepare(case, cache).model
    sources = [source, *([case.source.path] if isinstance(case.source, ModelFile) else [])]
    check_files([arguments.output, arguments.report], sources, force=arguments.force)
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder, LongWork(sys.stderr) as work:
        case, steps = _with_interface(case, source, asked, Path(folder))
        with preparation(settings, target, cache=cache, listen=work.listen, seams=arguments.seams) as open_one:
            found = open_one.prepare([case])[case.id]
        found = replace(found, proofs=(*steps, *found.proofs))
        if arguments.output is not None and found.agrees:
            _write_model(arguments.output, found, prepare(case, cache).model, target)
    _say(arguments, found)
    return 0 if found.agrees else 1


def _target(settings: Settings, cache: Cache) -> Target:
    found = targets_of(settings, cache)
    if len(found) != 1:
        message = f"prepare is for one target at a time, not for {len(found)}"
        raise UsageError(message)
    return found[0]


def _with_interface(case: Case, source: Path, asked: Asked, folder: Path) -> tuple[Case, tuple[Proof, ...]]:
    """Return the case of the model with the interface that was asked for, in a file of its own."""
    if asked == Asked():
        return case, ()
    import onnx

    model, steps = changed(onnx.load(source), asked)
    path = folder / source.name
    path.write_bytes(bytes_of(model, source))
    return replace(case, source=ModelFile(path=path), hints=fitting(case.hints, model)), steps


def _write_model(path: Path, found: Prepared, source: Path, target: Target) -> None:
    import onnx

    model = onnx.load(source) if found.model is None else onnx.ModelProto.FromString(found.model)
    if found.proofs or found.options:
        annotate(model, PREPARED, prepare_note(found, target))
    write_model(path, model)


def _say(arguments: argparse.Namespace, found: Prepared) -> None:
    if arguments.report is not None:
        write_file(arguments.report, prepared_markdown(found))
    if arguments.json:
        print(json.dumps(prepared_json(found), indent=1))
        return
    print(prepared_text(found))
    if arguments.output is not None and found.agrees:
        copied = found.status is Status.AGREED and not found.proofs
        print(f"\n{arguments.output}: {'a copy of the model, unchanged' if copied else 'the model that agrees'}")
