"""From what is known about inputs to the hints with which a data set is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from burn_verify.core.case import Fill, Hints, InputHint, TensorSpec
from burn_verify.graph.infer.rules import Inference, Known
from burn_verify.graph.infer.sizing import Sizing, sizing
from burn_verify.graph.infer.view import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is changed where a draw was refused.

    Attributes:
        sizes: of dimensions, by symbol.
        relations: expressions of other dimensions, by symbol.
        high: of integers, by input; excluded.
        text: for the user.
    """

    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    relations: Mapping[str, str] = field(default_factory=dict)
    high: Mapping[str, int] = field(default_factory=dict)
    text: str = ""


UNCHANGED = Change()


def sizes_of(found: Inference, hints: Hints, change: Change = UNCHANGED, *, vary: bool = True) -> Sizing:
    """Return the sizes of a model's unknown dimensions: those of the hints, else those that the rules find.

    Arguments:
        vary: whether a dimension with one hinted size is verified at another one too.
    """
    hints = opened(found, hints) if vary else hints
    shaped, tied = _of_shapes(found, hints)
    given: dict[str, tuple[int, ...]] = {name: (size,) for name, size in hints.dims}
    given |= {**shaped, **dict(hints.sizes), **change.sizes}
    given = {name: sizes for name, sizes in given.items() if name not in change.relations}
    relations = {**tied, **dict(hints.relations), **change.relations}
    made = sizing(found.inputs, found.dims, given, relations)
    if not vary:
        return made
    free = sizing(found.inputs, found.dims, {}, relations)
    several = {name for name, sizes in hints.sizes if len(sizes) > 1}
    return Sizing(
        choices={
            name: one
            if name in {*several, *shaped, *change.sizes} or one.equals is not None or len(one.sizes) != 1
            else replace(one, sizes=tuple(dict.fromkeys((*one.sizes, *free.choices[name].sizes[1:]))))
            for name, one in made.choices.items()
        }
    )


def opened(found: Inference, hints: Hints) -> Hints:
    """Return hints that say a shape's sizes of unknown dimensions as sizes of those dimensions, so that they may vary.

    A shape stays where it has another rank than the model says, or gives one dimension two sizes.
    """
    specs = {spec.name: spec for spec in found.inputs}
    sizes: dict[str, int] = {}
    inputs = []
    for hint in hints.inputs:
        said = _sizes_in(hint, specs.get(hint.name))
        if said is not None and all(sizes.get(name, size) == size for name, size in said.items()):
            sizes |= said
            hint = replace(hint, shape=None)
        inputs.append(hint)
    return replace(hints, inputs=tuple(inputs), dims=tuple({**sizes, **dict(hints.dims)}.items()))


def _sizes_in(hint: InputHint, spec: TensorSpec | None) -> Mapping[str, int] | None:
    """Return what a hinted shape says about unknown dimensions; None where the shape has to stay."""
    if spec is None or hint.shape is None or len(hint.shape) != len(spec.shape):
        return None
    pairs = [(dim, size) for dim, size in zip(spec.shape, hint.shape, strict=True) if dim != size]
    said = {dim: size for dim, size in pairs if isinstance(dim, str) and isinstance(size, int)}
    return said if len(said) == len(pairs) else None


