"""The command ``burn-verify explain-number``: the evidence behind the verdict over one case.

Decides nothing: prints the record, and a histogram if the case can be run again.
"""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from burn_verify.cases import files
from burn_verify.cases.reproduce import selection_of
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, typed
from burn_verify.core.errors import BurnVerifyError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.target import Target, Trial
from burn_verify.core.targets import names
from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.report.views.numbers import explanation
from burn_verify.run.session import Session
from burn_verify.system.console import LongWork
from burn_verify.system.wire import Array

_DESCRIPTION: Final = """\
Print what each output of a case was measured against, by how much it is off, what was allowed, and who is guilty.

The numbers are those of the record. Unless --no-run is given, the case is run once more for a histogram of its errors
in ULP: what it needs is in the cache after the run that wrote the record. A record does not say where a model of your
own and its data lie: say --models and --data once more. Of the samples of your data the worst one is run, alone."""
_EXAMPLES: Final = """\
examples:
  pytest --conformance=node -k celu --burn-record=run.jsonl
  burn-verify explain-number run.jsonl node/test_celu
  burn-verify explain-number run.jsonl file/model --models model.onnx --data photos/
exit codes: 0 done, 2 the case cannot be run again, 4 usage"""


_OWN: Final = frozenset({"models", "inputs", "dims", "data", "sample"})
"""Fields of the options for models of the user's own and what they are fed."""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "show the evidence behind the verdict over one case"
    command = add_command(commands, "explain-number", short, _DESCRIPTION, _EXAMPLES)
    command.add_argument("record", type=Path, metavar="RECORD", help="a file written by --burn-record")
    command.add_argument("case", metavar="CASE", help="the id of a case, as the record has it")
    command.add_argument("--target", metavar="NAME", help="one target of a run on several")
    command.add_argument("--no-run", action="store_true", help="show what the record says, and no histogram")
    add_options(command, PLACES | _OWN)
    command.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    record = _of_target(store.read_run(arguments.record), arguments)
    results = {result.case_id: result for result in record.results}
    result = results.get(arguments.case)
    if result is None:
        near = get_close_matches(arguments.case, results, n=3)
        message = f"{arguments.record} has no case {arguments.case!r}" + (
            f": did you mean {', '.join(near)}?" if near else ""
        )
        raise UsageError(message)
    answers = None
    if result.metrics and not arguments.no_run:
        try:
            answers = _run_again(arguments, result, record.target)
        except BurnVerifyError as error:
            sys.stderr.write(f"burn-verify: no histogram, as the case cannot be run again: {error}\n")
    print(explanation(result, answers))
    return 0 if answers is not None or arguments.no_run or not result.metrics else 2


def _of_target(records: Sequence[Record], arguments: argparse.Namespace) -> Record:
    """Return the record of a target: the only one, or the one whose name contains --target."""
    called = names(record.target for record in records)
    word = arguments.target or ""
    found = [record for record in records if word in (called[record.target], record.target.name) or not word]
    if len(found) != 1:
        known = ", ".join(called.values())
        message = f"{arguments.record} is of several targets: say --target with one of {known}"
        raise UsageError(message)
    return found[0]


def _run_again(
    arguments: argparse.Namespace, result: CaseResult, target: Target
) -> dict[tuple[str, str], tuple[Array, Array]]:
    """Return actual and desired outputs, by data set and output."""
    if target.burn_checkout or target.burn_onnx_checkout or target.hooks:
        message = "where a checkout of yours lies is not in the record; burn-verify verify runs it"
        raise UsageError(message)
    given = typed(arguments)
    if result.corpus == files.CORPUS and not given["models"]:
        message = "where a model of your own lies is not in the record: say --models PATH"
        raise UsageError(message)
    field, name = selection_of(result.case_id, result.corpus, given["models"])
    chosen = {**given, field: name, "burn_version": target.burn, "burn_backend": target.backend}
    chosen["sample"] = given["sample"] or (result.details.get("samples") or {}).get("worst")
    chosen |= {part: ("off", "on")[getattr(target, part)] for part in ("simplify", "partition")}
    with LongWork(sys.stderr) as work:
        session = Session.open(settings_from(chosen), work.listen, seams=arguments.seams)
        try:
            trial = _trial_of(session, result, f"--{field}={name}")
            session.prepare([trial], work.listen)
            answers = session.answers(trial)
        finally:
            session.close()
    if not answers.keys() & {(one.data_set, one.name) for one in result.metrics}:
        message = "what it was fed is not at hand: say the --data of the run that wrote the record"
        raise UsageError(message)
    return answers


def _trial_of(session: Session, result: CaseResult, words: str) -> Trial:
    trials = session.selected.trials
    found = [trial for trial in trials if trial.case.id == result.case_id]
    # Alone, a file has a shorter id than among others of its name.
    alone = list(trials) if result.corpus == files.CORPUS and len(trials) == 1 else []
    if not found and not alone:
        message = f"{words} does not select it on this machine"
        raise UsageError(message)
    return (found or alone)[0]
