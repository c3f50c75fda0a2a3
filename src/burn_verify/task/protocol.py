"""What a task is: outputs become predictions, predictions and labels become metrics. The same for every engine.

A task is a stateless value with the members of `Task`. `burn_verify.task.chosen` makes those that are built in, and
loads one of the user's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np

from burn_verify.cases.labelled.entry import Category, Entry, Labels
from burn_verify.cases.samples.images import Placement
from burn_verify.cases.samples.sample import Array

Interval: TypeAlias = tuple[float, float]
TIMES: Final = 500
"""How often samples are drawn again for an interval, which holds 95 % of the differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answered to an item of a sample.

    Attributes:
        outputs: by name, with an axis of the batch of size 1 where the model has one.
        inputs: what it was fed, in the same way.
        place: of an image in the tensor; None for other items.
    """

    outputs: Mapping[str, Array]
    inputs: Mapping[str, Array]
    place: Placement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A sample with the prediction of a model, whose class the task decides."""

    entry: Entry
    prediction: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A decision that two runs made in different ways.

    Attributes:
        sample: name of it.
        kind: ``class``, ``box`` or ``rank``.
        text: both decisions.
        weight: how sure the surer one was; of a rank, how far it moved.
    """

    sample: str
    kind: str
    text: str
    weight: float


class Task(Protocol):
    """A task."""

    @property
    def name(self) -> str:
        """As the user names it."""

    @property
    def labels(self) -> Labels:
        """What labels it needs."""

    @property
    def metric(self) -> str:
        """The metric that decides the tier of a difference."""

    @property
    def lower(self) -> frozenset[str]:
        """Metrics of which a smaller value is better; their differences are taken relative to their value."""

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> Any:
        """Return the prediction for a sample from the answers to its items.

        Raises:
            Wrong: the answers or the label do not fit the task.
        """

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return metrics by name over one sample or more."""

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return an interval of each difference, after less before, over the same samples in the same order."""

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return the decisions that differ, over the same samples in the same order; the weightiest first."""

    def apart(self, before: Any, after: Any) -> float:
        """Return how far two predictions are from each other, 0 for equal ones."""

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return what else is worth knowing, JSON values only."""

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as JSON."""

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of JSON for the samples.

        Raises:
            ValueError: they are no predictions of these samples; one line.
        """


@runtime_checkable
class Noting(Protocol):
    """A task that knows of differences which neither metrics nor flips show."""

    def noted(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[str]:
        """Return a line for each, over the same samples in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a task has to know besides the model: the categories of the labels, by id."""

    categories: tuple[Category, ...] = ()


def bootstrapped(
    before: Array, after: Array, metrics: Callable[[Array], Mapping[str, float]], seed: int
) -> dict[str, Interval]:
    """Return an interval of 95 % of each difference, from samples drawn again in pairs.

    Arguments:
        before, after: a row of numbers for each sample.
        metrics: of such rows.
    """
    draw = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(TIMES):
        rows = draw.integers(0, len(before), len(before))
        old, new = metrics(before[rows]), metrics(after[rows])
        for name in old:
            found.setdefault(name, []).append(new[name] - old[name])
    return {name: _middle(values) for name, values in found.items()}


def _middle(values: Sequence[float]) -> Interval:
    finite = [one for one in values if np.isfinite(one)]
    if not finite:
        return float("nan"), float("nan")
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def by_number(document: Sequence[Any], entries: Sequence[Entry]) -> dict[int, Any]:
    """Return the objects of predictions by the number of their sample.

    Raises:
        ValueError: one has no sample, or samples are missing.
    """
    known = {entry.number for entry in entries}
    found: dict[int, Any] = {}
    for place, one in enumerate(document):
        number = one.get("sample") if isinstance(one, dict) else None
        if number not in known:
            msg = f'predictions[{place}]: "sample" is no number of a sample: {number!r}'
            raise ValueError(msg)
        found[number] = one
    if missing := known - set(found):
        msg = f"{len(missing)} of {len(known)} samples have no prediction"
        raise ValueError(msg)
    return found


def predictions(
    document: Sequence[Any], entries: Sequence[Entry], of: Callable[[Mapping[str, Any], Entry], Any]
) -> list[Answered]:
    """Return the samples with the predictions of JSON; see `Task.read`.

    Arguments:
        of: returns the prediction of an object for a sample.
    """
    found = by_number(document, entries)
    return [Answered(entry=entry, prediction=of(found[entry.number], entry)) for entry in entries]
