"""Collectors side by side: parts of a collection, each made in a folder of its own, and then put to its place."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

from burn_verify.cases.index import run_collector
from burn_verify.core.progress import Listener, Progress
from burn_verify.system.cache import Cache
from burn_verify.system.process import Commands


def collect(
    module: str,
    first: str,
    names: Sequence[str],
    root: Path,
    cache: Cache,
    *,
    phase: str,
    what: str,
    listen: Listener,
) -> None:
    """Run a collector in as many processes as there are processors; it takes `first`, a folder, the cache, and names.

    Arguments:
        names: of the folders that it makes, one line on stdout each.
        root: where they are put.
        what: is made, for the progress.

    Raises:
        ToolchainError: one failed.
    """
    listen(Progress(phase=phase, done=0, total=len(names), text=what))
    scratch = root / f".new.{os.getpid()}"
    scratch.mkdir(parents=True, exist_ok=True)
    processes = max(1, min(os.cpu_count() or 1, len(names)))
    done = count(1)

    def on_step(line: str) -> None:
        listen(Progress(phase=phase, done=next(done), total=len(names), text=line))

    commands = Commands()
    make = partial(_part, module, first, scratch, cache, on_step, commands)
    try:
        with ThreadPoolExecutor(processes) as several:
            try:
                list(several.map(make, [names[place::processes] for place in range(processes)]))
            finally:
                # Ctrl-C must not wait for what the threads wait for.
                commands.end()
        for name in names:
            shutil.rmtree(root / name, ignore_errors=True)
            (scratch / name).replace(root / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _part(
    module: str,
    first: str,
    scratch: Path,
    cache: Cache,
    on_step: Callable[[str], None],
    among: Commands,
    names: Sequence[str],
) -> None:
    failed = "generated graphs could not be made"
    arguments = [first, str(scratch), str(cache.root), *names]
    run_collector(module, arguments, scratch, on_step=on_step, failed=failed, among=among)
