"""The samples of a data set through one engine: read, fed in batches, answered, made into predictions.

One batch is in memory at a time, and the predictions.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from burn_verify.cases.labelled.entry import DataSet, Entry
from burn_verify.cases.labelled.fed import Batch, Feeder, Row
from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import StageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.stage import FailureKind
from burn_verify.core.text import one_line
from burn_verify.run.evaluate.memory import peak
from burn_verify.system.wire import Array
from burn_verify.task.evaluated import Cost, Evaluated
from burn_verify.task.protocol import Answer, Answered, Task

_FEW: Final = 10
_PATIENCE: Final = 20
"""An engine that failed on so many samples, and answered none, is asked no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An engine with a model.

    Attributes:
        engine: its name.
        infer: from inputs to outputs, in the order of the graph; raises `StageError`.
        pid: the process that answered last.
        outputs: names of the outputs, in order.
        size: returns the bytes of the model, once it has answered: half weights are written then.
    """

    model: str
    engine: str
    infer: Callable[[Sequence[Array]], list[Array]]
    pid: Callable[[], int | None]
    outputs: tuple[TensorSpec, ...]
    size: Callable[[], int | None] = lambda: None


@dataclass(slots=True)
class _State:
    """What is known while samples are answered."""

    answered: list[Answered] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    seconds: float = 0.0
    calls: int = 0
    timed: int = 0
    calls_ms: list[float] = field(default_factory=list)
    memory: float | None = None


def evaluated(asked: Asked, data: DataSet, digest: str, feeder: Feeder, task: Task, listen: Listener) -> Evaluated:
    """Evaluate a model on a data set.

    Arguments:
        digest: identity of the data.
    """
    state = _State()
    total = len(data.entries)
    for entries, rows in _groups(data.entries, feeder, state):
        _group(asked, entries, rows, feeder, task, state)
        done = len(state.answered) + len(state.unreadable) + len(state.unanswered)
        listen(Progress(phase="evaluate", done=min(done, total), total=total, text=_said(asked, state)))
        if not state.answered and len(state.unanswered) >= _PATIENCE:
            break
    listen(Progress(phase="evaluate", done=total, total=total, text=_said(asked, state)))
    found = Evaluated(
        model=asked.model,
        engine=asked.engine,
        dataset=data.name,
        digest=digest,
        answered=tuple(state.answered),
        unreadable=(*data.broken, *state.unreadable),
        unanswered=tuple(state.unanswered),
        cost=Cost(seconds=state.seconds, rate=_rate(state), memory=state.memory, call=median_of(state.calls_ms)),
        size=asked.size() if state.answered else None,
    )
    return _scored(found, task)


def _scored(found: Evaluated, task: Task) -> Evaluated:
    if not found.answered:
        why = (*found.unanswered, *found.unreadable)[0]
        return replace(found, error=f"no sample was answered: {why}")
    return replace(found, metrics=task.metrics(found.answered), details=task.details(found.answered))


def _groups(
    entries: Sequence[Entry], feeder: Feeder, state: _State
) -> Iterator[tuple[list[Entry], list[tuple[int, Row]]]]:
    """Yield samples that are fed at once, with their rows and the place of their sample among them."""
    group: list[Entry] = []
    rows: list[tuple[int, Row]] = []
    for entry in entries:
        try:
            own = feeder.rows(entry)
        except (Wrong, OSError, ValueError, MemoryError) as error:
            state.unreadable.append(_line(entry, error))
            continue
        rows += [(len(group), row) for row in own]
        group.append(entry)
        if len(rows) >= feeder.batch:
            yield group, rows
            group, rows = [], []
    if group:
        yield group, rows


def _group(
    asked: Asked,
    entries: Sequence[Entry],
    rows: Sequence[tuple[int, Row]],
    feeder: Feeder,
    task: Task,
    state: _State,
) -> None:
    """Answer some samples and make their predictions; an error is that of every sample of its batch."""
    answers: list[list[Answer]] = [[] for _ in entries]
    failed: dict[int, str] = {}
    wrong: dict[int, str] = {}
    for start in range(0, len(rows), feeder.batch):
        part = rows[start : start + feeder.batch]
        places = [place for place, _ in part]
        try:
            batch = feeder.batch_of(entries[places[0]].name, [row for _, row in part])
            outputs = _infer(asked, batch, state)
            for place, answer in zip(places, _split(asked, batch, outputs, feeder.batch), strict=True):
                answers[place].append(answer)
        except StageError as error:
            if error.kind is FailureKind.CLOSED:
                raise
            failed |= dict.fromkeys(places, one_line(error.message))
        except Wrong as error:
            wrong |= dict.fromkeys(places, one_line(error.text))
    for place, entry in enumerate(entries):
        if place in failed:
            state.unanswered.append(f"{entry.name}: {failed[place]}")
        elif place in wrong:
            state.unreadable.append(f"{entry.name}: {wrong[place]}")
        else:
            _predict(task, entry, answers[place], state)


def _predict(task: Task, entry: Entry, answers: Sequence[Answer], state: _State) -> None:
    try:
        state.answered.append(Answered(entry=entry, prediction=task.predicted(entry, answers)))
    except Wrong as error:
        state.unreadable.append(_line(entry, error))


def _infer(asked: Asked, batch: Batch, state: _State) -> list[Array]:
    started = time.monotonic()
    outputs = asked.infer(batch.inputs)
    if state.calls:
        spent = time.monotonic() - started
        state.seconds += spent
        state.calls_ms.append(1000 * spent)
        state.timed += batch.rows
    state.calls += 1
    now = peak(asked.pid())
    state.memory = now if state.memory is None else max(state.memory, now or 0.0)
    return outputs


def _split(asked: Asked, batch: Batch, outputs: Sequence[Array], size: int) -> Iterator[Answer]:
    """Yield the answer to each row of a batch."""
    named = {spec.name: array for spec, array in zip(asked.outputs, outputs, strict=False)}
    for place, where in enumerate(batch.places):
        if size == 1:
            yield Answer(outputs=named, inputs=batch.named, place=where)
            continue
        own = {}
        for name, array in named.items():
            if not array.ndim or array.shape[0] != size:
                text = (
                    f"the output {name!r} of shape {list(array.shape)} has no row for each of {size}: feed one at once"
                )
                raise Wrong(place="", text=text)
            own[name] = array[place : place + 1]
        fed = {name: array[place : place + 1] if array.ndim else array for name, array in batch.named.items()}
        yield Answer(outputs=own, inputs=fed, place=where)


def median_of(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Return the median, and an interval that holds it at 95 % by the ranks of the values; None of fewer than ten."""
    if len(values) < _FEW:
        return None
    ordered, count = sorted(values), len(values)
    half = 0.98 * math.sqrt(count)
    low, high = max(0, math.floor(count / 2 - half)), min(count - 1, math.ceil(count / 2 + half))
    return statistics.median(ordered), ordered[low], ordered[high]


def _rate(state: _State) -> float | None:
    return state.timed / state.seconds if state.seconds > 0 else None


def _said(asked: Asked, state: _State) -> str:
    rate = _rate(state)
    return asked.engine if rate is None else f"{asked.engine}, {rate:.1f} a second"


def _line(entry: Entry, error: Exception) -> str:
    if not isinstance(error, Wrong):
        return one_line(f"{entry.name}: {error}")
    where = "" if error.place in ("", entry.name) else f"{error.place}: "
    return one_line(f"{entry.name}: {where}{error.text}")
