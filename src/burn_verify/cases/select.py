"""From names on the command line to cases: a file, a download or a stand-in for each name on this machine.

Downloads nothing; checks once in a run whether the hub can be reached.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.cases import files, zoo
from burn_verify.cases import sized as sized_cases
from burn_verify.cases.conformance.collection import Corpus
from burn_verify.cases.conformance.suites import LIGHT, light_cases, suites_of
from burn_verify.cases.load import stored_location
from burn_verify.core.case import Case, Hints, ModelFile, Seeded, Source, Unavailable
from burn_verify.core.errors import UsageError
from burn_verify.core.given import put_over
from burn_verify.core.option_values import ALL
from burn_verify.core.progress import Listener, silent
from burn_verify.system.cache import Cache
from burn_verify.system.download import reachable
from burn_verify.system.files import write_if_changed

_HOW = "use --zoo-mirror DIR, or connect to the network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The cases of some names.

    Attributes:
        cases: each once, in the order of the names.
        left_out: ids of the zoo's entries that ``all`` leaves out, since they are not available here.
    """

    cases: tuple[Case, ...]
    left_out: tuple[str, ...] = ()


class Selection:
    """Turns names into cases.

    Arguments:
        mirror: a folder laid out like the zoo, searched first.
        offline: never connect to the hub.
        listen: gets the progress where cases have to be collected first.
        reach: says whether anything answers at a URL.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        mirror: Path | None,
        offline: bool,
        listen: Listener = silent,
        reach: Callable[[str], bool] = reachable,
    ) -> None:
        self._cache = cache
        self._mirror = mirror
        self._offline = offline
        self._listen = listen
        self._zoo = zoo.load()
        self._reach = reach

    def choose(
        self,
        names: Iterable[str],
        suites: Iterable[str] = (),
        ops: Sequence[str] = (),
        profile: str = "quick",
        *,
        sized: bool = False,
        hints: Hints = Hints(),  # noqa: B008  (immutable)
    ) -> Choice:
        """Return the cases of names, then those of suites of ONNX's own cases, then those of operators.

        Arguments:
            ops, profile: operators, and how many generated graphs of each.
            hints: put over what is known of the named models.
            sized: choose the operators' graphs at useful sizes instead, for timing; their ids are names in any case.

        Raises:
            UsageError: a name fits no model or several, a path does not exist, no model of the zoo is available.
            ToolchainError: ONNX's own cases could not be collected.
        """
        own: list[Path] = []
        found: list[Case] = []
        left_out: tuple[str, ...] = ()
        for name in names:
            # A folder with the name of a model has to be written as ./NAME.
            if files.is_path(name) and not self._zoo.knows(name):
                own += files.paths(name)
            elif name.lower() == ALL:
                everything = self._everything()
                found += everything.cases
                left_out = everything.left_out
            else:
                found.append(self._named(name))
        corpus = Corpus(self._cache, self._listen)
        collected = [
            case for suite in suites_of(suites) for case in (light_cases() if suite == LIGHT else corpus.cases(suite))
        ]
        at_size = [name for name in ops if sized or name.startswith(f"{sized_cases.CORPUS}/")]
        made = self._generated(tuple(name for name in ops if name not in at_size), profile)
        named = (replace(case, hints=put_over(hints, case.hints)) for case in (*found, *files.cases(own)))
        unique = {case.id: case for case in (*named, *collected, *made, *self._sized(at_size))}
        return Choice(cases=tuple(unique.values()), left_out=left_out)

    def _generated(self, ops: tuple[str, ...], profile: str) -> tuple[Case, ...]:
        if not ops:
            return ()
        # The declarations and their imports are slow to load, and needed only here.
        from burn_verify.cases.generated import collection

        return collection.Generated(self._cache, self._listen).choose(ops, profile)

    def _sized(self, ops: Iterable[str]) -> Iterator[Case]:
        for graph in sized_cases.chosen(ops):
            path = self._cache.folder(sized_cases.CORPUS) / f"{graph.op_type}-{graph.name}.onnx"
            write_if_changed(path, sized_cases.model_of(graph))
            yield Case(id=graph.case_id, corpus=sized_cases.CORPUS, source=ModelFile(path=path))

    def _everything(self) -> Choice:
        sources = {entry: self._source(entry) for entry in self._zoo.entries.values()}
        cases = tuple(_case(entry, source) for entry, source in sources.items() if source is not None)
        if not cases:
            message = f"--models all: no model of the zoo is at hand: {_HOW}; --models mnist works without either"
            raise UsageError(message)
        return Choice(cases=cases, left_out=tuple(_id(entry) for entry, source in sources.items() if source is None))

    @functools.cached_property
    def hub_is_reachable(self) -> bool:
        """Whether the hub can be reached; checked once in a run."""
        return not self._offline and self._reach(self._zoo.base_url)

    def at_hand(self, entry: zoo.ZooEntry) -> ModelFile | None:
        """Return the file of an entry if it is in the mirror or in the cache."""
        for path in self._places(entry):
            if path.is_file():
                return ModelFile(path=path, sha256=entry.sha256)
        return None

    def _places(self, entry: zoo.ZooEntry) -> Iterator[Path]:
        if self._mirror is not None:
            yield self._mirror / entry.file
            yield self._mirror / Path(entry.file).name
            if entry.hub_path is not None:
                yield self._mirror / entry.hub_path
        if entry.download is not None:
            yield stored_location(self._cache, entry.download)

    def _named(self, name: str) -> Case:
        """Return the first candidate on this machine, else the first that can be downloaded, else a stand-in."""
        try:
            candidates = self._zoo.resolve(name)
        except UsageError as error:
            if not Path(name).is_file():
                raise
            message = f"{error} (the file {name} is meant by ./{name}: its name is not that of a model)"
            raise UsageError(message) from None
        for entry in candidates:
            if source := self.at_hand(entry):
                return _case(entry, source)
        if self.hub_is_reachable:
            for entry in candidates:
                if entry.download is not None:
                    return _case(entry, entry.download)
        architecture = self._zoo.seeded_architecture(name)
        if architecture is not None:
            return _stand_in(architecture)
        missing = f"{candidates[0].name} is neither in a mirror nor in the cache, and the hub was not reached: {_HOW}"
        return _case(candidates[0], Unavailable(reason=missing))

    def _source(self, entry: zoo.ZooEntry) -> Source | None:
        if here := self.at_hand(entry):
            return here
        return entry.download if entry.download is not None and self.hub_is_reachable else None


def _id(entry: zoo.ZooEntry) -> str:
    return f"{zoo.CORPUS}/{entry.name}"


def _case(entry: zoo.ZooEntry, source: Source) -> Case:
    return Case(id=_id(entry), corpus=zoo.CORPUS, source=source, hints=entry.hints)


def _stand_in(architecture: str) -> Case:
    return Case(
        id=f"{zoo.CORPUS}/{architecture}@seeded",
        corpus=zoo.CORPUS,
        source=Seeded(architecture=architecture),
        note="untrained stand-in: the architecture with random weights, as the trained model is not at hand",
    )