def _of_shapes(found: Inference, hints: Hints) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Return the sizes and the expressions that hinted shapes give to unknown dimensions."""
    said = {one.name: one.shape for one in hints.inputs if one.shape is not None}
    pairs = [
        (dim, size)
        for spec in found.inputs
        for dim, size in zip(spec.shape, said.get(spec.name, ()), strict=False)
        if isinstance(dim, str) and dim != size
    ]
    sizes: dict[str, tuple[int, ...]] = {dim: (size,) for dim, size in pairs if isinstance(size, int)}
    return sizes, {dim: size for dim, size in pairs if isinstance(size, str)}


def hints_of(
    found: Inference, hints: Hints, sizes: Mapping[str, int], turn: int = 0, change: Change = UNCHANGED
) -> Hints:
    """Return the hints with which a data set is drawn; what the given hints say wins.

    Arguments:
        sizes: of every unknown dimension, by symbol.
        turn: number of the data set, which chooses among values to be fed in turn.
    """
    said = {one.name: one for one in hints.inputs}
    inputs = [
        _input(spec, said.get(spec.name), found.values.get(spec.name, Known()), sizes, turn, change.high)
        for spec in found.inputs
    ]
    named = {name: size for name, size in sizes.items() if not _is_place(name, found.inputs)}
    dims = {**dict(hints.dims), **named}
    return replace(hints, dims=tuple(dims.items()), sizes=(), relations=(), inputs=tuple(filter(None, inputs)))


KINDS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "positive": {"low": 0.0},
        "negative": {"high": 0.0},
        "wide": {"scale": 8.0},
        "small": {"scale": 2.0**-10},
        "zeros": {"fill": Fill.ZEROS},
        "normal": {},
    }
)
"""How floats are drawn about which nothing is known, by the name of the data set; other values are drawn anew."""


BEYOND: Final = ("above", "below")
"""Names of the draws whose sum, mean and extremes all are beyond a number that chooses a branch."""

_FARTHEST: Final = 1e6
"""Beyond a greater number nothing is drawn."""


def of_kind(hints: Hints, found: Inference, kind: str) -> Hints:
    """Return the hints of another draw of the same shapes, see `KINDS`."""
    return _drawn_as(hints, found, KINDS[kind])


def beyond(hints: Hints, found: Inference) -> Mapping[str, Hints]:
    """Return the hints of draws on either side of the number that chooses a branch, by name; none without one."""
    if not 0 < found.threshold <= _FARTHEST:
        return {}
    near, far = max(found.threshold, 1.0) * 1.5, max(found.threshold, 1.0) * 4
    sides = dict(zip(BEYOND, ({"low": near, "high": far}, {"low": -far, "high": -near}), strict=True))
    made = {name: _drawn_as(hints, found, side) for name, side in sides.items()}
    return {name: one for name, one in made.items() if one != hints}


def _drawn_as(hints: Hints, found: Inference, how: Mapping[str, Any]) -> Hints:
    said = {one.name: one for one in hints.inputs}
    inputs = [
        replace(hint, **how) if "float" in spec.dtype and not _says_values(hint) else hint
        for spec in found.inputs
        for hint in [said.get(spec.name, InputHint(name=spec.name))]
    ]
    return replace(hints, inputs=tuple(one for one in inputs if one != InputHint(name=one.name)))


def choices_of(found: Inference, hints: Hints) -> Mapping[str, Sequence[float]]:
    """Return the values that an input is fed in turn, by input; a hinted input has none."""
    said = {one.name for one in hints.inputs if _says_values(one)}
    return {name: known.choices for name, known in found.values.items() if known.choices and name not in said}


def _input(
    spec: TensorSpec,
    said: InputHint | None,
    known: Known,
    sizes: Mapping[str, int],
    turn: int,
    high: Mapping[str, int] = MappingProxyType({}),
) -> InputHint | None:
    """Return the hint for an input, None where nothing is known."""
    hint = said or InputHint(name=spec.name)
    if hint.shape is None and any(_is_place(dim, (spec,)) for dim in spec.shape):
        hint = replace(hint, shape=tuple(sizes[dim] if isinstance(dim, str) else int(dim or 0) for dim in spec.shape))
    if said is None or not _says_values(said):
        hint = _with_values(hint, spec, known, sizes, turn)
        if spec.name in high:
            hint = replace(hint, low=0, high=high[spec.name], value=None)
    return None if hint == InputHint(name=spec.name) else hint


def _with_values(hint: InputHint, spec: TensorSpec, known: Known, sizes: Mapping[str, int], turn: int) -> InputHint:
    if known.choices:
        return replace(hint, value=known.choices[turn % len(known.choices)])
    if known.exact:
        return replace(hint, values=known.exact)
    limits = [sizes[symbol] + beyond for symbol, beyond in known.high_of if symbol in sizes]
    high = min((limit for limit in (known.high, *limits) if limit is not None), default=None)
    low = known.low
    if low is not None and high is not None and high <= low:
        high = low + 1
    return replace(hint, low=low, high=high, distinct=known.distinct, whole=known.whole, first=known.first)


def _says_values(hint: InputHint) -> bool:
    """Return whether a hint says more than a shape and a dtype."""
    return replace(hint, shape=None, dtype=None) != InputHint(name=hint.name)


def _is_place(name: int | str | None, inputs: Sequence[TensorSpec]) -> bool:
    """Return whether a symbol stands for a dimension without a name."""
    return isinstance(name, str) and any(
        name == place_of(spec.name, axis) for spec in inputs for axis in range(len(spec.shape))
    )
