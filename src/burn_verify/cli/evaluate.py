"""The command ``burn-verify evaluate``: does a model still do its task, by ONNX Runtime and by Burn?

`run.evaluate` does it; this reads the options, and writes and prints what came of it.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from burn_verify.cases.select import Selection
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, targets_of, typed
from burn_verify.core.errors import StageError, UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.text import counted, harmless
from burn_verify.report.views.evaluation import evaluation_text
from burn_verify.run.evaluate.evaluation import Evaluation, Wish, evaluate
from burn_verify.run.evaluate.written import write
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Run a labelled data set through ONNX Runtime and through compiled Burn, with the same pre- and post-processing, and
compare what the user of a model sees: accuracy, average precision, correlation, errors, and the decisions that flipped.
Several models are compared with the first one, and everything with each --baseline. Files are written below the folder
of -o, by default the current one: eval_DATA_ENGINE/ with metrics.json, predictions.json, for detection also
ground_truth_coco.json and visualizations/, and comparison.json."""
_EXAMPLES: Final = """\
examples:
  burn-verify evaluate model.onnx --data triangles/test --task detection -o out
  burn-verify evaluate model.onnx --data digits.npz --task classification --burn-backend flex,ndarray
  burn-verify evaluate minilm --data stsb/test.csv --task similarity --tokenizer tokenizer.json
  burn-verify evaluate model.onnx model.int8.onnx --data digits.npz --task classification --max-drop top1=0.01
  burn-verify evaluate model.onnx --data triangles/test --baseline torch_metrics.json --reference-only
tiers of a difference: below 0.001 excellent, below 0.01 good, else warning; a warning of the task's own metric fails,
  unless --max-drop says what may
exit codes: 0 nothing got worse, 1 something did or was refused, 3 toolchain, 4 usage, or samples that cannot be read"""
_FIELDS: Final = PLACES | {
    *(
        "task",
        "max_drop",
        "inputs",
        "dims",
        "timeout",
        "memory_limit",
        "burn_version",
        "burn_backend",
        "burn_path",
        "burn_onnx_path",
        "burn_hooks",
        "weights",
        "simplify",
        "partition",
    ),
}
_SHOWN: Final = 10
"""The greatest number of samples that cannot be read of which a line is printed."""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "evaluate", "does a model still do its task on a data set?", _TEXT, _EXAMPLES)
    command.add_argument("models", nargs="+", metavar="MODEL", help="a name (see list) or an .onnx file")
    command.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DATA",
        help="dataset.jsonl, COCO's JSON, class folders, or a folder that holds one; .npz; .csv of sentence pairs",
    )
    command.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="where to write (default: the current folder)"
    )
    command.add_argument(
        "--baseline",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="metrics or predictions of a training framework, or a folder of an earlier evaluation; several times",
    )
    command.add_argument("--tokenizer", type=Path, metavar="FILE", help="tokenizer.json for texts")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the intervals (default: 0)")
    command.add_argument(
        "--pictures", type=int, default=12, metavar="N", help="pictures for each engine at most (default: 12)"
    )
    command.add_argument(
        "--allow-broken", type=int, default=0, metavar="N", help="samples that may be unreadable (default: 0)"
    )
    command.add_argument("--reference-only", action="store_true", help="ONNX Runtime alone: nothing is built")
    add_options(command, _FIELDS)
    command.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    wish = _wish(arguments, settings)
    cache = arguments.seams.cache(settings.cache_dir)
    selection = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline)
    cases = selection.choose(arguments.models, hints=settings.hints).cases
    if not cases:
        message = f"{', '.join(arguments.models)}: there is no model"
        raise UsageError(message)
    targets = () if arguments.reference_only else targets_of(settings, cache)
    try:
        with LongWork(sys.stderr) as work:
            found = evaluate(cases, targets, wish, settings, cache, arguments.seams, work.listen)
    except StageError as error:
        message = f"it cannot be evaluated: {error.stage}: {error.message}"
        raise UsageError(message) from error
    made = write(found, arguments.output, arguments.pictures)
    print(harmless(evaluation_text(found.evaluated, found.comparisons, found.drifts)))
    print(f"\nwritten: {', '.join(map(str, made))}")
    return _code(found, arguments.allow_broken)


def _code(found: Evaluation, allowed: int) -> int:
    """Tell the samples that could not be read, and what was assumed, and return the exit code."""
    for line in found.doubts:
        sys.stderr.write(harmless(f"burn-verify: note: {line}\n"))
    broken = found.unreadable
    for line in broken[:_SHOWN]:
        sys.stderr.write(harmless(f"burn-verify: {line}\n"))
    if broken:
        rest = f", {len(broken) - _SHOWN} of them not shown" if len(broken) > _SHOWN else ""
        sys.stderr.write(f"burn-verify: {counted(len(broken), 'sample')} could not be used{rest}\n")
    if not found.passes:
        return 1
    return UsageError.exit_code if len(broken) > allowed else 0


def _wish(arguments: argparse.Namespace, settings: Settings) -> Wish:
    for name in ("pictures", "allow_broken", "seed"):
        if getattr(arguments, name) < 0:
            message = f"--{name.replace('_', '-')}: a number from 0 is needed, not {getattr(arguments, name)}"
            raise UsageError(message)
    for path in filter(None, (arguments.data, arguments.tokenizer, *arguments.baseline)):
        if not path.exists():
            message = f"{path}: no such file or folder"
            raise UsageError(message)
    if arguments.output.exists() and not arguments.output.is_dir():
        message = f"-o {arguments.output}: it is a file, and a folder is needed"
        raise UsageError(message)
    if arguments.data.is_dir() and arguments.output.resolve().is_relative_to(arguments.data.resolve()):
        message = f"-o {arguments.output}: it lies in the data, which would change: name another folder"
        raise UsageError(message)
    return Wish(
        data=arguments.data,
        task=settings.task,
        tokenizer=arguments.tokenizer,
        baselines=tuple(arguments.baseline),
        max_drop=settings.limits,
        seed=arguments.seed,
    )
