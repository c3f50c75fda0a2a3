"""Sizes for the unknown dimensions of a model, several for each: the batch at 1 and 3, others at two unequal sizes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from burn_verify.core.case import TensorSpec
from burn_verify.core.dims import names_in, size_of
from burn_verify.graph.infer.finding import Dim

BATCHES: Final = (1, 3)
"""Sizes of a dimension that counts samples."""

SIZES: Final = ((7, 5, 11, 13, 9), (19, 22, 18, 21, 23))
"""Sizes of further dimensions, a different one for each: not 1, and no powers of two, which hide mistakes."""

_SIDES: Final = ((192, 160), (160, 96))
"""Second sizes of dimensions that are multiples of 32."""

NAMED: Final[Mapping[str, int]] = MappingProxyType(
    {"c": 3, "channels": 3, "num_channels": 3, "h": 224, "w": 224, "height": 224, "width": 224}
)
"""Sizes of dimensions that nothing but their lower-cased name tells about."""


_GIVEN: Final = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How the sizes of one dimension are chosen.

    Attributes:
        symbol: see `burn_verify.graph.infer.view.symbol`.
        sizes: the ones it is verified at, at least one.
        equals: an expression of other symbols that gives its size; `sizes` is empty then.
        why: the rule that said so, in a few words.
    """

    symbol: str
    sizes: tuple[int, ...] = ()
    equals: str | None = None
    why: str = ""
    batch: bool = False

    @property
    def given(self) -> bool:
        """Whether a description or an option said so."""
        return self.why == _GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The sizes of all unknown dimensions of a model, by symbol.

    Attributes:
        choices: in the order of the inputs.
    """

    choices: Mapping[str, Choice] = field(default_factory=dict)

    @property
    def free(self) -> tuple[Choice, ...]:
        """The dimensions that are verified at more than one size."""
        return tuple(one for one in self.choices.values() if len(one.sizes) > 1)

    def assignments(self) -> tuple[Mapping[str, int], ...]:
        """Return the sizes of each data set, the first one for all of them.

        The batch and all other dimensions vary separately, so that a failure tells which of the two it depends on.
        """
        batches = max((len(one.sizes) for one in self.free if one.batch), default=1)
        others = max((len(one.sizes) for one in self.free if not one.batch), default=1)
        made = tuple(self.at(batch, other) for other in range(others) for batch in range(batches))
        # A size at which a given relation has no value, such as `total - past` below zero, is none of those asked for.
        return tuple(sizes for sizes in made if self._holds(sizes)) or made

    def _holds(self, sizes: Mapping[str, int]) -> bool:
        given = [one for one in self.choices.values() if one.equals is not None and one.given]
        return all(evaluated(one.equals or "", sizes) == sizes[one.symbol] for one in given)

    def at(self, batch: int, other: int) -> Mapping[str, int]:
        """Return the sizes with the given turn of the batch and of the others."""
        known: dict[str, int] = {}
        for one in self.choices.values():
            if one.sizes:
                turn = batch if one.batch else other
                known[one.symbol] = one.sizes[min(turn, len(one.sizes) - 1)]
        for _ in self.choices:
            for one in self.choices.values():
                if one.equals is None or one.symbol in known:
                    continue
                size = evaluated(one.equals, known)
                # Nothing is what a user may ask for, and no rule means.
                if size or (size == 0 and one.given):
                    known[one.symbol] = size
        return {name: known.get(name, SIZES[0][0]) for name in self.choices}


def evaluated(text: str, known: Mapping[str, int]) -> int | None:
    """Return the value of a symbol or an expression of symbols; None where a name is not known, or it is no size."""
    if text in known:
        return known[text]
    try:
        return size_of(text, known)
    except ValueError:
        return None


def parts_of(text: str) -> tuple[str, ...]:
    """Return the names in an expression; empty where the text is a plain name or no expression."""
    try:
        names = names_in(text)
    except ValueError:
        return ()
    return () if names == (text,) else names


def sizing(
    inputs: Iterable[TensorSpec],
    dims: Mapping[str, Dim],
    given: Mapping[str, Sequence[int]] = MappingProxyType({}),
    relations: Mapping[str, str] = MappingProxyType({}),
) -> Sizing:
    """Choose the sizes of every unknown dimension.

    Arguments:
        inputs: whose unknown dimensions are symbols.
        dims: what the rules found, by symbol.
        given: sizes that a description or an option gives, by symbol; they win.
        relations: expressions that a description or an option gives, by symbol.
    """
    symbols = dict.fromkeys(dim for spec in inputs for dim in spec.shape if isinstance(dim, str))
    for name in list(symbols):
        # What an expression names is a dimension too, even where no input has it alone.
        symbols |= dict.fromkeys(part for part in parts_of(relations.get(name, name)) if part not in symbols)
    choices: dict[str, Choice] = {}
    turn = 0
    for name in symbols:
        made = _choice(name, dims.get(name), given.get(name, ()), relations.get(name), turn)
        choices[name] = made
        turn += len(made.sizes) > 1 and not made.batch
    return Sizing(choices=choices)


def _choice(name: str, found: Dim | None, given: Sequence[int], relation: str | None, turn: int) -> Choice:
    if given:
        return Choice(symbol=name, sizes=tuple(given), why=_GIVEN, batch=found is not None and found.batch)
    if relation is not None:
        return Choice(symbol=name, equals=relation, why=_GIVEN)
    if found is not None and found.size is not None:
        return Choice(symbol=name, sizes=(found.size,), why=f"{found.rule}: {found.why}")
    if found is not None and found.equals is not None:
        return Choice(symbol=name, equals=found.equals, why=f"{found.rule}: {found.why}")
    if found is not None and found.batch and not found.candidates:
        return Choice(symbol=name, sizes=BATCHES, why=f"{found.rule}: {found.why}", batch=True)
    if found is not None and found.candidates:
        return Choice(symbol=name, sizes=_of_candidates(found, turn), why=f"{found.rule}: {found.why}")
    if (named := NAMED.get(name.lower())) is not None:
        return Choice(symbol=name, sizes=(named,), why="its name")
    sizes = tuple(row[turn % len(row)] for row in SIZES)
    return Choice(symbol=name, sizes=sizes, why="nothing is known about it")


def _of_candidates(found: Dim, turn: int) -> tuple[int, ...]:
    """Return two sizes that fit what is known about a dimension."""
    fits = [size for size in found.candidates if size >= found.least and size % found.multiple == 0]
    first = fits[0] if fits else found.least
    if found.multiple > 1:
        others = [row[turn % len(row)] for row in _SIDES]
        second = next((size for size in others if size != first and size >= found.least), first)
    else:
        second = first + SIZES[1][turn % len(SIZES[1])] - 1
    return (first,) if second == first else (first, second)
