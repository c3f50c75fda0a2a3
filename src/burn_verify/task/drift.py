"""Whether a second model, such as one in 8 bits, differs from the first one in the same way by two engines.

A relation that needs no labels: where quantisation moves the answers by one engine, it has to move them by the other
one too. A fault in how an engine computes 8 bits breaks it. Pure functions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from burn_verify.task.evaluated import Evaluated, Tier
from burn_verify.task.protocol import Answered, Task

SHARE: Final = 0.1
"""The greatest share of the drift that may differ: an engine may round a value near a border to the next step."""

_RANK: Final = "rank"
"""A kind of flip that is told by the metrics only: ranks change by the last bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a second model is from the first one, by two engines.

    Attributes:
        before, after: the models.
        engines: the reference and the other one.
        samples: how many all four answered; None where it cannot be told.
        metrics: the change of each by the reference, and by the other one.
        share: of the distances that the samples moved by the reference, how much differs by the other one.
        alone: names of samples whose decision flipped by one engine only, by engine.
        exceeded: a line for each limit that is exceeded, or why nothing can be told.
    """

    before: str
    after: str
    engines: tuple[str, str]
    samples: int | None = None
    metrics: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    share: float = math.nan
    alone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exceeded: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the drift is the same."""
        return not self.exceeded


def drifted(reference: tuple[Evaluated, Evaluated], other: tuple[Evaluated, Evaluated], task: Task) -> Drift:
    """Compare the drift from a first model to a second one by two engines.

    Arguments:
        reference, other: the first and the second model, each by the same engine.
    """
    four = (*reference, *other)
    engines = (reference[0].engine, other[0].engine)
    plain = Drift(before=reference[0].model, after=reference[1].model, engines=engines)
    answered = _by_all(four)
    if not answered[0]:
        why = next((f"{one.name}: {one.error}" for one in four if one.error), "no sample was answered by all")
        return replace(plain, exceeded=(why,))
    moved = [
        [task.apart(one.prediction, it.prediction) for one, it in zip(old, new, strict=True)]
        for old, new in (answered[:2], answered[2:])
    ]
    metrics = _metrics(answered, task)
    share = shared(*moved)
    return replace(
        plain,
        samples=len(answered[0]),
        metrics=metrics,
        share=share,
        alone=_alone(answered, engines, task),
        exceeded=tuple(_exceeded(metrics, share, answered[0], task)),
    )


def shared(reference: Sequence[float], other: Sequence[float]) -> float:
    """Return the sum of the differences of distances as a share of the sum of those of the reference."""
    gaps = [0.0 if one == two else abs(one - two) for one, two in zip(reference, other, strict=True)]
    gap, whole = sum(gaps), sum(one for one in reference if math.isfinite(one))
    if gap == 0:
        return 0.0
    return gap / whole if whole > 0 else math.inf


def _by_all(four: Sequence[Evaluated]) -> list[list[Answered]]:
    """Return the samples that all answered, in the same order."""
    known = [{one.entry.number: one for one in each.answered} for each in four]
    numbers = [number for number in known[0] if all(number in each for each in known)]
    return [[each[number] for number in numbers] for each in known]


def _metrics(answered: Sequence[Sequence[Answered]], task: Task) -> dict[str, tuple[float, float]]:
    old, new, other_old, other_new = (task.metrics(each) for each in answered)
    return {name: (new[name] - old[name], other_new[name] - other_old[name]) for name in old}


def _alone(answered: Sequence[Sequence[Answered]], engines: tuple[str, str], task: Task) -> dict[str, tuple[str, ...]]:
    mine, others = (
        {flip.sample for flip in task.flips(old, new) if flip.kind != _RANK}
        for old, new in (answered[:2], answered[2:])
    )
    found = {engines[0]: mine - others, engines[1]: others - mine}
    return {name: tuple(sorted(samples)) for name, samples in found.items() if samples}


def _exceeded(
    metrics: Mapping[str, tuple[float, float]], share: float, first: Sequence[Answered], task: Task
) -> list[str]:
    found = []
    if not share <= SHARE:
        found.append(f"{100 * share:.1f} % of the drift of the samples differs, allowed are {100 * SHARE:.0f} %")
    values = task.metrics(first)
    for name, (mine, other) in metrics.items():
        scale = max(abs(values[name]), 1e-12) if name in task.lower else 1.0
        if Tier.of((other - mine) / scale) is Tier.WARNING and not (math.isnan(mine) and math.isnan(other)):
            found.append(f"{name} drifts by {mine:+.6f} and by {other:+.6f}")
    return found
