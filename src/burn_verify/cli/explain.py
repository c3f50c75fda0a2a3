"""The command ``burn-verify explain``: what is to be expected of a model before anything is built.

Runs neither cargo nor the converter.
"""

import argparse
import json
import shutil
import sys
from typing import Any, Final, NoReturn

from burn_verify.cases.select import Selection
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, typed
from burn_verify.core.case import Case
from burn_verify.core.errors import LoadError, UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.target import Target
from burn_verify.core.text import harmless, one_line
from burn_verify.run.selected import asked
from burn_verify.system.cache import Cache

_DESCRIPTION: Final = """\
Say what is to be expected of models on a target, from what is known of nodes like theirs: whether they will be refused,
not compile, fail or compute wrong numbers, which cases say so, and what to change first. Nothing is converted or
compiled."""
_EXAMPLES: Final = """\
examples:
  burn-verify explain model.onnx
  burn-verify explain mnist models/*.onnx --json
A node is verified, runs (in cases that prove no numbers), refuted, refused, does not compile, fails at run time, or is
untested: nothing near enough was tried. docs/explain.md says what is near, and how often forecasts are right.
exit codes: 0 all should agree, 1 a model will not, 2 a model cannot be read, 3 cannot say of a model, 4 usage"""

_TARGET: Final = frozenset({"burn_version", "burn_backend", "simplify", "partition"})
_AGREES, _FAILS, _UNREADABLE, _UNSURE = 0, 1, 2, 3
_WORST: Final = (_UNREADABLE, _FAILS, _UNSURE, _AGREES)
"""Exit codes, each before those that it wins over."""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "say what is to be expected of a model, before anything is built"
    command = add_command(commands, "explain", short, _DESCRIPTION, _EXAMPLES)
    command.add_argument(
        "models", nargs="+", metavar="MODEL", help="a name (see list), an .onnx file, a glob or a folder"
    )
    command.add_argument("--json", action="store_true", help="print a list of all models with every node, as JSON")
    add_options(command, PLACES | _TARGET)
    command.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    targets = [one.target for one in asked(settings, _no_checkout)]
    cache = Cache(settings.cache_dir)
    selection = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline)
    codes, shown = set(), []
    for case in selection.choose(arguments.models).cases:
        for target in targets:
            code, data = _one(case, target, cache, as_json=arguments.json)
            codes.add(code)
            shown += [data] if data else []
    if arguments.json:
        print(json.dumps(shown, indent=1))
    return next(code for code in _WORST if code in codes)


def _one(case: Case, target: Target, cache: Cache, *, as_json: bool) -> tuple[int, dict[str, Any] | None]:
    """Explain a model on a target, and print it unless JSON is wanted; return the exit code, and the JSON."""
    from burn_verify.cases.load import prepare
    from burn_verify.forecast.evidence import packaged
    from burn_verify.forecast.model import forecast_of
    from burn_verify.forecast.remedies import remedies
    from burn_verify.forecast.tried import packaged as packaged_tried
    from burn_verify.report.views import explanation
    from burn_verify.report.views import remedies as rewriting
    from burn_verify.run.prepare.rules import names_about

    evidence = packaged(target)
    if evidence is None:
        sys.stderr.write(f"burn-verify: cannot say: no evidence of {target.label} comes with this version\n")
        return _UNSURE, None
    try:
        prepared = prepare(case, cache)
        found = forecast_of(prepared.model, evidence, prepared.advice)
    except (LoadError, ValueError) as error:
        sys.stderr.write(harmless(f"burn-verify: {case.id}: {one_line(str(error))}\n"))
        return _UNREADABLE, None
    tried = packaged_tried(target)
    known = remedies(found, evidence, tried, names_about({one.cell.operator for _, one in found.obstacles}))
    whole = tried.get(case.id)
    if as_json:
        made = explanation.as_json(case.id, target, found, evidence)
        return _code_of(found.ending), made | {"prepare": rewriting.as_json(known, whole)}
    width = shutil.get_terminal_size((120, 40)).columns
    notes = list(rewriting.sentences_of(known, whole)) if found.obstacles or found.doubts or whole else []
    print(explanation.as_text(case.id, target, found, evidence, width, notes))
    return _code_of(found.ending), None


def _code_of(ending: str | None) -> int:
    if ending is None:
        return _UNSURE
    return _AGREES if ending == "agrees" else _FAILS


def _no_checkout(text: str, crate: str) -> NoReturn:
    message = f"{crate} at {text}: there is no evidence of checkouts"
    raise UsageError(message)
