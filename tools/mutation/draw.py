"""Which mutants are made: seeded, spread over classes first and over cases second. Pure."""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mutation import kinds
from mutation.boundary import Answered, of_boundary
from mutation.change import Change, change_of
from mutation.operators import FINDERS
from mutation.rust import Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A change of the module of one case."""

    case_id: str
    change: Change

    @property
    def id(self) -> str:
        """Stable: the case, and a digest of the change."""
        return f"{self.case_id}#{self.change.key}"

    def to_json(self) -> dict[str, Any]:
        """Return the mutant as a line of JSON says it."""
        return {"id": self.id, "case": self.case_id, **self.change.to_json(), "diff": self.change.diff}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Mutant":
        """Return the mutant of `to_json`."""
        return cls(case_id=value["case"], change=Change.from_json(value))


def changes_of(text: str, answered: Answered) -> list[Change]:
    """Return every change that one module can have, each once.

    Arguments:
        answered: what the module was given and returned for its first data set.
    """
    module = Module(text)
    try:
        sites = [site for finder in FINDERS for site in finder(module)]
        sites += of_boundary(module, answered)
    except (ValueError, IndexError):
        # Text that is not read as it is meant gives no mutants, and says nothing of the judge.
        return []
    changes = (change_of(text, site.kind, site.operator, site.start, site.end, site.new) for site in sites)
    unique: dict[tuple[str, str, int], Change] = {}
    for change in changes:
        if change.new != change.old:
            unique.setdefault((change.old, change.new, change.occurrence), change)
    return list(unique.values())


def drawn(changes: Mapping[str, list[Change]], seed: int) -> Iterator[Mutant]:
    """Yield mutants in the order in which they are tried, each once.

    Classes take turns, and operators inside a class, so that those with few places are used up rather than drowned;
    of an operator every case has its first turn before any has its second.

    Arguments:
        changes: by case id; the order does not matter.
        seed: the same one gives the same order.
    """
    rng = random.Random(seed)
    ranked: dict[str, dict[str, list[tuple[int, float, Mutant]]]] = {kind: defaultdict(list) for kind in kinds.ALL}
    for case_id in sorted(changes):
        some = sorted(changes[case_id], key=lambda change: change.key)
        rng.shuffle(some)
        ranks: Counter[str] = Counter()
        for change in some:
            mutant = Mutant(case_id=case_id, change=change)
            ranked[change.kind][change.operator].append((ranks[change.operator], rng.random(), mutant))
            ranks[change.operator] += 1
    classes = [_in_turn(_by_rank(some) for _, some in sorted(ranked[kind].items())) for kind in kinds.ALL]
    yield from _in_turn(classes)


def _by_rank(entries: list[tuple[int, float, Mutant]]) -> Iterator[Mutant]:
    for _, _, mutant in sorted(entries, key=lambda entry: entry[:2]):
        yield mutant


def _in_turn(queues: Iterable[Iterator[Mutant]]) -> Iterator[Mutant]:
    """Yield one of each, again and again, until all are used up."""
    waiting = deque(queues)
    while waiting:
        queue = waiting.popleft()
        for mutant in queue:
            yield mutant
            waiting.append(queue)
            break
