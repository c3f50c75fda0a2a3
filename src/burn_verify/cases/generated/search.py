"""Search for values on which a compiled graph and its reference differ: Hypothesis draws, shrinks and stores them.

Knows neither Burn nor ONNX Runtime: the caller passes a function that answers and compares.
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
"""Sets of values in one of Hypothesis's examples: the greatest number, and about the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The result of a search.

    Attributes:
        examples: number of sets of values that were compared.
        rejected: number of sets that the reference refused.
        error: the exception for the smallest failing set, None where all agree.
        feeds: that set, by name of input.
    """

    examples: int
    rejected: int
    error: StageError | None = None
    feeds: Feeds | None = None


class Failed(Exception):
    """A set of values on which the graph differs from the reference."""

    def __init__(self, error: StageError, feeds: Feeds) -> None:
        super().__init__(str(error))
        self.error = error
        self.feeds = feeds


def search(
    choice: Choice, check: Callable[[Sequence[Feeds]], int], *, examples: int, seed: int, memory: Path, shrink: bool
) -> Search:
    """Draw sets of values until one fails, and return the smallest failing set.

    Arguments:
        check: compares several sets at once and returns how many of them have a reference; raises `Failed`.
        examples: number of sets.
        seed: equal seeds draw equal sets.
        memory: a folder of this graph's own, for failing sets, which are tried first.
        shrink: whether to search for the smallest failing set; otherwise the first one is returned.
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
        # A set without an answer is no failure, not even if no set has one.
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
            # Hypothesis chooses the lengths of the lists: go on with other values until there are enough sets.
            run = seeded(seed := seed + 1)(run)
    except Exception:
        if not last:
            raise
        # Hypothesis tries the smallest set last; of a failure that does not come back the last one is reported.
        return Search(examples=compared, rejected=rejected, error=last[0].error, feeds=last[0].feeds)
    return Search(examples=compared, rejected=rejected)
