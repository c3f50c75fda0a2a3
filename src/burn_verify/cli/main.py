"""The command ``burn-verify``: the same run as the plugin's, without pytest.

Exit codes: 0 all agree or fail as expected; 1 a model failed; 2 any other error; 3 the toolchain is missing or broken;
4 a wrong option, name, description or data file; 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Final, NoReturn

from tabulate import tabulate

from burn_verify import __version__
from burn_verify.cases import zoo
from burn_verify.cases.select import Selection
from burn_verify.cli import (
    blame,
    compare,
    evaluate,
    expectations,
    explain,
    explain_number,
    gc,
    inputs,
    issue,
    latency,
    load,
    locate,
    ops,
    package,
    prepare,
    probe,
    profile,
    quantize,
    query,
    reduce,
    report,
    round_trip,
    serve,
    sweep,
    toolchain,
)
from burn_verify.cli.common import PLACES, add_command, add_options, typed
from burn_verify.cli.doctor import Grade, examine
from burn_verify.core.case import Case, Download, ModelFile, Seeded
from burn_verify.core.errors import BurnVerifyError, ToolchainError, UsageError
from burn_verify.core.option_table import OPTIONS
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Trial
from burn_verify.core.text import harmless
from burn_verify.expectations.match import xfail_reason
from burn_verify.report.views.failure import failure_text
from burn_verify.run.every import verified
from burn_verify.run.recorder import Recorder
from burn_verify.run.results import error_of
from burn_verify.run.seams import Seams
from burn_verify.run.session import Session
from burn_verify.ship.how import how
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.signals import Terminated, ending_as_ctrl_c
from burn_verify.system.storage import storage_fault

_COMMANDS: Final = (
    inputs,
    explain,
    report,
    expectations,
    explain_number,
    ops,
    latency,
    profile,
    locate,
    reduce,
    issue,
    round_trip,
    blame,
    compare,
    evaluate,
    prepare,
    quantize,
    package,
    gc,
    serve,
    load,
    probe,
    sweep,
    query,
    toolchain,
)
"""The modules that add a command each, in the order of the help text."""

_EPILOG: Final = """\
examples:
  burn-verify doctor                      is everything installed that is needed?
  burn-verify list resnet                 which models have such a name?
  burn-verify verify mnist squeezenet     does Burn compute what ONNX Runtime computes?
  burn-verify verify path/to/model.onnx   the same for a model of your own
  burn-verify explain path/to/model.onnx  what is to be expected of it, before anything is built
  burn-verify verify --conformance=node   ONNX's own test cases, about two thousand
  burn-verify verify --ops=Conv,Gemm      generated graphs of operators
  burn-verify report --last               the last run once more
  burn-verify report run.jsonl --out site a record as a page: site/index.html
  burn-verify diff old.jsonl new.jsonl    what got worse, what got better
  burn-verify latency run.jsonl           how fast, beside ONNX Runtime, and what the program cost
  burn-verify profile squeezenet          which nodes take the time
  burn-verify locate squeezenet           which node is wrong first
  burn-verify reduce my.onnx -o tiny.onnx a small model that fails the same way
  burn-verify issue my.onnx               a folder that shows it, to send upstream
  burn-verify round-trip mnist            written as ONNX again: is that right, and whose fault is what fails
  burn-verify verify mnist --burn-backend=flex,wgpu     the same on several targets, side by side
  burn-verify blame mnist --good=flex --bad=wgpu        which part makes the difference between two targets
  burn-verify compare a.onnx b.onnx       two models on the same inputs, or answers kept by --keep-outputs
  burn-verify evaluate a.onnx --data photos --task detection    does it still find the same boxes?
  burn-verify prepare vad.onnx -o ready.onnx            rewrite a model until Burn computes it
  burn-verify quantize model.onnx --data calibration/ -o model.int8.onnx     the same model in 8 bits
  burn-verify package mnist -o mnist-model              a crate that loads it, and proves it with cargo test
  burn-verify probe mnist -o probe        a program that proves it on another machine
  burn-verify serve mnist --port 3000     a server of it, with Furnace's API and KServe v2
  burn-verify sweep models.txt --out swept              thousands of models, in shards, resumed where it stopped
  burn-verify query "select * from results" swept       what came of it, in SQL
  burn-verify load mnist                  many requests to a server, every answer compared with the first
  burn-verify toolchain pack -o archives/ a compiled Burn as one archive, for other machines
  burn-verify gc                          what is on disk for which target
  burn-verify explain-number run.jsonl node/test_celu   why a number was judged as it was
