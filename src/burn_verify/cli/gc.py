"""The command ``burn-verify gc``: the disk space of Burn and compiled models, and how to free it.

`burn.disk` measures and deletes.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Final

from tabulate import tabulate

from burn_verify.burn import disk
from burn_verify.burn.disk import Kind, Usage
from burn_verify.cli.common import Commands, add_command, add_options, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress
from burn_verify.core.versions import BACKENDS
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

_DESCRIPTION: Final = """\
List what versions of Burn, backends, checkouts, compiled models and all that is kept of models take on disk. Named
ones are deleted with --yes; without it, it is said what would be. Nothing is deleted that a run uses which goes on.

*frees* is what deleting one of them alone would free, *shared* what it needs and something else needs as well. What is
deleted is built again when it is needed: minutes for a version or a backend, milliseconds for a model."""
_EXAMPLES: Final = """\
examples:
  burn-verify gc                        what is there
  burn-verify gc leftovers              what would be freed
  burn-verify gc leftovers --yes        free it
  burn-verify gc reference kept         what is kept of models: one folder of it, all of it
  burn-verify gc 0.21.0 wgpu --yes      what has to do with a version or a backend
  burn-verify gc --keep 0.22.1 --yes    everything else
exit codes: 0 done, 4 usage"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "gc", "show what each target takes on disk, and free it", _DESCRIPTION, _EXAMPLES)
    command.add_argument("names", nargs="*", metavar="NAME", help="delete what has this word in its name or kind")
    command.add_argument("--keep", nargs="+", default=[], metavar="NAME", help="delete everything but these")
    command.add_argument("--yes", action="store_true", help="delete; without it nothing is touched")
    add_options(command, ("cache_dir",))
    command.set_defaults(run=_gc)


def _gc(arguments: argparse.Namespace) -> int:
    if arguments.names and arguments.keep:
        message = "names to delete and --keep exclude each other"
        raise UsageError(message)
    cache = Cache(settings_from(typed(arguments)).cache_dir)
    with LongWork(sys.stderr) as work:
        work.listen(Progress(phase="disk", done=0, total=0, text=str(cache.root)))
        found = disk.usages(cache)
    if not found:
        print(f"{cache.root} holds nothing of Burn")
        return 0
    if not (arguments.names or arguments.keep):
        print(_table(found, cache))
        print(f"\n{_size(sum(usage.own for usage in found))} and what is shared in {cache.root}")
        return 0
    chosen = _chosen(found, arguments.names, arguments.keep)
    if not chosen:
        print("nothing to delete")
        return 0
    print(_table(chosen, cache))
    if not arguments.yes:
        print("\nnothing was deleted: say --yes to delete these")
        return 0
    freed = 0
    with LongWork(sys.stderr) as work:
        for place, usage in enumerate(chosen):
            work.listen(Progress(phase="disk", done=place, total=len(chosen), text=usage.name))
            freed += disk.free(cache, usage)
    print(f"\nfreed {_size(freed)}")
    return 0


def _chosen(found: Sequence[Usage], names: Iterable[str], keep: Sequence[str]) -> list[Usage]:
    """Return the entries to delete.

    Raises:
        UsageError: a name is unknown.
    """
    for name in (*names, *keep):
        if name not in list(Kind) and not any(_fits(usage, name) for usage in found):
            known = ", ".join(sorted({usage.name for usage in found}))
            message = f"nothing is called {name!r}; there is {known}"
            raise UsageError(message)
    if keep:
        return [usage for usage in found if not any(_fits(usage, name) for name in keep)]
    return [usage for usage in found if any(_fits(usage, name) for name in names)]


def _fits(usage: Usage, name: str) -> bool:
    # Whole words, since 0.22.1 is not 0.22.10; only versions, checkouts and backends.
    words = usage.name.replace(",", " ").split()
    telling = [word for word in words if word in BACKENDS or any(char.isdigit() for char in word)]
    return name in (*telling, usage.name, usage.kind.value, str(usage.folder.name))


def _table(usages: Iterable[Usage], cache: Cache) -> str:
    rows = [
        [
            usage.name,
            usage.kind.value,
            _size(usage.own),
            _size(usage.shared),
            _age(usage.used),
            usage.folder.relative_to(cache.root),
        ]
        for usage in sorted(usages, key=lambda usage: (-usage.own, usage.name))
    ]
    head = ["what", "kind", "frees", "shared", "last used", "where"]
    align = ("left", "left", "right", "right", "left", "left")
    return tabulate(rows, headers=head, disable_numparse=True, colalign=align)


def _size(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 // 10 else f"{size / 2**20:.0f} MiB"


def _age(used: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(used)) if used else ""
