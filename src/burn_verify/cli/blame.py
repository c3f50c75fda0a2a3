"""The command ``burn-verify blame``: which part turns a good result into a bad one.

`run.exchange` decides what to try and what follows; this runs it and prints.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tabulate import tabulate

from burn_verify.burn.checkouts import look
from burn_verify.cases.reproduce import selection_of
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, typed
from burn_verify.core.errors import BurnVerifyError, CommandFailed, ToolchainError, UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.target import Target, Trial
from burn_verify.record import store
from burn_verify.report.views.changes_text import ending_text
from burn_verify.run import exchange
from burn_verify.run.seams import Seams
from burn_verify.run.session import Session
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.process import output_of

_DESCRIPTION: Final = """\
Run one case on two targets, and on targets between them: each part that differs is exchanged alone, in the bad target
and in the good one. The part that turns one result into the other is named.

A target is named by words with commas or slashes between them, and is at its default elsewhere:
  0.21.0            a version of Burn, with the burn-onnx of that version
  wgpu              a backend
  burn=DIR          a checkout of Burn, DIR@REVISION a revision of it
  burn-onnx=DIR     the same of burn-onnx; burn-onnx=0.21.0 the release of another version
  simplify=off      conversion without graph simplification; partition=off without submodules

burn-onnx and Burn are exchanged one by one if the code of the one compiles with the other; otherwise a line says so.
onnx and ONNX Runtime belong to a Python environment: --good-python names one that has burn-verify and the versions that
were good, and they are exchanged with it, together."""
_EXAMPLES: Final = """\
examples:
  burn-verify blame node/test_bitshift_left_uint8 --good 0.21.0 --bad 0.22.1
  burn-verify blame mnist --good flex --bad wgpu
  burn-verify blame model.onnx --good latest --bad burn-onnx=../burn-onnx
  burn-verify blame mnist --good latest --bad latest --good-python old/bin/python
