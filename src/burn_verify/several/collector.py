"""The collector of graphs of several operators, run in child processes by `collection`.

Draws graphs, checks them, gets answers, and writes an index for each block. Nothing is converted here.
"""

import functools
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from burn_verify.cases.generated.corpus import SEVERAL
from burn_verify.cases.generated.typed import InvalidGraph, finish, inferred, refusals, same, typed
from burn_verify.cases.index import Index, IndexEntry, write_index, written_data
from burn_verify.core.case import ModelFacts, facts_of
from burn_verify.core.errors import OracleError
from burn_verify.core.target import Target
from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import Ending
from burn_verify.forecast.evidence import Evidence, packaged
from burn_verify.graph.facts import facts
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.several.corpus import BLOCK, KINDS, PATTERN
from burn_verify.several.parts import parts
from burn_verify.several.patterns import PATTERNS, pattern
from burn_verify.several.weave import NoSuchGraph, Stock, stocked, woven
from burn_verify.several.woven import OTHER, Woven
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

_TIMEOUT: Final = 60.0
_TRIES: Final = 40
"""Draws at most until one is a graph that says something."""
_OF_ITS_PAIR: Final = 8
"""Draws of them that are of the pair whose turn it is."""
_LARGE: Final = 1e4
"""Answers beyond it amplify whatever is rounded before them."""
_NUDGE: Final = 1e-6
"""A relative change of the inputs, as rounding makes it."""
_APART: Final = 1e-3
"""What may come of it, relative to the greatest value."""
_SHOWN: Final = 4
"""Operators that stand in an id."""


class _SaysNothing(Exception):
    """An answer with which no fault could be told."""


def _collect(seed: int, scratch: Path, cache: Cache, names: Sequence[str]) -> None:
    """Write the graphs of blocks, each with its index last."""
    evidence = packaged(Target())
    assert evidence is not None
    stock = stocked(parts(evidence))
    engine = OnnxRuntime(cache, _TIMEOUT)
    try:
        for name in names:
            folder = scratch / name
            folder.mkdir(parents=True, exist_ok=True)
            write_index(_block(seed, int(name), folder, engine, stock, evidence), folder)
            print(f"graphs from {int(name) * BLOCK}", flush=True)
    finally:
        engine.close()


def _block(
    seed: int,
    block: int,
    folder: Path,
    engine: Engine,
    stock: Stock,
    evidence: Evidence,
) -> Index:
    entries: list[IndexEntry] = []
    invalid: dict[str, str] = {}
    for place in range(block * BLOCK, (block + 1) * BLOCK):
        why = ""
        for attempt in range(_TRIES):
            rng = Random(f"{seed}/{place}/{attempt}")
            try:
                drawn = _drawn(place, stock, _pair(seed, place, attempt, stock), rng, evidence)
                entries.append(written(drawn, f"{seed}/{place:05d}", folder / f"{place:05d}.onnx", engine))
                break
            except (NoSuchGraph, InvalidGraph, OracleError, _SaysNothing) as error:
                why = f"{type(error).__name__}: {error}"
        else:
            invalid[f"{SEVERAL}/{seed}/{place:05d}"] = why
    return Index(entries=tuple(entries), invalid=invalid)


def _pair(seed: int, place: int, attempt: int, stock: Stock) -> tuple[str, str]:
    """Return the pair of operators for whose sake a graph is made: they come by turns, in an order of the seed.

    A pair that fits into no graph of its form has another chance in the next round, with another form.
    """
    pairs = _in_order(seed, stock.pairs_for(KINDS[place % len(KINDS)]))
    again = attempt >= _OF_ITS_PAIR
    return Random(f"{seed}/{place}/{attempt}").choice(pairs) if again else pairs[place % len(pairs)]


@functools.cache
def _in_order(seed: int, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(Random(seed).sample(pairs, len(pairs)))


def _drawn(place: int, stock: Stock, pair: tuple[str, str], rng: Random, evidence: Evidence) -> Woven:
    """Return the graph at a place: its form comes by turns."""
    kind = KINDS[place % len(KINDS)]
    if kind != PATTERN:
        return woven(kind, stock, pair, rng)
    names = tuple(PATTERNS)
    drawn = pattern(names[place // len(KINDS) % len(names)], rng)
    _known(drawn, evidence)
    return drawn


def _known(drawn: Woven, evidence: Evidence) -> None:
    """Refuse a pattern of which a node is known to fail alone: only what comes of the interplay is asked.

    Raises:
        NoSuchGraph: a node is.
    """
    with refusals():
        model = inferred(drawn.model)
    for placed in cells(model):
        if evidence.only_ending_of(placed.cell) not in (None, Ending.AGREES):
            msg = f"{placed.cell.operator} fails alone"
            raise NoSuchGraph(msg)


def written(drawn: Woven, name: str, path: Path, engine: Engine) -> IndexEntry:
    """Write the model and the data of a graph, and return its entry in the index.

    Raises:
        InvalidGraph: onnx refuses the graph.
        OracleError: ONNX Runtime does.
        _SaysNothing: no fault could be told by its answers.
    """
    with refusals():
        model = typed(drawn.model)
    path.write_bytes(model.SerializeToString())
    answers = {data_set: infer(engine, path, [*fed.values()]) for data_set, fed in drawn.sets.items()}
    _weigh(drawn, answers, path, engine)
    with refusals():
        finish(model, answers[SEEDED])
    path.write_bytes(model.SerializeToString())
    shown = "-".join((drawn.kind, *drawn.operators[:_SHOWN]))
    return IndexEntry(
        id=f"{SEVERAL}/{name}-{shown}",
        name=path.stem,
        answered=True,
        **facts_of(facts(model, drawn.sets[SEEDED]), ModelFacts),
        **written_data(path, {one: ([*fed.values()], answers[one]) for one, fed in drawn.sets.items()}),
    )


def _weigh(drawn: Woven, answers: Mapping[str, Sequence[Array]], path: Path, engine: Engine) -> None:
    """Hold the answers against what a comparison needs: finite, of usual size, not constant, steady under rounding.

    Raises:
        _SaysNothing: they are not so.
    """
    for value in (value for several in answers.values() for value in several):
        if value.dtype.kind == "f" and value.size and not np.abs(value).max() <= _LARGE:
            msg = "not finite, or large"
            raise _SaysNothing(msg)
    if all(map(same, answers[SEEDED], answers[OTHER])):
        msg = "the same for other inputs"
        raise _SaysNothing(msg)
    for data_set, fed in drawn.sets.items():
        for sign in (1, -1):
            nudged = infer(engine, path, [_nudged(array, sign) for array in fed.values()])
            if not all(map(_near, answers[data_set], nudged)):
                msg = "a rounding decides"
                raise _SaysNothing(msg)


def _nudged(array: Array, sign: int) -> Array:
    return array * array.dtype.type(1 + sign * _NUDGE) if array.dtype.kind == "f" else array


def _near(one: Array, other: Array) -> bool:
    if one.dtype.kind != "f":
        return same(one, other)
    if one.shape != other.shape:
        return False
    return not one.size or float(np.abs(one - other).max()) <= _APART * max(1e-3, float(np.abs(one).max()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    _collect(int(sys.argv[1]), Path(sys.argv[2]), Cache(Path(sys.argv[3])), sys.argv[4:])
