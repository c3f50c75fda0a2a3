"""The command ``burn-verify quantize``: a model in 8 bits by ONNX Runtime, made ready for Burn, and proved.

`run.quantise` does it; this reads the options, and writes and prints what came of it.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from burn_verify import __version__
from burn_verify.cases.load import prepare
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, one_target, typed, write_file
from burn_verify.cli.written import PREPARED, QUANTISED, annotate, check_files, prepare_note, write_model
from burn_verify.core.case import ModelFile
from burn_verify.core.errors import StageError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.prepared import Prepared
from burn_verify.core.quantised import INTEGER, Calibration, Quantisation, Quantised, Width, Written
from burn_verify.core.stage import FailureKind
from burn_verify.core.target import Target
from burn_verify.report.views.quantised import quantised_json, quantised_markdown, quantised_text
from burn_verify.run.quantise.quantising import quantised
from burn_verify.run.quantise.readying import readied
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Write a model in 8 bits: onnxruntime.quantization does it, from samples that calibrate it (--data), or without any
(--dynamic). Then burn-onnx has to take it and Burn to answer as ONNX Runtime does; what has to be rewritten for that is
rewritten, and every step is proved as by prepare. Nothing is written where it does not agree."""
_EXAMPLES: Final = """\
examples:
  burn-verify quantize model.onnx --data calibration.npz -o model.int8.onnx
  burn-verify quantize model.onnx --data photos/ --per-channel -o model.int8.onnx --report int8.md
  burn-verify quantize encoder.onnx --dynamic --op MatMul -o encoder.int8.onnx
exit codes: 0 it agrees, 1 no rewriting makes it agree, 2 ONNX Runtime does not quantise it, 3 toolchain, 4 usage"""
_FIELDS: Final = PLACES | {
    *("data", "inputs", "dims", "timeout", "memory_limit", "judge", "judge_timeout", "burn_version", "burn_backend"),
}


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "quantize", "write a model in 8 bits that Burn computes", _TEXT, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="the .onnx file to write")
    command.add_argument("--dynamic", action="store_true", help="measure activations at each call; needs no data")
    command.add_argument("--per-channel", action="store_true", help="a scale for each output channel of a weight")
    for flag, about in (("--activations", "activations; not with --dynamic"), ("--weights", "weights")):
        command.add_argument(flag, choices=list(Width), default=Width.INT8, help=f"type of {about} (default: int8)")
    command.add_argument(
        "--calibration",
        choices=list(Calibration),
        default=Calibration.MINMAX,
        help="how ranges follow from the samples (default: minmax)",
    )
    command.add_argument("--samples", type=int, default=256, metavar="N", help="calibrate by N samples (default: 256)")
    command.add_argument("--reduce-range", action="store_true", help="weights in 7 bits, for processors without VNNI")
    command.add_argument("--op", action="append", default=[], metavar="TYPE", help="only such nodes; several times")
    command.add_argument("--exclude", action="append", default=[], metavar="NODE", help="not this node; several times")
    command.add_argument(
        "--no-optimise", action="store_true", help="do not fold constants and BatchNormalization before"
    )
    command.add_argument("--loss", type=int, default=8, metavar="N", help="samples for the loss by tensor (default: 8)")
    command.add_argument("--no-prepare", action="store_true", help="write what ONNX Runtime makes; Burn is not asked")
    command.add_argument("--force", action="store_true", help="replace FILE where it exists; never the model itself")
    command.add_argument("--report", type=Path, metavar="FILE", help="write what was done as Markdown")
    command.add_argument("--json", action="store_true", help="print what was done as JSON")
    add_options(command, _FIELDS)
    command.set_defaults(run=_quantize)


def _quantize(arguments: argparse.Namespace) -> int:
    try:
        return _made(arguments)
    except StageError as error:
        if error.kind is not FailureKind.USAGE:
            raise
        raise UsageError(error.message) from error


def _made(arguments: argparse.Namespace) -> int:
    how = _how(arguments)
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    case, target = one_case(arguments.model, settings, cache), one_target(settings, cache)
    prepared = prepare(case, cache)
    sources = [prepared.model, *([case.source.path] if isinstance(case.source, ModelFile) else [])]
    check_files([arguments.output, arguments.report], sources, force=arguments.force)
    _check_nodes(how, prepared.model)
    found: Prepared | None = None
    with LongWork(sys.stderr) as work:
        made = quantised(prepared, how, samples=arguments.samples, losses=arguments.loss, listen=work.listen)
        if not arguments.no_prepare:
            seams = arguments.seams
            found = readied(prepared, made.model, settings, target, cache=cache, listen=work.listen, seams=seams)
    written = _written(arguments.output, made, found, target) if found is None or found.agrees else None
    _say(arguments, made, found, written)
    return 0 if written else 1


def _how(arguments: argparse.Namespace) -> Quantisation:
    for flag, value, least in (("--samples", arguments.samples, 1), ("--loss", arguments.loss, 0)):
        if value < least:
            message = f"{flag} {value}: a number from {least} on is needed"
            raise UsageError(message)
    return Quantisation(
        dynamic=arguments.dynamic,
        per_channel=arguments.per_channel,
        activations=Width(arguments.activations),
        weights=Width(arguments.weights),
        calibration=Calibration(arguments.calibration),
        reduce_range=arguments.reduce_range,
        operators=tuple(arguments.op),
        exclude=tuple(arguments.exclude),
        optimise=not arguments.no_optimise,
    )


def _check_nodes(how: Quantisation, model: Path) -> None:
    """Refuse names that the model does not have: ONNX Runtime would say nothing.

    Raises:
        UsageError: there is no such node, or none of such a type.
    """
    import onnx

    nodes = onnx.load(model, load_external_data=False).graph.node
    for flag, asked, known in (
        ("--op", how.operators, {node.op_type for node in nodes}),
        ("--exclude", how.exclude, {node.name for node in nodes}),
    ):
        if missing := [name for name in asked if name not in known]:
            some = ", ".join(sorted(filter(None, known))[:8])
            message = f"{flag} {missing[0]}: the model has none; it has {some}"
            raise UsageError(message)


def _written(path: Path, made: Quantised, found: Prepared | None, target: Target) -> Written:
    import onnx

    model = onnx.ModelProto.FromString((found.model if found is not None else None) or made.model)
    note = {**asdict(made.how), "samples": made.samples, "bytes_before": made.before, "burn_verify": __version__}
    annotate(model, QUANTISED, note)
    if found is not None and found.model is not None:
        annotate(model, PREPARED, prepare_note(found, target))
    write_model(path, model)
    integer = sorted({node.op_type for node in model.graph.node} & INTEGER)
    return Written(size=path.stat().st_size, integer=tuple(integer))


def _say(arguments: argparse.Namespace, made: Quantised, found: Prepared | None, written: Written | None) -> None:
    if arguments.report is not None:
        write_file(arguments.report, quantised_markdown(made, found, written))
    if arguments.json:
        print(json.dumps(quantised_json(made, found, written), indent=1))
        return
    print(quantised_text(made, found, written))
    if written is not None:
        what = "what ONNX Runtime made; Burn was not asked" if found is None else "the model that agrees"
        print(f"\n{arguments.output}: {what}")
