"""The search for the smallest set of rewritings after which a model agrees; pure: what tries a set is a parameter.

A strategy is a generator: it yields sets that are to be tried together, and receives how each of them ended. So one
batch holds the sets of many models.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import Outcome, Stage
from burn_verify.prepare.catalogue import FREE
from burn_verify.prepare.recipe import Rewritten
from burn_verify.prepare.rewriting import Rewriting, Risk

_ROUNDS: Final = 6
"""Rounds in which a working set is made smaller."""

Recipe: TypeAlias = tuple[Rewriting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A set of rewritings that was tried.

    Attributes:
        result: how the rewritten model ended; None where the set changes nothing.
    """

    recipe: Recipe
    rewritten: Rewritten
    result: CaseResult | None

    @property
    def agrees(self) -> bool:
        """Whether the rewritten model passes; a model for which ONNX Runtime is called wrong does not count here."""
        return self.result is not None and self.result.outcome is Outcome.PASSED

    @property
    def effective(self) -> Recipe:
        """The rewritings of the set that changed something, or set an option."""
        names = set(self.rewritten.names)
        return tuple(one for one in self.recipe if one.options or one.name in names)

    @property
    def reached(self) -> int:
        """How far the model came: the number of its last stage; higher is further."""
        if self.result is None:
            return -1
        worst = self.result.verdict is VerdictName.DISAGREES
        return list(Stage).index(self.result.stage) + (not worst and self.agrees)


Strategy: TypeAlias = Generator[Sequence[Recipe], Sequence[Attempt], Attempt | None]
"""Returns the smallest set that agrees; where none does, the one that comes furthest, None where nothing applies."""

Try: TypeAlias = Callable[[Sequence[tuple[str, Recipe]]], Sequence[Attempt]]
"""Tries sets of rewritings on models by name, all in one batch."""


def strategy(rewritings: Sequence[Rewriting], *, thrifty: bool = False) -> Strategy:
    """Return a strategy: every rewriting alone, then all together; then what can be left out of those together.

    Those together that may do harm are tried only where the others fail: each set that converts has to be compiled.

    Arguments:
        thrifty: try those together first, and one alone only where they fail: fewer models in all, for many at once.
    """
    whole = [one for one in rewritings if not one.options]
    singles: Sequence[Recipe] = [(one,) for one in rewritings]
    careful, bold, optional = _together(whole, [one for one in rewritings if one.options])
    tried: Sequence[Attempt] = []
    known: set[Recipe] = {()}
    for sets in (bold, [*singles, *careful, *optional]) if thrifty else (singles, careful, bold, optional):
        fresh = [one for one in dict.fromkeys(sets) if one not in known]
        known.update(fresh)
        found = (yield fresh) if fresh else []
        tried = [*tried, *found]
        if _smallest(tried) is not None:
            break
    best = _smallest(tried)
    if best is None and len(whole) > 1:
        further = yield [_without(recipe, one) for recipe in bold for one in whole]
        tried = [*tried, *further]
        best = _smallest(tried)
    if best is None:
        built = [one for one in tried if one.result is not None]
        return max(built, key=lambda one: one.reached, default=None)
    # What cannot be left out of a set is not tried again in smaller ones: they would not agree either, and each costs.
    loose = list(best.effective)
    for _ in range(_ROUNDS):
        if len(best.effective) < 2 or not loose:
            break
        sets = [_without(best.effective, one) for one in loose]
        smaller = yield [*sets, tuple(one for one in best.effective if one not in loose)]
        less = _smallest(smaller)
        if less is None:
            break
        left_out = {one for one, attempt in zip(loose, smaller, strict=False) if attempt.agrees}
        best = less
        loose = [one for one in best.effective if one in left_out]
    return best


def _together(whole: Sequence[Rewriting], options: Sequence[Rewriting]) -> tuple[Sequence[Recipe], ...]:
    """Return the sets of many rewritings that are tried: without what may do harm, with it, and with an option."""
    below = {risk: tuple(one for one in whole if one.risk <= risk) for risk in Risk}
    free = [option for option in options if option.name in FREE]
    careful, bold = [below[Risk.NONE], below[Risk.LITTLE]], [below[Risk.SOME], below[Risk.LAST]]
    return careful, bold, [(*below[risk], option) for risk in (Risk.SOME, Risk.LITTLE) for option in free]


def _without(recipe: Recipe, rewriting: Rewriting) -> Recipe:
    return tuple(one for one in recipe if one is not rewriting)


def _smallest(tried: Sequence[Attempt]) -> Attempt | None:
    """Return the set that agrees with the fewest rewritings; of equals, options before changes of the model."""
    agreeing = [one for one in tried if one.agrees]
    return min(agreeing, key=lambda one: (len(one.effective), len(one.rewritten.steps)), default=None)


def searched(strategies: Mapping[str, Strategy], attempt: Try) -> dict[str, Attempt | None]:
    """Run the strategies of many models together, and return what each of them found."""
    found: dict[str, Attempt | None] = {}
    wanted: dict[str, Sequence[Recipe]] = {}
    for name, one in strategies.items():
        _advance(name, one, None, wanted, found)
    while wanted:
        asked = [(name, recipe) for name, recipes in wanted.items() for recipe in recipes]
        made: dict[str, list[Attempt]] = {name: [] for name in wanted}
        for (name, _), tried in zip(asked, attempt(asked), strict=True):
            made[name].append(tried)
        wanted = {}
        for name, tries in made.items():
            _advance(name, strategies[name], tries, wanted, found)
    return found


def _advance(
    name: str,
    one: Strategy,
    tries: Sequence[Attempt] | None,
    wanted: dict[str, Sequence[Recipe]],
    found: dict[str, Attempt | None],
) -> None:
    try:
        wanted[name] = next(one) if tries is None else one.send(tries)
    except StopIteration as end:
        found[name] = end.value
