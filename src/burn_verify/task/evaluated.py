"""What came of a model on a data set, and how two such results differ. Pure functions."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from burn_verify.task.protocol import Answered, Flip, Interval, Noting, Task

_WORST: Final = 20
"""How many samples are named as those that differ most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an evaluation took.

    Attributes:
        seconds: of the engine's answers, without the first one, which loads the model.
        rate: samples a second in that time; None where there was one answer only.
        memory: MiB that the engine's process had at most; None where the system does not tell.
        call: milliseconds of a call: the median, and an interval that holds the median at 95 %; None of few calls.
    """

    seconds: float = 0.0
    rate: float | None = None
    memory: float | None = None
    call: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A model on a data set, by one engine.

    Attributes:
        model: its name.
        engine: ``onnxruntime``, ``burn-flex`` …; of what is given, its name.
        dataset: name of the data.
        digest: identity of samples and labels; empty where nobody knows it.
        answered: in the order of the data.
        unreadable: a line for each sample that cannot be fed or scored.
        unanswered: a line for each sample that the engine failed on.
        metrics: over `answered`; those of a baseline may come without any sample.
        size: bytes of the model: its file, or the weights that Burn loads; None where nobody knows.
        error: why there is nothing, in one line; empty where there is something.
    """

    model: str
    engine: str
    dataset: str
    digest: str
    answered: tuple[Answered, ...] = ()
    unreadable: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost = Cost()
    size: int | None = None
    error: str = ""

    @property
    def name(self) -> str:
        """Model and engine, for people."""
        return f"{self.model} by {self.engine}" if self.model else self.engine


class Tier(StrEnum):
    """How much a metric differs."""

    EXCELLENT = "excellent"
    GOOD = "good"
    WARNING = "warning"

    @classmethod
    def of(cls, difference: float) -> "Tier":
        """Return the tier of a difference; what is not finite is a warning."""
        size = abs(difference)
        return cls.EXCELLENT if size < 0.001 else cls.GOOD if size < 0.01 else cls.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a metric differs.

    Attributes:
        difference: after less before.
        interval: of 95 % of the differences over samples drawn again; None where samples are not known.
        drop: how much worse it became: negative where it became better.
    """

    before: float
    after: float
    difference: float
    drop: float
    tier: Tier
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two evaluations of the same data.

    Attributes:
        samples: how many both answered; None where one of them names none.
        changes: by metric; empty where they are not compared.
        tier: of the task's own metric; None where they are not compared.
        flips: None where one of them names no sample.
        worst: sample and distance, the greatest first.
        check: what is known of the data being the same, or why they are not compared.
        notes: what neither metrics nor flips show, a line for each.
        exceeded: a line for each limit that is exceeded.
    """

    before: str
    after: str
    check: str
    samples: int | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    tier: Tier | None = None
    flips: tuple[Flip, ...] | None = None
    worst: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    exceeded: tuple[str, ...] = ()

    @property
    def kinds(self) -> Mapping[str, int]:
        """The number of flips by kind."""
        return dict(Counter(one.kind for one in self.flips or ()))

    @property
    def passes(self) -> bool:
        """Whether they were compared, and no limit is exceeded."""
        return bool(self.changes) and not self.exceeded