exit codes: 0 a part is named, 1 none can be named, 2 the results do not differ, 3 toolchain, 4 usage"""
_SETTINGS: Final = PLACES | {"timeout", "memory_limit", "judge", "judge_timeout"}
_REFERENCE: Final = "onnx and onnxruntime"


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "find the part that makes the difference between two targets"
    command = add_command(commands, "blame", short, _DESCRIPTION, _EXAMPLES)
    command.add_argument("case", metavar="CASE", help="the id of a case, as a record has it, a model's name or a file")
    command.add_argument("--good", required=True, metavar="TARGET", help="where the result is right")
    command.add_argument("--bad", required=True, metavar="TARGET", help="where it is wrong")
    command.add_argument("--good-python", metavar="PYTHON", help="an interpreter whose onnx and onnxruntime were good")
    add_options(command, _SETTINGS)
    command.set_defaults(run=_blame)


def _blame(arguments: argparse.Namespace) -> int:
    settings = settings_from({**typed(arguments), **_selection(arguments.case)})
    cache = arguments.seams.cache(settings.cache_dir)
    good, bad = (_target(cache, f"--{name}", getattr(arguments, name)) for name in ("good", "bad"))
    others = _others(arguments.good_python)
    if good == bad and not others:
        message = "--good and --bad are the same target: there is nothing to exchange"
        raise UsageError(message)
    tried = exchange.exchanges(good, bad)
    wanted = tuple(dict.fromkeys([good, bad, *(side for one in tried for side in (one.mended, one.broken))]))
    case_id, results = _results(settings, arguments.case, wanted, arguments.seams)
    before, after = (_sure(results[target], target) for target in (good, bad))
    elsewhere = None
    if others:
        elsewhere = _run_elsewhere(arguments.good_python, case_id, settings, bad)
        before = elsewhere if good == bad else before
    print(f"{case_id}\n  good: {good.label}: {ending_text(before)}\n  bad:  {bad.label}: {ending_text(after)}\n")
    if exchange.alike(before, after):
        print("the results do not differ: no part is to blame")
        return 2
    findings = [exchange.judged(one, before, after, results) for one in tried]
    if elsewhere is not None:
        findings.append(_of_reference(elsewhere, before, after, others))
    print(tabulate([[one.part, one.text] for one in findings], headers=["exchanged", "result"], disable_numparse=True))
    found = exchange.conclusion(tuple(findings))
    print(f"\n{found.text}")
    return 0 if found.blame is exchange.Blame.NAMED else 1


def _selection(case: str) -> dict[str, str]:
    """Return the option that selects a case, by field."""
    if case.startswith("file/"):
        message = f"where {case} lies is not in its id: name the .onnx file"
        raise UsageError(message)
    field, name = selection_of(case, case.partition("/")[0])
    return {field: name}


def _target(cache: Cache, flag: str, text: str) -> Target:
    try:
        return exchange.side(text, lambda place, project: look(cache, project, place))
    except UsageError as error:
        message = f"{flag} {text}: {error}"
        raise UsageError(message) from None


def _results(
    settings: Settings, case: str, targets: Sequence[Target], seams: Seams
) -> tuple[str, dict[Target, CaseResult | str]]:
    """Return the id of the case, and how it ends on each target, or why the target cannot be built or started."""
    with LongWork(sys.stderr) as work:
        session = Session.open(settings, work.listen, targets=targets, seams=seams)
        trials = [trial for trial in session.selected.trials if _is_selected(trial, case, session)]
        if not trials:
            message = f"{case}: no such case; burn-verify list shows the models, a record the ids of other cases"
            raise UsageError(message)
        try:
            session.prepare(trials, work.listen)
            found = {trial.target: session.failure(trial.target) or session.verify(trial) for trial in trials}
            return trials[0].case.id, found
        finally:
            session.close()


def _is_selected(trial: Trial, case: str, session: Session) -> bool:
    return trial.case.id == case or len(session.selected.cases) == 1


def _sure(result: CaseResult | str, target: Target) -> CaseResult:
    if isinstance(result, str):
        message = f"{target.label}: {result}"
        raise ToolchainError(message)
    return result


# ── another Python ───────────────────────────────────────────────────────────────────────────────────────────────────


def _others(python: str | None) -> dict[str, str]:
    """Return the versions of another environment that replace ours, by package; empty where none is named.

    Raises:
        UsageError: it has no burn-verify, or the very same versions.
    """
    if python is None:
        return {}
    script = "from importlib.metadata import version as v; print(v('burn-verify'), v('onnx'), v('onnxruntime'))"
    no_python = f"--good-python {python}: this is no Python with burn-verify, onnx and onnxruntime"
    try:
        versions = output_of([python, "-c", script]).split()
    except CommandFailed as error:
        message = f"{no_python}: {error.summary}"
        raise UsageError(message) from error
    if len(versions) != 3:
        message = f"{no_python}: asked for their versions it says {' '.join(versions)!r}"
        raise UsageError(message)
    theirs = dict(zip(("burn-verify", "onnx", "onnxruntime"), versions, strict=True))
    if theirs.pop("burn-verify") != version("burn-verify"):
        message = f"--good-python {python}: it has burn-verify {versions[0]}, and this is {version('burn-verify')}"
        raise UsageError(message)
    different = {name: theirs[name] for name in theirs if theirs[name] != version(name)}
    if not different:
        message = f"--good-python {python}: it has the same onnx and onnxruntime: there is nothing to exchange"
        raise UsageError(message)
    return different


def _run_elsewhere(python: str, case_id: str, settings: Settings, target: Target) -> CaseResult:
    """Return how the case ends with another environment's onnx and ONNX Runtime.

    Raises:
        BurnVerifyError: nothing was recorded there.
    """
    if target.burn_checkout or target.burn_onnx_checkout or target.hooks or case_id.startswith("file/"):
        message = "--good-python goes with releases and cases of the zoo or of onnx only"
        raise UsageError(message)
    field, value = selection_of(case_id, case_id.partition("/")[0])
    options = [f"--burn-version={target.burn}", f"--burn-backend={target.backend}"]
    options += [f"--burn-{name}={('off', 'on')[getattr(target, name)]}" for name in ("simplify", "partition")]
    if settings.cache_dir is not None:
        options.append(f"--burn-cache-dir={settings.cache_dir}")
    if settings.zoo_mirror is not None:
        options.append(f"--zoo-mirror={settings.zoo_mirror}")
    name = ["-k", case_id.partition("/")[2]] if field == "conformance" else []
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
        record = Path(folder, "record.jsonl")
        argv = [python, "-m", "pytest", "-q", f"--{field}={value}", *name, *options, f"--burn-record={record}"]
        words = _output_of_pytest(argv)
        found = {} if not record.is_file() else {one.case_id: one for one in store.read(record).results}
    if case_id not in found:
        message = f"--good-python {python}: it has no result of {case_id}; {' '.join(argv)} says:\n{words}"
        raise BurnVerifyError(message)
    return found[case_id]


def _output_of_pytest(argv: Sequence[str]) -> str:
    """Run pytest elsewhere, for as long as it takes, and return what it says; that a test fails is no failure here."""
    try:
        return output_of(argv, timeout=None)
    except CommandFailed as error:
        return error.words


def _of_reference(
    elsewhere: CaseResult, good: CaseResult, bad: CaseResult, others: Mapping[str, str]
) -> exchange.Finding:
    flips = exchange.alike(elsewhere, good) and not exchange.alike(elsewhere, bad)
    part = next(iter(others)) if len(others) == 1 else _REFERENCE
    words = " and ".join(f"{name} {number}" for name, number in others.items())
    text = f"the bad one with {words} ends {'as the good one' if flips else 'as before'}: {ending_text(elsewhere)}"
    return exchange.Finding(part=part, mends=flips, breaks=None, text=text)
