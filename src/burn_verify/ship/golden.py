"""Stored inputs, expected answers and what the judge allowed for each, as one safetensors file.

``rust/check.rs`` reads it. Judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from burn_verify.graph.dtypes import numpy_dtype
from burn_verify.judge.allowance import BOUNDED, EQUAL, STRUCTURE, Allowance
from burn_verify.judge.policy import Judge
from burn_verify.reference import measure, oracle
from burn_verify.run.compare import allowed_for, with_moves
from burn_verify.run.steps import Outputs, Ready
from burn_verify.system.wire import Array, encode_named, placed

_KINDS: Final = {STRUCTURE: 0, EQUAL: 1, BOUNDED: 2}
_MOST_SETS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSet:
    """One data set: inputs, and what is allowed for each output."""

    name: str
    inputs: tuple[Array, ...]
    allowed: tuple[Allowance, ...]


def golden_of(
    ready: Ready, outputs: Outputs, judged: Judge, moves: Mapping[str, Mapping[int, Array]] | None = None
) -> tuple[GoldenSet, ...]:
    """Return the data sets of a case that passed, at most three: those with which it was verified.

    Arguments:
        outputs: what compiled Burn answered, by data set.
        moves: how far stored weights may move an output, by data set and place.
    """
    known, measures = oracle.read(ready.reference), with_moves(measure.read_measures(ready.reference), moves or {})
    found = []
    for name, actual in list(outputs.items())[:_MOST_SETS]:
        data, measured = known.data_sets[name], measures.data_sets[name]
        allowed = allowed_for(ready.prepared, name, data, measured, actual, judged)
        found.append(GoldenSet(name=name, inputs=tuple(data.inputs), allowed=allowed))
    return tuple(found)


def encoded(sets: Sequence[GoldenSet]) -> bytes:
    """Return the file that ``check.rs`` reads."""
    arrays: dict[str, Array] = {}
    for place, one in enumerate(sets):
        arrays |= placed(place, "in", one.inputs)
        for output, allowance in enumerate(one.allowed):
            arrays |= {f"{place:03d}/{kind}/{output:03d}": array for kind, array in _parts(allowance).items()}
    return encode_named(arrays)


def _parts(allowance: Allowance) -> dict[str, Array]:
    numbers = [allowance.most, allowance.rms, allowance.tail, allowance.mean, allowance.greatest, allowance.zeros]
    masks: dict[str, Any] = {"limit": allowance.limit, "above": allowance.above, "below": allowance.below}
    return {
        "rule": np.array([_KINDS[allowance.kind], *numbers], np.float64),
        "like": np.zeros(0, numpy_dtype(allowance.dtype)),
        "out": allowance.reference,
        **{name: np.asarray(value) for name, value in masks.items() if value is not None},
    }
