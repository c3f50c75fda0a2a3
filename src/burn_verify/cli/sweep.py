"""The command ``burn-verify sweep``: every model of a list, on one machine or many, resumed where it stopped.

`run.sweep` does the work: a shard is an ordinary run over a part of the list.
"""

import argparse
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.checkouts import look
from burn_verify.cli.common import Commands, add_command, add_options, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.option_table import OPTIONS
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.progress import Listener
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.text import harmless
from burn_verify.expectations import match
from burn_verify.report.views.terminal import render_table
from burn_verify.run.recorder import LAST_RECORD
from burn_verify.run.seams import Seams
from burn_verify.run.selected import asked, expected_of, shipped_by
from burn_verify.run.sweep.gather import Gathered
from burn_verify.run.sweep.shard import Sweep
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.files import copy_atomically

_TEXT: Final = """\
Verify every model of a list. MANIFEST has a path, folder, glob or URL a line, relative to its folder; sha256:HEX may
follow, and has to follow a URL. It may also be a folder of models.

The list is divided into shards of about equal cost. A shard goes on where it stopped: what has a result in DIR is not
run again, unless its file was changed since; what killed a shard is tried in ever smaller groups, and at last alone. A
model without a result is missing, never passed. DIR then has record.jsonl, for 'burn-verify report', and Parquet files,
for 'burn-verify query'; those and --shards need: pip install 'burn-verify[sweep]'."""
_EXAMPLES: Final = """\
examples:
  burn-verify sweep models.txt --out swept                     everything, here
  burn-verify sweep models.txt --out swept --shard 3/8         one part, on one of eight machines
  burn-verify sweep models.txt --out swept --shards 8          all eight here, by submitit
  burn-verify sweep models.txt --out swept --shards 64 --cluster slurm --slurm partition=cpu,cpus_per_task=4
  burn-verify sweep models.txt --out swept --shards 64 --kubernetes registry/burn-verify:1 > job.yaml
  burn-verify sweep models.txt --out swept --gather            put together what all shards did; run nothing
  burn-verify sweep models.txt --out swept --cover 50          the 50 models that show most, and what the rest could add
exit codes: 0 all agree or fail as expected, 1 a model failed, 2 a model of the list or of the shard has no result,
  3 toolchain, 4 usage, 130 Ctrl-C, 143 SIGTERM"""
_FIELDS: Final = frozenset(option.field for option in OPTIONS) - {
    *(
        "models",
        "conformance",
        "ops",
        "ops_profile",
        "ops_examples",
        "several",
        "several_seed",
        "record",
        "keep_outputs",
        "compile_budget",
    ),
    # A sweep says of every model what it is; one that was left out would be missing.
    "only_changed",
}
_INCOMPLETE: Final = 2
_MOST_SHARDS: Final = 100_000
_SHOWN: Final = 5


@dataclass(frozen=True)
class Task:
    """A shard for another process: everything that it needs to know, picklable."""

    sweep: Sweep
    count: int
    seams: Seams

    def __call__(self, index: int) -> int:
        """Verify what is left of a shard; return how many models that were."""
        from burn_verify.run.sweep import shard

        with LongWork(sys.stderr) as work:
            return shard.run(self.sweep, index, self.count, self.seams, work.listen)


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "sweep", "verify thousands of models, on many machines", _TEXT, _EXAMPLES)
    command.add_argument("manifest", type=Path, metavar="MANIFEST", help="a list of models, or a folder of them")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results are kept")
    command.add_argument("--gather", action="store_true", help="put the results of all shards together, run nothing")
    command.add_argument("--cover", nargs="?", type=int, const=0, metavar="N", help="first those models that add "
                         "operators and cells to those before; with N only the first N")  # fmt: skip
    command.add_argument("--shards", type=int, metavar="N", help="run all N shards, by submitit")
    command.add_argument("--cluster", choices=("local", "slurm"), default="local", help="where (default: local)")
    command.add_argument("--parallel", type=int, metavar="N", help="shards at once (default: 2 here, all on a cluster)")
    command.add_argument("--slurm", default="", metavar="KEY=VALUE,...", help="parameters of the jobs: partition=cpu")
    command.add_argument("--kubernetes", metavar="IMAGE", help="print the manifest of an Indexed Job, run nothing")
    add_options(command, _FIELDS)
    command.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> int:
    from burn_verify.run.sweep import gather, shard

    settings = settings_from(typed(arguments))
    _check(arguments, settings)
    if arguments.kubernetes:
        print(_kubernetes(arguments), end="")
        return 0
    with LongWork(sys.stderr) as work:
        sweep = _opened(arguments, settings, work.listen)
        shard.begin(sweep, new=not arguments.gather)
        if not arguments.gather:
            _run(arguments, sweep, settings, work.listen)
        gathered = gather.gather(sweep)
        _keep(gathered, arguments.seams.cache(settings.cache_dir))
    if settings.shard is not None:
        gathered = gathered.of(case.id for case in shard.own(sweep, *settings.shard))
    return _say(gathered, sweep, settings)