exit codes: 0 all agree or fail as expected, 1 a model failed, 2 another error, 3 toolchain, 4 usage,
  130 Ctrl-C, 143 SIGTERM"""


_VERIFY: Final = """\
Convert models with burn-onnx, compile them, run them, and compare every output with ONNX Runtime's. Several values of
--burn-version, --burn-backend, --burn-path, --burn-onnx-path, --burn-simplify or --burn-partition make several targets,
a column each."""
_VERIFY_EXAMPLES: Final = """\
examples:
  burn-verify verify mnist squeezenet                        models of the zoo
  burn-verify verify model.onnx models/ 'old/*.onnx.gz'      files, folders, globs
  burn-verify verify model.onnx --keep-outputs kept          keep what was fed and answered
  burn-verify verify model.onnx --manifest-path Cargo.toml   the Burn that a crate of yours ships
  burn-verify verify model.onnx --how                        and how to ship what was verified
exit codes: 0 all agree or fail as expected, 1 a model failed, 2 another error, 3 toolchain, 4 usage,
  130 Ctrl-C, 143 SIGTERM"""


def main(argv: Sequence[str] | None = None, seams: Seams = Seams()) -> NoReturn:  # noqa: B008  (immutable)
    """Run a command and exit with its code; a usage error is one line, never a traceback.

    Arguments:
        seams: the engine and the builder of the command's runs.
    """
    # Python sets a closed stderr to None.
    sys.stderr = sys.stderr or StringIO()
    arguments = _parser().parse_args(argv, argparse.Namespace(seams=seams))
    try:
        with ending_as_ctrl_c():
            code: int = arguments.run(arguments)
    except BurnVerifyError as error:
        sys.stderr.write(harmless(f"burn-verify: error: {error}\n"))
        code = error.exit_code
    except BrokenPipeError:
        # The reader of stdout, such as head, closed the pipe.
        sys.stderr.close()
        code = 0
    except OSError as error:
        if (fault := storage_fault(error)) is None:
            raise
        sys.stderr.write(f"burn-verify: error: {fault}\n")
        code = fault.exit_code
    except KeyboardInterrupt as error:
        said, code = (str(error), error.exit_code) if isinstance(error, Terminated) else ("interrupted", 130)
        sys.stderr.write(f"burn-verify: {said}; what was built so far is kept\n")
    sys.exit(code)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        if message.startswith("unrecognized arguments: --models"):
            message += " (an option of pytest; here models are named without it: burn-verify verify mnist)"
        self.exit(UsageError.exit_code, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="burn-verify",
        description="Does an ONNX model still say the same thing once Burn has turned it into Rust?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"burn-verify {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    doctor = commands.add_parser("doctor", help="show what is installed, what is missing, and what to do")
    doctor.set_defaults(run=_doctor)
    listing = commands.add_parser("list", help="list the models that can be verified by name")
    listing.add_argument("pattern", nargs="?", default="", help="only names that contain this")
    listing.add_argument("--all", action="store_true", dest="everything", help="every entry, not only the short names")
    listing.set_defaults(run=_list)
    verify = add_command(commands, "verify", "verify models against ONNX Runtime", _VERIFY, _VERIFY_EXAMPLES)
    verify.add_argument(
        "models", nargs="*", metavar="MODEL", help="a name (see list), an .onnx file, a glob or a folder"
    )
    verify.add_argument(
        "--how", action="store_true", help="print the lines of Cargo.toml, build.rs and a program for what passed"
    )
    verify.set_defaults(run=_verify)
    add_options(doctor, PLACES)
    add_options(listing, PLACES)
    # Models are positional arguments here.
    add_options(verify, {option.field for option in OPTIONS} - {"models"})
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


def _settings(arguments: argparse.Namespace, models: Sequence[str] = ()) -> Settings:
    names = [name for model in models for name in ([model] if Path(model).exists() else model.split(",")) if name]
    return replace(settings_from(typed(arguments)), models=tuple(names))


def _doctor(arguments: argparse.Namespace) -> int:
    missing = 0
    for check in examine(_settings(arguments)):
        missing += check.grade is Grade.MISSING
        print(f"{check.grade:8}{check.name:20}{check.found}")
        if check.advice:
            print(f"{'':28}→ {check.advice}")
    print(f"\nmissing: {missing}" if missing else "\nready")
    return 3 if missing else 0


def _list(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    selection = Selection(Cache(settings.cache_dir), mirror=settings.zoo_mirror, offline=settings.offline)
    catalogue = zoo.load()
    names = catalogue.entries if arguments.everything else catalogue.aliases
    chosen = [name for name in names if arguments.pattern.lower() in name.lower()]
    if not chosen:
        message = f"no name contains {arguments.pattern!r}: burn-verify list --all shows every entry"
        raise UsageError(message)
    rows = []
    for name in chosen:
        (case,) = selection.choose([name]).cases
        rows.append([name, case.id, _source_text(case)])
    print(tabulate(rows, headers=["name", "case", "where from"], disable_numparse=True))
    return 0


def _source_text(case: Case) -> str:
    match case.source:
        case ModelFile():
            return "here"
        case Download(size=size):
            return f"download, {size / 1e6:.1f} MB"
        case Seeded():
            return "stand-in with random weights"
        case _:
            return "not available here"


def _verify(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, arguments.models)
    if not settings.selects:
        message = "nothing to verify: name a model, such as mnist, or say --conformance or --ops"
        raise UsageError(message)
    if settings.compile_budget is not None and not settings.latency:
        message = "--compile-budget is about release builds, which --latency makes: say both"
        raise UsageError(message)
    with LongWork(sys.stderr) as work:
        session = Session.open(settings, work.listen, seams=arguments.seams)
    trials = session.selected.trials
    recorder = Recorder(session)
    recorder.begin(trials)
    results: dict[Trial, CaseResult] = {}
    interrupted = True
    try:
        with LongWork(sys.stderr) as work:
            for trial, result in verified(session, recorder, work.listen):
                results[trial] = result
        interrupted = False
    finally:
        session.close()
        closing = recorder.close(
            trials, shutil.get_terminal_size((120, 40)).columns, whole=True, interrupted=interrupted
        )
        if results or session.selected.alike:
            print(closing.text)
        if results and settings.keep_outputs is not None:
            print(f"answers are kept in {settings.keep_outputs}")
        for problem in (*closing.not_run, *closing.problems, *closing.warnings):
            sys.stderr.write(f"burn-verify: {problem}\n")
    unexpected = [passes for trial, result in results.items() if (passes := _unexpected(trial, result, session))]
    for passes in unexpected:
        sys.stderr.write(f"burn-verify: {passes}\n")
    if arguments.how:
        _print_how(session, results)
    if closing.not_run:
        return ToolchainError.exit_code
    if closing.misused:
        return UsageError.exit_code
    return 1 if unexpected or closing.problems else 0


def _print_how(session: Session, results: Mapping[Trial, CaseResult]) -> None:
    """Print for each target how to ship the models that passed on it."""
    passed = [trial for trial, result in results.items() if result.outcome is Outcome.PASSED]
    if not passed:
        sys.stderr.write("burn-verify: --how: nothing passed, so there is nothing to ship\n")
    for target in dict.fromkeys(trial.target for trial in passed):
        steps = (session.plans[target].cases[trial.case.id] for trial in passed if trial.target == target)
        print(f"\n{harmless(how(target, [step.prepared for step in steps if step.prepared]))}")


def _unexpected(trial: Trial, result: CaseResult, session: Session) -> str | None:
    expected = session.selected.expectation(trial)
    error = error_of(result)
    if error is None:
        name = session.selected.names[trial.target]
        where = f"{result.case_id} on {name}" if name else result.case_id
        # A rewriting may lift what is expected to fail as it is, and other values may be drawn.
        if expected is None or expected.drawn or trial.target.prepared:
            return None
        return f"{where} passes: {xfail_reason(expected)}"
    if expected is not None and expected.fits(result):
        return None
    selected = session.selected
    return failure_text(trial.case, error, selected.settings_of(trial.target), expected, selected.names[trial.target])
