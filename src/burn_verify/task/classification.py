"""Classification: the best class, and the best five."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from burn_verify.cases.labelled.entry import DataSet, Entry, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array
from burn_verify.task.outputs import scored
from burn_verify.task.protocol import Answer, Answered, Flip, Interval, bootstrapped, predictions

_BEST: Final = 5
_MOST: Final = 1000
"""The greatest number of classes for which the confusion is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The best classes with their scores, the best first.

    Attributes:
        count: of all classes.
    """

    classes: tuple[int, ...]
    scores: tuple[float, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Implements `burn_verify.task.protocol.Task`; an output holds scores of classes, [1, classes].

    Attributes:
        output: its name; empty for the only one that fits.
    """

    output: str = ""
    name = "classification"
    labels = Labels.CLASS
    metric = "top1"
    lower: frozenset[str] = frozenset()

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> Ranking:
        """Return the best classes; see `Task.predicted`."""
        scores = scored(answers[0].outputs, self.output, entry.name).astype(np.float64).reshape(-1)
        if not isinstance(entry.label, int) or entry.label >= len(scores):
            raise Wrong(place=entry.name, text=f"the label is class {entry.label}, the model has {len(scores)} classes")
        if not np.isfinite(scores).any():
            raise Wrong(place=entry.name, text="no score is a finite number")
        best = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")[:_BEST]
        return Ranking(
            classes=tuple(map(int, best)), scores=tuple(float(scores[one]) for one in best), count=len(scores)
        )

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return shares of samples: ``top1``, and ``top5`` where there are more than five classes."""
        return _metrics(_rows(answered), five=_has_five(answered))

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return intervals; see `Task.intervals`."""
        five = _has_five(before)
        return bootstrapped(_rows(before), _rows(after), lambda rows: _metrics(rows, five=five), seed)

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return the samples whose best class differs."""
        found = [
            Flip(
                sample=old.entry.name,
                kind="class",
                text=f"class {old.prediction.classes[0]} became {new.prediction.classes[0]} "
                f"(the label is {old.entry.label})",
                weight=max(_margin(old.prediction), _margin(new.prediction)),
            )
            for old, new in zip(before, after, strict=True)
            if old.prediction.classes[:1] != new.prediction.classes[:1]
        ]
        return sorted(found, key=lambda one: -one.weight)

    def apart(self, before: Ranking, after: Ranking) -> float:
        """Return the greatest difference of a score of the best classes of both."""
        old, new = (dict(zip(one.classes, one.scores, strict=True)) for one in (before, after))
        both = set(old) & set(new)
        return max((abs(old[one] - new[one]) for one in both), default=float("inf"))

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return how many are right, and the confusion: a row for each label, a column for each prediction."""
        right = sum(one.prediction.classes[0] == one.entry.label for one in answered)
        classes = max((one.prediction.count for one in answered), default=0)
        if classes > _MOST:
            return {"correct": right}
        table = np.zeros((classes, classes), int)
        for one in answered:
            if isinstance(one.entry.label, int):
                table[one.entry.label, one.prediction.classes[0]] += 1
        return {"correct": right, "confusion": table.tolist()}

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as JSON."""
        return [
            {
                "sample": one.entry.number,
                "name": one.entry.name,
                "label": one.entry.label,
                "classes": list(one.prediction.classes),
                "scores": list(one.prediction.scores),
            }
            for one in answered
        ]

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of JSON: objects of ``sample`` and ``classes``, or ``class``; see `Task.read`."""
        return predictions(document, entries, _ranking)


def doubt(data: DataSet, answered: Sequence[Answered]) -> str:
    """Return in a line why classes may have wrong numbers: as many as the model has are none; else nothing."""
    classes = max((one.prediction.count for one in answered), default=0)
    if not data.counted or data.counted == classes:
        return ""
    return (
        f"{data.name}: its classes are names, counted from 0 to {data.counted - 1} in alphabetical order, and the "
        f"model has {classes}: where that is another order, classes.txt beside them says it, a name a line"
    )


def _ranking(given: Mapping[str, Any], entry: Entry) -> Ranking:
    classes = given.get("classes", [given.get("class")])
    if not isinstance(classes, list) or not classes or not all(type(one) is int and one >= 0 for one in classes):
        msg = f'the prediction of {entry.name} needs "classes", the best one first, or "class"'
        raise ValueError(msg)
    scores = given.get("scores", [1.0] * len(classes))
    if not isinstance(scores, list) or len(scores) != len(classes):
        msg = f'the prediction of {entry.name} needs as many "scores" as "classes"'
        raise ValueError(msg)
    count = max([*classes, entry.label if isinstance(entry.label, int) else 0]) + 1
    return Ranking(classes=tuple(classes), scores=tuple(map(float, scores)), count=count)


def _rows(answered: Sequence[Answered]) -> Array:
    """Return for each sample whether its label is the best class, and whether it is one of the best five."""
    found = [
        [one.entry.label == one.prediction.classes[0], one.entry.label in one.prediction.classes] for one in answered
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _metrics(rows: Array, *, five: bool) -> dict[str, float]:
    top1, top5 = (float(one) for one in rows.mean(axis=0))
    return {"top1": top1, "top5": top5} if five else {"top1": top1}


def _has_five(answered: Sequence[Answered]) -> bool:
    return all(one.prediction.count > _BEST and len(one.prediction.classes) == _BEST for one in answered)


def _margin(ranking: Ranking) -> float:
    """Return how far the best class is ahead of the next."""
    return ranking.scores[0] - ranking.scores[1] if len(ranking.scores) > 1 else 0.0
