"""A task of the user's own: ``module:function``, a metric of one sample, or ``module:name``, a whole `Task`."""

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cases.labelled.entry import Entry, Labels
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.sample import Array
from burn_verify.core.errors import UsageError
from burn_verify.core.text import one_line
from burn_verify.task.protocol import Answer, Answered, Flip, Interval, Task, bootstrapped, predictions

_MEMBERS: Final = ("name", "labels", "metric", "lower", "predicted", "metrics", "intervals", "flips", "apart")
ORDER: Final = (Labels.CLASS, Labels.VALUES, Labels.BOXES, Labels.SCORE)
"""The kinds of labels that a function is tried with."""


def own_task(text: str, labels: Labels) -> Task:
    """Return the task of ``module:name``; a module is one that Python finds, or a file ``folder/metrics.py``.

    A function gets the outputs of a sample by name and its label, and returns a number, or numbers by name; metrics
    are their means, and more is better. Anything with the members of `Task` is a task; a class is called without
    arguments.

    Arguments:
        labels: of the data, where the name is that of a function.

    Raises:
        UsageError: there is no such thing.
    """
    where, _, name = text.rpartition(":")
    try:
        found = getattr(_module(where), name)
        made = found() if isinstance(found, type) else found
    except AttributeError as error:
        message = f"--task {text}: {where} has no {name!r}"
        raise UsageError(message) from error
    except (Exception, SystemExit) as error:  # a module of the user's may raise anything
        message = one_line(f"--task {text}: it cannot be loaded: {type(error).__name__}: {error}")
        raise UsageError(message) from error
    if all(hasattr(made, member) for member in _MEMBERS):
        task: Task = made
        return task
    if not callable(made):
        message = f"--task {text}: neither a function nor a task"
        raise UsageError(message)
    return Custom(function=made, called=name, labels=labels)


def _module(where: str) -> Any:
    if not where.endswith(".py"):
        if (folder := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, folder)
        return importlib.import_module(where)
    spec = importlib.util.spec_from_file_location(Path(where).stem, where)
    if spec is None or spec.loader is None or not Path(where).is_file():
        msg = "no such file"
        raise FileNotFoundError(msg)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """Implements `burn_verify.task.protocol.Task` with a function of outputs and a label.

    Attributes:
        called: name of the function, and of the metric where it returns one number.
        names: of the numbers that it returned for the first sample; those of all others have the same.
    """

    function: Callable[[Mapping[str, Array], Any], Any]
    called: str
    labels: Labels
    lower: frozenset[str] = frozenset()
    names: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.called

    @property
    def metric(self) -> str:
        """The name of the function; where it returns several numbers, the first of them counts."""
        return self.called

    def predicted(self, entry: Entry, answers: Sequence[Answer]) -> dict[str, float]:
        """Return what the function says of a sample; of several items it gets a list of outputs."""
        outputs: Any = [answer.outputs for answer in answers]
        try:
            found = self.function(outputs[0] if len(outputs) == 1 else outputs, entry.label)
            if found is None:
                msg = "it returned nothing: a number, or numbers by name are needed"
                raise TypeError(msg)
            several = found if isinstance(found, Mapping) else {self.called: found}
            made = {str(name): float(value) for name, value in several.items()}
        except (Exception, SystemExit) as error:  # a function of the user's may raise anything
            text = one_line(f"{self.called}: {type(error).__name__}: {error}")
            raise Wrong(place=entry.name, text=text) from error
        if not made or not all(map(math.isfinite, made.values())):
            raise Wrong(place=entry.name, text=f"{self.called}: no finite number: {found!r}")
        if not self.names:
            self.names.extend(made)
        if set(made) != set(self.names):
            text = f"{self.called}: it returned {', '.join(made)}, and {', '.join(self.names)} for the first sample"
            raise Wrong(place=entry.name, text=one_line(text))
        return made

    def metrics(self, answered: Sequence[Answered]) -> Mapping[str, float]:
        """Return the means."""
        return _means(*_rows(answered))

    def intervals(self, before: Sequence[Answered], after: Sequence[Answered], seed: int) -> Mapping[str, Interval]:
        """Return intervals; see `Task.intervals`."""
        names, rows = _rows(before)
        return bootstrapped(rows, _rows(after)[1], lambda some: _means(names, some), seed)

    def flips(self, before: Sequence[Answered], after: Sequence[Answered]) -> Sequence[Flip]:
        """Return nothing: what a decision is, only the function knows."""
        return ()

    def apart(self, before: Mapping[str, float], after: Mapping[str, float]) -> float:
        """Return the greatest difference of a number."""
        return max((abs(before[name] - after[name]) for name in before if name in after), default=float("inf"))

    def details(self, answered: Sequence[Answered]) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def written(self, answered: Sequence[Answered]) -> list[Any]:
        """Return predictions as JSON."""
        return [{"sample": one.entry.number, "name": one.entry.name, "values": one.prediction} for one in answered]

    def read(self, document: Sequence[Any], entries: Sequence[Entry]) -> list[Answered]:
        """Return predictions of JSON: objects of ``sample`` and ``values``; see `Task.read`."""
        return predictions(document, entries, lambda given, _: dict(given.get("values", {})))


def _rows(answered: Sequence[Answered]) -> tuple[list[str], Array]:
    names = list(answered[0].prediction)
    rows = [[one.prediction.get(name, float("nan")) for name in names] for one in answered]
    return names, np.array(rows, dtype=np.float64).reshape(len(answered), len(names))


def _means(names: Sequence[str], rows: Array) -> dict[str, float]:
    return dict(zip(names, map(float, rows.mean(axis=0)), strict=True))
