"""Hypothesis strategies for a generated graph: a value for every input, and sizes where they are symbolic.

An element is one byte, an index into a table of 256 valid values of its operand, simplest first. So a whole tensor is
one draw, and shrinks towards the simple values. Runs nothing (see `search`).
"""

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from burn_verify.cases.generated.build import Choice, feeds_of, free_kinds, value_of
from burn_verify.cases.generated.operator_spec import Operand
from burn_verify.cases.generated.registry import family_of
from burn_verify.cases.generated.resized import resized, sizes_of
from burn_verify.cases.generated.values import whole_bounds
from burn_verify.graph.dtypes import numpy_dtype
from burn_verify.graph.operators import qualified

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


_ENTRIES: Final = 256
_SIZES: Final = (1, 2, 3, 5, 4, 7, 0)
_MOST_FROM_SHAPE: Final = 4

_WITH_SPECIALS: Final = frozenset({"elementwise", "broadcast", "movement", "casts", "gather", "sorting"})
"""Families whose answers do not depend on the order of additions, so that infinities and extremes have one answer."""

_WITH_EXTREME_INTEGERS: Final = frozenset({"movement", "casts", "gather", "sorting"})
"""Families without arithmetic: ONNX does not define the result of an overflow."""


def values_strategy(choice: Choice) -> Any:
    """Return a strategy for the inputs of a graph: arrays by name, in the order of the graph."""
    from hypothesis import strategies

    tables = {name: table(choice, name) for name in _varying(choice)}

    @strategies.composite
    def feeds(draw: "DrawFn") -> dict[str, npt.NDArray[Any]]:
        drawn = _resized(choice, draw)
        values = {}
        for name in drawn.kinds:
            if name not in tables:
                values[name] = value_of(drawn, name)
                continue
            operand = drawn.call.inputs[name]
            assert operand is not None
            count = int(np.prod(operand.shape, dtype=np.int64))
            places = draw(strategies.binary(min_size=count, max_size=count))
            values[name] = tables[name][np.frombuffer(places, dtype=np.uint8)].reshape(operand.shape)
        return feeds_of(drawn, values)

    return feeds()


def varies(choice: Choice) -> bool:
    """Return whether any input of a graph can be drawn."""
    return bool(_varying(choice) or sizes_of(choice))


def table(choice: Choice, name: str) -> npt.NDArray[Any]:
    """Return the 256 values of an operand, simplest first: usual ones, then special ones, then others."""
    operand = choice.call.inputs[name]
    assert operand is not None
    spec = choice.point.spec
    family = family_of(qualified(spec.op_type, spec.domain)) or ""
    if choice.kinds[name] in ("shape", "gathered"):
        operand = replace(operand, low=max(0, operand.low), high=min(_MOST_FROM_SHAPE, operand.high), special=False)
    rng = np.random.Generator(np.random.PCG64(int(hashlib.sha256(f"{choice.id} {name}".encode()).hexdigest()[:12], 16)))
    dtype = numpy_dtype(operand.dtype)
    if operand.dtype == "bool":
        return np.resize(np.array([False, True]), _ENTRIES)
    if "int" in operand.dtype:
        found = _integers(operand, rng, extremes=family in _WITH_EXTREME_INTEGERS)
        return np.array(found, dtype=object).astype(dtype)
    return _floats(operand, rng, specials=family in _WITH_SPECIALS)


def _integers(operand: Operand, rng: np.random.Generator, *, extremes: bool) -> list[int]:
    low, high = whole_bounds(operand)
    simple = [value for value in (0, 1, -1, 2, low, high) if low <= value <= high]
    if extremes and operand.special:
        whole = whole_bounds(replace(operand, low=-(2.0**62), high=2.0**62))
        simple += [*whole, whole[0] + 1, whole[1] - 1]
    rest = rng.integers(low, high + 1, _ENTRIES - len(simple))
    return [*simple, *(int(value) for value in rest)]


def _floats(operand: Operand, rng: np.random.Generator, *, specials: bool) -> npt.NDArray[Any]:
    import ml_dtypes

    dtype = numpy_dtype(operand.dtype)
    low, high = operand.low, operand.high
    simple = [value for value in (0.0, 1.0, -1.0, 0.5, 2.0, -0.5, 1.5, -0.0, low, high) if low <= value <= high]
    info = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    if specials and operand.special:
        tiny, small, most = float(info.smallest_subnormal), float(info.smallest_normal), float(info.max)
        simple += [np.nan, np.inf, -np.inf, tiny, -tiny, small, most, -most, 1 + float(info.eps), 1e4, -1e4]
    count = _ENTRIES - len(simple)
    drawn = rng.uniform(low, high, count)
    rest = np.where(np.arange(count) % 2, drawn, np.clip(np.round(drawn * 4) / 4, low, high))
    with np.errstate(all="ignore"):
        return np.concatenate([np.array(simple), rest]).astype(dtype)


def _varying(choice: Choice) -> tuple[str, ...]:
    """Return the operands whose values may vary once the graph is compiled."""
    free = free_kinds(choice)
    return tuple(
        name
        for name, kind in choice.kinds.items()
        if kind in free and (operand := choice.call.inputs[name]) is not None and operand.fixed is None
    )


def _resized(choice: Choice, draw: "DrawFn") -> Choice:
    """Return a choice with other sizes, where the compiled graph allows them."""
    from hypothesis import strategies

    names = sizes_of(choice)
    if not names or not draw(strategies.booleans()):
        return choice
    return resized(choice, {name: draw(strategies.sampled_from(_SIZES)) for name in names}) or choice