def compared(
    before: Evaluated, after: Evaluated, task: Task, *, limits: Mapping[str, float], seed: int, check: str = ""
) -> Comparison:
    """Compare two evaluations over the samples that both answered; those of different data are not compared.

    Arguments:
        limits: the greatest drop by metric; without any, the tier of the task's metric may not be a warning.
        check: what is known of the data where `before` names no digest.
    """
    plain = Comparison(before=before.name, after=after.name, check=check or f"the same data, {after.digest[:12]}")
    if error := before.error or after.error:
        return replace(plain, check=f"not compared: {error}", exceeded=(f"{after.name}: {error}",))
    if before.digest and before.digest != after.digest:
        return _refused(plain, f"other data, {before.digest[:12]} and {after.digest[:12]}")
    if not before.answered:
        changes = _changes(task, before.metrics, after.metrics, {})
        return _concluded(replace(plain, changes=changes), task, limits, before, after)
    old, new = _both(before, after)
    if not old:
        return _refused(replace(plain, samples=0), "no sample was answered by both")
    apart = [(one.entry.name, task.apart(one.prediction, it.prediction)) for one, it in zip(old, new, strict=True)]
    found = replace(
        plain,
        samples=len(old),
        changes=_changes(task, task.metrics(old), task.metrics(new), _intervals(task, old, new, seed)),
        flips=tuple(task.flips(old, new)),
        worst=tuple(sorted((one for one in apart if one[1] > 0), key=lambda one: -one[1])[:_WORST]),
        notes=tuple(task.noted(old, new)) if isinstance(task, Noting) else (),
    )
    return _concluded(found, task, limits, before, after)


def _refused(plain: Comparison, why: str) -> Comparison:
    """Return a comparison that was not made."""
    said = f"not compared: {why}"
    return replace(plain, check=said, exceeded=(said,))


def _both(before: Evaluated, after: Evaluated) -> tuple[list[Answered], list[Answered]]:
    """Return the samples that both answered, in the same order."""
    known = {one.entry.number: one for one in before.answered}
    new = [one for one in after.answered if one.entry.number in known]
    return [known[one.entry.number] for one in new], new


def _intervals(task: Task, old: Sequence[Answered], new: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
    if all(one.prediction == it.prediction for one, it in zip(old, new, strict=True)):
        return dict.fromkeys(task.metrics(old), (0.0, 0.0))
    return task.intervals(old, new, seed)


def _changes(
    task: Task, before: Mapping[str, float], after: Mapping[str, float], intervals: Mapping[str, Interval]
) -> dict[str, Change]:
    """Return the changes of the metrics that both have; names differ by case only in what others wrote."""
    known = {name.lower(): value for name, value in before.items()}
    found = {}
    for name, new in after.items():
        if (old := known.get(name.lower())) is None:
            continue
        lower = name in task.lower
        # Errors have the unit of the labels, so that only a share of them says much or little.
        scale = max(abs(old), 1e-12) if lower else 1.0
        both = math.isnan(old) and math.isnan(new)
        difference = 0.0 if both else new - old
        found[name] = Change(
            before=old,
            after=new,
            difference=difference,
            drop=difference if lower else -difference,
            tier=Tier.of(difference / scale),
            interval=intervals.get(name),
        )
    return found


def _lost(before: Evaluated, after: Evaluated) -> list[str]:
    """Return the names of the samples that only the first one answered."""
    known = {one.entry.number for one in after.answered}
    return [one.entry.name for one in before.answered if one.entry.number not in known]


def _concluded(
    found: Comparison, task: Task, limits: Mapping[str, float], before: Evaluated, after: Evaluated
) -> Comparison:
    """Return a comparison with its tier, and the limits that are exceeded."""
    if not found.changes:
        return _refused(found, f"no metric of {found.before} is one of {', '.join(after.metrics)}")
    main = task.metric if task.metric in found.changes else next(iter(found.changes))
    tier = found.changes[main].tier
    exceeded = []
    for name, limit in limits.items():
        change = next((one for key, one in found.changes.items() if key.lower() == name.lower()), None)
        if change is None:
            exceeded.append(f"{name}: {found.before} does not have it")
        elif not change.drop <= limit:
            exceeded.append(f"{name} is worse by {change.drop:.6f}, allowed are {limit:g}")
    if not limits and tier is Tier.WARNING:
        change = found.changes[main]
        exceeded.append(f"{main} differs by {change.difference:+.6f}: {tier}")
    if lost := _lost(before, after):
        exceeded.append(f"{len(lost)} samples that {before.name} answered have no answer: {lost[0]}")
    return replace(found, tier=tier, exceeded=tuple(exceeded))
