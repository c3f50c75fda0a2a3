"""Generated graphs, made once for their declarations and kept as files.

`collector` makes them, in child processes. Reads no model.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.cases.collecting import collect
from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.cases.generated.profiles import PROFILES
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.index import MADE_BY, cases_of, has_index, read_index
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.option_values import ALL
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.system.cache import Cache

_PHASE: Final = "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """Operators, and the ids of single cases of them; all cases of the operators where there are no ids."""

    operators: tuple[str, ...]
    ids: frozenset[str] = frozenset()


def requested(names: Iterable[str]) -> Requested:
    """Return the operators of names, each once, sorted; ``all`` is every operator that has graphs.

    An id, with or without ``op/``, selects one case. Names were split at all commas, those of ids too: a part after a
    name that holds an equals sign is the rest of an id.

    Raises:
        UsageError: a name is no operator's, or the operator has no generated graphs.
    """
    known = {name.lower(): name for name in operator_specs()}
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
    return Requested(operators=tuple(sorted(found)), ids=frozenset(ids))


class Generated:
    """The generated cases of operators.

    Arguments:
        listen: gets the progress where graphs have to be made first.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen

    def choose(self, names: Iterable[str], profile: str) -> tuple[Case, ...]:
        """Return the cases of names; single cases are searched in every profile.

        Raises:
            UsageError: a name is unknown.
            ToolchainError: they could not be made.
        """
        request = requested(names)
        if not request.ids:
            return self.cases(request.operators, profile)
        found: dict[str, Case] = {}
        for wider in PROFILES[PROFILES.index(profile) :]:
            found |= {case.id: case for case in self.cases(request.operators, wider) if case.id in request.ids}
            if len(found) == len(request.ids):
                return tuple(found.values())
        message = f"--ops: no generated graph is called {min(request.ids - found.keys())!r}: try burn-verify ops list"
        raise UsageError(message)

    def cases(self, names: Sequence[str], profile: str) -> tuple[Case, ...]:
        """Return the cases of operators in a profile; make them the first time.

        Raises:
            ToolchainError: they could not be made.
        """
        root = self._root(profile)
        if not all(has_index(root / name) for name in names):
            root.mkdir(parents=True, exist_ok=True)
            with self._cache.lock(f"generated-{profile}", self._waiting):
                self._make([name for name in names if not has_index(root / name)], profile, root)
        indexes = ((root / name, read_index(root / name)) for name in names)
        return tuple(case for folder, index in indexes if index for case in cases_of(index, CORPUS, folder))

    def _root(self, profile: str) -> Path:
        return self._cache.generation("generated", key()) / profile

    def _make(self, names: Sequence[str], profile: str, root: Path) -> None:
        what = f"graphs of {len(names)} operators"
        module = "cases.generated.collector"
        collect(module, profile, names, root, self._cache, phase=_PHASE, what=what, listen=self._listen)

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text, whole=True))


def key() -> str:
    """Return the name of the folder of what the installed libraries and this code make."""
    return MADE_BY.digest[:16]
