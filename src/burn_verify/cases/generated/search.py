"""Looks for values on which a compiled graph and its reference differ: Hypothesis draws, shrinks and remembers.

Knows neither Burn nor ONNX Runtime: whoever answers and whoever judges comes from outside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy.typing as npt

from burn_verify.cases.generated.build import Choice
from burn_verify.cases.generated.strategies import values_strategy, varies
from burn_verify.core.errors import StageError

Feeds: TypeAlias = Mapping[str, npt.NDArray[Any]]

_MOST: Final = 24
_USUAL: Final = 14
"""Sets of values in one of Hypothesis's examples: the most, and about how many there usually are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search came to.

    Attributes:
        examples: sets of values that were compared.
        rejected: sets that the reference refused, which say nothing.
        error: what was raised on the smallest set found, None where all agree.
        feeds: that set, by name of input.
    """

    examples: int
    rejected: int
    error: StageError | None = None
    feeds: Feeds | None = None


class Failed(Exception):
    """A set of values on which the graph does not do what the reference does."""

    def __init__(self, error: StageError, feeds: Feeds) -> None:
        super().__init__(str(error))
        self.error = error
        self.feeds = feeds


def search(
    choice: Choice, check: Callable[[Sequence[Feeds]], int], *, examples: int, seed: int, memory: Path, shrink: bool
) -> Search:
    """Draw sets of values until one fails, and return the smallest that does.

    Arguments:
        check: compares some sets, which saves time, and returns how many of them have a reference; raises `Failed`.
        examples: how many sets.
        seed: the same one draws the same sets.
        memory: a folder of this graph's own, in which failing sets are kept and tried first.
        shrink: whether to look for the smallest set; else the first one found will do.
    """
    from hypothesis import HealthCheck, Phase, given, settings, strategies
    from hypothesis import seed as seeded
    from hypothesis.database import DirectoryBasedExampleDatabase

    if not varies(choice):
        return Search(examples=0, rejected=0)
    compared = rejected = 0
    last: list[Failed] = []

    def once(several: Sequence[Feeds]) -> None:
        nonlocal compared, rejected
        try:
            answered = check(several)
        except Failed as failed:
            last[:] = [failed]
            raise
        compared += answered
        # What has no answer says nothing, and is no failure either, not even if that is so of all.
        rejected += len(several) - answered

    some = strategies.lists(values_strategy(choice), min_size=1, max_size=_MOST)
    run = settings(
        max_examples=max(1, round(examples / _USUAL)),
        database=DirectoryBasedExampleDatabase(memory),
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.reuse, Phase.generate, *([Phase.shrink] if shrink else [])),
        suppress_health_check=list(HealthCheck),
    )(seeded(seed)(given(some)(once)))
    try:
        while compared + rejected < examples:
            run()
            # The lists are as long as they like: go on until there were enough, with other values.
            run = seeded(seed := seed + 1)(run)
    except Exception:
        if not last:
            raise
        # What Hypothesis tried last is the smallest; a failure that does not come back is told by the last seen.
        return Search(examples=compared, rejected=rejected, error=last[0].error, feeds=last[0].feeds)
    return Search(examples=compared, rejected=rejected)