def _check(arguments: argparse.Namespace, settings: Settings) -> None:
    for name in ("shards", "parallel"):
        value = getattr(arguments, name)
        if value is not None and not 1 <= value <= _MOST_SHARDS:
            message = f"--{name}: a number from 1 to {_MOST_SHARDS} is needed, not {value}"
            raise UsageError(message)
    if arguments.cover is not None and arguments.cover < 0:
        message = f"--cover: a number of models is needed, not {arguments.cover}"
        raise UsageError(message)
    if (settings.shard is not None) + (arguments.shards is not None) + arguments.gather > 1:
        message = "--shard runs one part, --shards all of them, --gather none: say one of them"
        raise UsageError(message)
    if not arguments.shards and (arguments.kubernetes or arguments.cluster != "local" or arguments.slurm):
        message = "--kubernetes, --cluster and --slurm need a number of parts: --shards N"
        raise UsageError(message)
    if arguments.parallel is not None and not arguments.shards:
        message = "--parallel is how many of several shards run at once: say --shards N too"
        raise UsageError(message)
    if arguments.slurm and arguments.cluster != "slurm":
        message = "--slurm has parameters of jobs on a cluster: say --cluster slurm too"
        raise UsageError(message)


def _opened(arguments: argparse.Namespace, settings: Settings, listen: Listener) -> Sweep:
    """Return the sweep of the options: its models in the order in which they are run."""
    from burn_verify.cases import manifest
    from burn_verify.run.sweep import shard

    cache = arguments.seams.cache(settings.cache_dir)
    chosen = asked(settings, lambda text, project: look(cache, project, text), shipped_by(settings, listen))
    cases = manifest.read(arguments.manifest, cache, offline=settings.offline, hints=settings.hints)
    costs = shard.costs(cases, settings.shard_costs)
    sweep = Sweep(
        settings=replace(settings, shard=None, shard_costs=None),
        folder=arguments.out.absolute(),
        cases=cases,
        targets=shard.as_recorded(one.target for one in chosen),
        costs=costs,
    )
    return sweep if arguments.cover is None else _covering(sweep, arguments.cover, cache, listen)


def _covering(sweep: Sweep, count: int, cache: Cache, listen: Listener) -> Sweep:
    """Return a sweep with its models in the order of what they add, or only the first of them; say what that is."""
    from burn_verify.run.sweep import cover

    found = cover.cover(sweep.cases, cache, listen)
    first = count or len(found.order)
    held, rest = found.first(first), found.rest(first)
    hold = f"hold {_counted(held)}"
    if rest:
        all_of = f"{found.needed} models would hold all"
        print(f"the first {first} of {len(found.order)} models {hold}; {all_of}: the rest could add {_added(rest)}")
    else:
        print(f"{found.needed} of {len(found.order)} models {hold}; each of the others adds nothing to them")
    if found.unread:
        print(f"{len(found.unread)} cannot be read, so nothing is known of them: {_listed(found.unread)}")
    by_id = {case.id: case for case in sweep.cases}
    return replace(sweep, cases=tuple(by_id[case_id] for case_id in found.order[:first]))


def _counted(items: Collection[Any]) -> str:
    from burn_verify.run.sweep.cover import operators

    return f"{len(operators(items))} operators and {len(items) - len(operators(items))} cells of nodes"


def _added(rest: Collection[Any]) -> str:
    from burn_verify.run.sweep.cover import operators

    names = operators(rest)
    return _counted(rest) + (f" ({', '.join(names)})" if names else "")


