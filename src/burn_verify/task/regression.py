"""Regression: how far the numbers of a model are from those of the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from burn_verify.cases.labelled.entry import Entry, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array
from burn_verify.core.text import counted
from burn_verify.task.outputs import scored
from burn_verify.task.protocol import Answer, Answered, Flip, Interval, bootstrapped, predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Implements `burn_verify.task.protocol.Task`; a prediction is as many numbers as the label.

    Attributes:
        output: the output that is scored; empty for the only one that fits.
    """

    output: str = ""
    name = "regression"
    labels = Labels.VALUES
    metric = "rmse"
    lower: frozenset[str] = frozenset({"rmse", "mae"})

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> tuple[float, ...]:
        """Return the numbers of the output."""
        found = tuple(float(one) for one in scored(answers[0].outputs, self.output, entry.name).reshape(-1))
        if not isinstance(entry.label, tuple) or len(entry.label) != len(found):
            count = len(entry.label) if isinstance(entry.label, tuple) else 1
            raise Wrong(place=entry.name, text=f"the label has {counted(count, 'number')}, the output {len(found)}")
        if not np.isfinite(found).all():
            raise Wrong(place=entry.name, text="the output is not finite")
        return found

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return ``rmse`` and ``mae``, in the unit of the labels."""
        return _metrics(_rows(answered))

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return intervals; see `Task.intervals`."""
        return bootstrapped(_rows(before), _rows(after), _metrics, seed)

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return nothing: there is no decision."""
        return ()

    def apart(self, before: tuple[float, ...], after: tuple[float, ...]) -> float:
        """Return the greatest difference of a number."""
        return float(np.abs(np.subtract(before, after)).max(initial=0.0))

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as JSON."""
        return [
            {
                "sample": one.entry.number,
                "name": one.entry.name,
                "label": list(one.entry.label),  # type: ignore[arg-type]
                "values": list(one.prediction),
            }
            for one in answered
        ]

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of JSON: objects of ``sample`` and ``values``; see `Task.read`."""
        return predictions(document, entries, _values)


def _values(given: Mapping[str, Any], entry: Entry) -> tuple[float, ...]:
    values = given.get("values")
    count = len(entry.label) if isinstance(entry.label, tuple) else 1
    if not isinstance(values, list) or len(values) != count:
        msg = f'the prediction of {entry.name} needs "values", {count} numbers'
        raise ValueError(msg)
    return tuple(map(float, values))


def _rows(answered: Sequence[Answered]) -> Array:
    """Return for each sample the sum of squares, the sum of absolute errors, and how many numbers there are."""
    found = []
    for one in answered:
        errors = np.subtract(one.prediction, np.array(one.entry.label, np.float64))
        found.append([(errors * errors).sum(), np.abs(errors).sum(), errors.size])
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _metrics(rows: Array) -> dict[str, float]:
    squares, errors, count = rows.sum(axis=0)
    return {"rmse": float(np.sqrt(squares / count)), "mae": float(errors / count)}
