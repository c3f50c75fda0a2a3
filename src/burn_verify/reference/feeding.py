"""The data sets that an engine answers: drawn at the sizes and in the ranges that the graph tells, or given.

Where the engine refuses the first draw, other sizes and values are tried, within a budget.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import onnx

from burn_verify.core.case import Hints
from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.stage import DrawnData, FailureKind, GivenData, PreparedCase
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.graph.infer.changes import changes, further
from burn_verify.graph.infer.feeding import (
    KINDS,
    UNCHANGED,
    Change,
    beyond,
    choices_of,
    hints_of,
    of_kind,
    opened,
    sizes_of,
)
from burn_verify.graph.infer.rules import Inference, infer
from burn_verify.reference import engine as engines
from burn_verify.reference.data_set import DataSet, inputs_in
from burn_verify.reference.engine import Engine
from burn_verify.reference.inputs import SEEDED, bind_shape, described, make_inputs
from burn_verify.system.wire import Array

_GONE: Final = frozenset({FailureKind.KILLED, FailureKind.ENDED_FROM_OUTSIDE, FailureKind.EXITED, FailureKind.TIMEOUT})

_BUDGET: Final = 30.0
"""Seconds in which other draws are tried."""

_FURTHER: Final = 16
"""Number of other draws for each further size that is refused."""

_AFTER: Final = 40
"""Number of other draws after one that is taken at the first sizes only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What an engine answered.

    Attributes:
        data_sets: those with an answer, by name.
        failed: errors of the others, by name.
        sizes: of the dimensions that vary, by the name of the data set and of the dimension.
        tried: what was changed until the engine took the first draw, in the order of the attempts; then what was
            changed of further sizes that it refused.
        change: the last of it, with which all draws are made.
    """

    data_sets: Mapping[str, DataSet] = field(default_factory=dict)
    failed: Mapping[str, OracleError] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tried: tuple[str, ...] = ()
    change: Change = UNCHANGED


LARGEST: Final = 4_000_000
"""Number of elements of a data set above which only the first sizes are drawn, and no guess: it would take minutes."""

DRAWS: Final = 2
"""Number of further draws, where there are any and nobody says how many."""


def drawn_sets(
    found: Inference, hints: Hints, change: Change = UNCHANGED, *, vary: bool = True, draws: int | None = None
) -> tuple[DrawnData, ...]:
    """Return the data sets to draw for a model: one for each combination of sizes, and further values for the first.

    Arguments:
        vary: whether a dimension with one hinted size is verified at another one too.
        draws: number of further draws, each of another kind, see `burn_verify.graph.infer.feeding.KINDS`; None for as
            many as there should be: none where several sizes are drawn anyway, unless values decide what is computed.
    """
    hints = opened(found, hints) if vary else hints
    sizing = sizes_of(found, hints, change, vary=vary)
    assignments = sizing.assignments()
    chosen = choices_of(found, hints)
    # Sizes vary with the first choice of each value, and values at the first sizes: what differs is one thing alone.
    turns = [(sizes, 0) for sizes in assignments] + [(assignments[0], turn) for turn in range(1, _most(chosen))]
    made = []
    for place, (sizes, turn) in enumerate(turns):
        free = [(one.symbol, sizes[one.symbol]) for one in sizing.free]
        fed = [(name, int(values[turn % len(values)])) for name, values in chosen.items()]
        hinted = hints_of(found, hints, sizes, turn, change)
        if place and _elements(found, hinted) > LARGEST:
            continue
        name = f"{'values' if turn else 'sizes'} {place + 1}" if place else SEEDED
        made.append(DrawnData(name=name, hints=hinted, sizes=(*free, *fed), vary=vary))
    sides: tuple[DrawnData, ...] = ()
    if draws is None:
        draws = DRAWS if len(made) == 1 or found.decides else 0
        first = made[0].hints
        named = {} if first is None else beyond(first, found)
        sides = tuple(replace(made[0], name=name, hints=one, sizes=()) for name, one in named.items())
    return (*made, *_further(found, made[0], draws), *sides)


def _elements(found: Inference, hints: Hints) -> int:
    return sum(math.prod(bind_shape(spec, hints)) for spec in found.inputs)


def _further(found: Inference, first: DrawnData, draws: int) -> Iterator[DrawnData]:
    """Yield further draws of the first sizes; none for a model without inputs."""
    assert first.hints is not None
    for turn in range(draws if found.inputs else 0):
        kind = list(KINDS)[turn % len(KINDS)]
        name = kind if turn < len(KINDS) else f"{kind} {turn // len(KINDS) + 1}"
        hints = of_kind(first.hints, found, kind)
        yield replace(first, name=name, hints=hints, sizes=())


def _most(chosen: Mapping[str, Sequence[float]]) -> int:
    return max(map(len, chosen.values()), default=1)


@dataclass(slots=True, kw_only=True)
class _Feeding:
    """What is known while a case is fed; see `Fed`.

    Attributes:
        others: draws that take the place of those of the case, by name; empty while nothing is changed.
        gone: the engine answers no draw any more.
        seconds: what other draws have cost that were in vain.
    """

    data_sets: dict[str, DataSet] = field(default_factory=dict)
    failed: dict[str, OracleError] = field(default_factory=dict)
    sizes: dict[str, Mapping[str, int]] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    change: Change = UNCHANGED
    others: Mapping[str, DrawnData] = field(default_factory=dict)
    gone: bool = False
    seconds: float = 0.0

    def changed(self, asked: DrawnData, sets: Mapping[str, DrawnData], change: Change, taken: DataSet) -> DrawnData:
        """Go on with other draws, of which the engine took one; return that."""
        if not self.tried or self.tried[-1] != change.text:
            self.tried.append(change.text)
        self.others, self.change = sets, change
        self.data_sets[asked.name] = taken
        self.failed.pop(asked.name, None)
        return sets[asked.name]


class Feeder:
    """Feeds an engine.

    Arguments:
        memory_limit: MiB that inputs may take, 0 for the memory of the machine.
    """

    def __init__(self, engine: Engine, memory_limit: int = 0) -> None:
        self._engine = engine
        self._memory_limit = memory_limit

    def feed(self, prepared: PreparedCase) -> Fed:
        """Return the engine's answers to the fed data sets of a case.

        Raises:
            OracleError: the engine was closed.
            RunError: an input has a dtype for which Burn has no value.
        """
        feeding = _Feeding()
        for fed in prepared.fed:
            if (feeding.others and fed.name not in feeding.others) or (feeding.gone and isinstance(fed, DrawnData)):
                continue
            asked = feeding.others.get(fed.name, fed)
            try:
                feeding.data_sets[fed.name] = self._asked(prepared, asked)
            except OracleError as error:
                if error.kind is FailureKind.CLOSED:
                    raise
                feeding.failed[fed.name] = error
                # What ends the engine, or holds it up, would do so with every draw.
                feeding.gone = error.kind in _GONE
                if isinstance(asked, DrawnData) and _may_be_the_draw(error):
                    asked = self._otherwise(prepared, asked, error, feeding)
            if isinstance(asked, DrawnData) and fed.name in feeding.data_sets:
                feeding.sizes[fed.name] = dict(asked.sizes)
        return Fed(
            data_sets=feeding.data_sets,
            failed=feeding.failed,
            sizes=feeding.sizes,
            tried=tuple(feeding.tried),
            change=feeding.change,
        )

    def _otherwise(
        self, prepared: PreparedCase, asked: DrawnData, error: OracleError, feeding: "_Feeding"
    ) -> DrawnData:
        """Look for draws that the engine takes in place of one that it refused, and return the one that was taken."""
        found = infer(onnx.load(prepared.model, format="protobuf", load_external_data=False))
        hints = prepared.case.hints
        if not feeding.data_sets and not feeding.others:
            tries = changes(found, sizes_of(found, hints, vary=False), error.message)
        elif feeding.data_sets and asked.sizes:
            sizing = sizes_of(found, hints, feeding.change, vary=asked.vary)
            tries = islice(further(found, sizing, dict(asked.sizes), feeding.change), _FURTHER)
        else:
            return asked
        is_first, started, fallback, left = not feeding.data_sets, time.monotonic(), None, _AFTER
        for change in tries:
            if feeding.gone or left == 0 or feeding.seconds + time.monotonic() - started > _BUDGET:
                break
            left -= fallback is not None
            sets = {one.name: one for one in drawn_sets(found, hints, change, draws=hints.draws, vary=asked.vary)}
            guess = sets.get(asked.name)
            # 16,000 samples are a guess for one dimension; for two of an image they are gigabytes.
            if guess is not None and _elements(found, prepared.hints_of(guess)) > LARGEST:
                continue
            if is_first:
                feeding.tried.append(change.text)
            taken = self._taken(prepared, guess, feeding)
            if taken is None:
                continue
            if not is_first:
                change = replace(change, text=f"{asked.name}: {change.text}")
            elif not self._takes_other_sizes(prepared, sets, feeding):
                fallback = fallback or (sets, change, taken)
                continue
            return feeding.changed(asked, sets, change, taken)
        feeding.seconds += time.monotonic() - started
        return asked if fallback is None else feeding.changed(asked, *fallback)

    def _taken(self, prepared: PreparedCase, asked: DrawnData | None, feeding: "_Feeding") -> DataSet | None:
        """Return the engine's answer, None where it has none."""
        if asked is None:
            return None
        try:
            return self._asked(prepared, asked)
        except OracleError as error:
            feeding.gone = not _may_be_the_draw(error)
            return None

    def _takes_other_sizes(self, prepared: PreparedCase, sets: Mapping[str, DrawnData], feeding: "_Feeding") -> bool:
        """Return whether the engine takes the last sizes too: a one may fit where nothing else does."""
        last = [one for one in sets.values() if one.sizes][-1:]
        return not last or self._taken(prepared, last[0], feeding) is not None

    def _asked(self, prepared: PreparedCase, fed: DrawnData | GivenData) -> DataSet:
        values = inputs_in(fed.path, fed.place) if isinstance(fed, GivenData) else self._drawn(prepared, fed)
        try:
            return DataSet(inputs=values, desired=engines.infer(self._engine, prepared.model, values))
        except OracleError as error:
            details = {**error.details, "fed": described(prepared.inputs, values)}
            raise OracleError(error.message, error.reason, details, error.kind) from error

    def _drawn(self, prepared: PreparedCase, fed: DrawnData) -> list[Array]:
        hints = prepared.hints_of(fed)
        drawn = make_inputs(prepared.digest, prepared.inputs, hints, fed.name, memory_limit=self._memory_limit)
        for name, array in drawn.items():
            if burn_kind(dtype := dtype_name(array.dtype)) is None:
                message = f"input {name!r} has dtype {dtype}, for which Burn has no value"
                raise RunError(message, f"no Burn value for {dtype}", kind=FailureKind.NO_VALUE)
        return list(drawn.values())


def _may_be_the_draw(error: OracleError) -> bool:
    """Return whether another draw may help: the engine said no, and did neither die nor run out of time."""
    return error.kind is FailureKind.REFUSED