def _run(arguments: argparse.Namespace, sweep: Sweep, settings: Settings, listen: Listener) -> None:
    from burn_verify.run.sweep import fleet, shard

    if not arguments.shards:
        index, count = settings.shard or (1, 1)
        shard.run(sweep, index, count, arguments.seams, listen)
        return
    local = arguments.cluster == "local"
    failed = fleet.run(
        Task(sweep, arguments.shards, arguments.seams),
        fleet.Fleet(
            cluster=arguments.cluster,
            folder=sweep.folder / fleet.LOGS / "%j",
            numbers=shard.unfinished(sweep, arguments.shards),
            parallel=arguments.parallel or (2 if local else arguments.shards),
            parameters=_parameters(arguments.slurm, local=local),
        ),
        listen,
    )
    for number, why in failed.items():
        sys.stderr.write(harmless(f"burn-verify: shard {number} of {arguments.shards} died: {why}\n"))


def _parameters(text: str, *, local: bool) -> dict[str, Any]:
    """Return the parameters of the jobs; numbers are numbers."""
    found: dict[str, Any] = {}
    for pair in filter(None, text.split(",")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not key.isidentifier():
            message = f"--slurm: KEY=VALUE is needed, not {pair!r}"
            raise UsageError(message)
        own = key if key.startswith("slurm_") or key == "timeout_min" else f"slurm_{key}"
        found[own] = int(value) if value.isdigit() else value
    return {} if local else found


def _kubernetes(arguments: argparse.Namespace) -> str:
    from burn_verify.run.sweep.kubernetes import manifest

    typed_options = [
        word
        for option in OPTIONS
        if option.field not in ("shard", "cache_dir") and (value := typed(arguments).get(option.field)) is not None
        for word in (f"{option.flag}={line}" for line in (value.splitlines() if option.repeat else [value]))
    ]
    cover = [] if arguments.cover is None else ["--cover", *([str(arguments.cover)] if arguments.cover else [])]
    words = ["burn-verify", "sweep", str(arguments.manifest), "--out", str(arguments.out), *cover, *typed_options]
    parallel = arguments.parallel or arguments.shards
    return manifest(words, image=arguments.kubernetes, shards=arguments.shards, parallel=parallel)


def _keep(gathered: Gathered, cache: Cache) -> None:
    """Write the tables, where DuckDB is installed, and remember the record as that of the last run."""
    from burn_verify.record import parquet, store

    copy_atomically(gathered.record, cache.root / LAST_RECORD)
    try:
        parquet.write(store.read_run(gathered.record), gathered.record.parent)
    except UsageError as error:
        sys.stderr.write(f"burn-verify: no Parquet files were written: {error}\n")


def _say(gathered: Gathered, sweep: Sweep, settings: Settings) -> int:
    """Print the totals of each target; return the exit code."""
    width = shutil.get_terminal_size((120, 40)).columns
    failed = False
    for target, results in gathered.results.items():
        expected = expected_of(settings, target)
        if len(sweep.targets) > 1:
            print(f"\n{target.label}")
        print(render_table(results, match.expected_reasons(results, expected), width))
        failed |= _unexpected(results, expected)
    print(f"results are kept in {gathered.record.parent}")
    for name, values in gathered.mixed.items():
        sys.stderr.write(f"burn-verify: warning: not all shards ran alike: {name} was {' and '.join(values)}\n")
    return _missing(gathered) or (1 if failed else 0)


def _missing(gathered: Gathered) -> int:
    for target, ids in gathered.missing.items():
        if ids:
            how_many = "1 model has" if len(ids) == 1 else f"{len(ids)} models have"
            said = f"{how_many} no result on {target.label}: {_listed(ids)}"
            sys.stderr.write(harmless(f"burn-verify: missing: {said}\n"))
    return 0 if gathered.complete else _INCOMPLETE


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more


def _unexpected(results: Sequence[CaseResult], expected: match.Expectations) -> bool:
    """Return whether a model ended otherwise than it should: a failure nobody expects, or a pass nobody expects."""
    for result in results:
        known = expected.of(result.case_id)
        failed = result.outcome is Outcome.FAILED
        if failed and (known is None or not known.fits(result)):
            return True
        if known is not None and result.outcome is Outcome.PASSED:
            return True
    return False
