"""Generated graphs, made once for their declarations and kept as files.

This is the side that asks for them; `generating` makes them, in processes of its own. Reads no model.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.cases.generated.profiles import PROFILES
from burn_verify.cases.generated.registry import records
from burn_verify.cases.index import MADE_BY, collected_from_json, run_collector
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.options import ALL
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.system.cache import Cache, prune
from burn_verify.system.files import read_json

_PHASE: Final = "generate"
_KEPT: Final = 3
_DAY: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What names mean: operators, and the ids of single cases of theirs; all cases where there are none."""

    operators: tuple[str, ...]
    ids: frozenset[str] = frozenset()


def wanted(names: Iterable[str]) -> Wanted:
    """Return the operators that names mean, each once, sorted; ``all`` means those that have graphs.

    An id, with or without ``op/``, means one case. Its commas were taken for those between names: what follows a name
    and holds an equals sign is the rest of an id.

    Raises:
        UsageError: a name is no operator's, or the operator has no generated graphs.
    """
    known = {name.lower(): name for name in records()}
    whole: list[str] = []
    for name in names:
        if whole and "=" in name and "/" not in name:
            whole[-1] += f",{name}"
        else:
            whole.append(name.removeprefix(f"{CORPUS}/"))
    found: set[str] = set()
    ids: set[str] = set()
    for name in whole:
        operator = name.partition("/")[0].rpartition("-")[0] if "/" in name else name
        if operator.lower() == ALL:
            found.update(known.values())
        elif operator.lower() in known:
            found.add(known[operator.lower()])
        else:
            why = "burn-verify ops list shows every operator, and why some have no graphs"
            message = f"--ops: no generated graphs for {name!r}: {why}"
            raise UsageError(message)
        ids.update([f"{CORPUS}/{name}"] if "/" in name else [])
    return Wanted(operators=tuple(sorted(found)), ids=frozenset(ids))


class Generated:
    """The generated cases of operators.

    Arguments:
        listen: told of every step where graphs have to be made first.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen
        self._done = 0

    def choose(self, names: Iterable[str], profile: str) -> tuple[Case, ...]:
        """Return the cases that names mean; single ones are looked for in every profile.

        Raises:
            UsageError: a name means nothing.
            ToolchainError: they could not be made.
        """
        meant = wanted(names)
        if not meant.ids:
            return self.cases(meant.operators, profile)
        found: dict[str, Case] = {}
        for wider in PROFILES[PROFILES.index(profile) :]:
            found |= {case.id: case for case in self.cases(meant.operators, wider) if case.id in meant.ids}
            if len(found) == len(meant.ids):
                return tuple(found.values())
        message = f"--ops: no generated graph is called {min(meant.ids - found.keys())!r}: try burn-verify ops list"
        raise UsageError(message)

    def cases(self, names: Sequence[str], profile: str) -> tuple[Case, ...]:
        """Return the cases of operators in a profile; make them where that was never done.

        Raises:
            ToolchainError: they could not be made.
        """
        root = self._root(profile)
        if any(not (root / name / "index.json").is_file() for name in names):
            root.mkdir(parents=True, exist_ok=True)
            with self._cache.lock(f"generated-{profile}", self._waiting):
                self._make([name for name in names if not (root / name / "index.json").is_file()], profile, root)
        return tuple(
            case
            for name in names
            for entry in read_json(root / name / "index.json") or ()
            if (case := _case(entry, root / name)) is not None
        )

    def _root(self, profile: str) -> Path:
        return self._cache.folder("generated") / key() / profile

    def _make(self, names: Sequence[str], profile: str, root: Path) -> None:
        self._done = 0
        self._listen(Progress(phase=_PHASE, done=0, total=len(names), text=f"graphs of {len(names)} operators"))
        scratch = root / f".new.{os.getpid()}"
        processes = min(os.cpu_count() or 1, len(names) or 1)
        try:
            with ThreadPoolExecutor(max(1, processes)) as several:
                parts = [names[place::processes] for place in range(processes)]
                list(several.map(lambda part: self._make_part(part, profile, scratch, len(names)), parts))
            for name in names:
                shutil.rmtree(root / name, ignore_errors=True)
                (scratch / name).replace(root / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        prune(self._cache.folder("generated"), keep=_KEPT, young=_DAY)

    def _make_part(self, names: Sequence[str], profile: str, scratch: Path, total: int) -> None:
        def on_step(line: str) -> None:
            self._done += 1
            self._listen(Progress(phase=_PHASE, done=self._done, total=total, text=line))

        scratch.mkdir(parents=True, exist_ok=True)
        arguments = [profile, str(scratch), str(self._cache.root), *names]
        failed = "generated graphs could not be made"
        run_collector("cases.generated.collector", arguments, scratch, on_step=on_step, failed=failed)

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text))


def key() -> str:
    """Return the name of the folder of what the installed libraries and this code make."""
    return MADE_BY.digest[:16]


def _case(entry: Mapping[str, Any], folder: Path) -> Case | None:
    if entry["invalid"]:
        return None
    return Case(id=entry["id"], corpus=CORPUS, source=collected_from_json(entry, folder), note=entry["note"])
