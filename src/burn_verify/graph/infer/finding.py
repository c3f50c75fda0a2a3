"""What a rule finds. Data only."""

from dataclasses import dataclass
from typing import TypeAlias

Size: TypeAlias = int | str
"""A number, or the symbol of a dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A finding about the values of an input.

    Attributes:
        low, high: from `low` (included) to `high` (excluded), for floats both are allowed; None where nothing is known.
        high_of: a symbol of a dimension that `high` may not exceed, plus `beyond`.
        choices: values to be drawn in turn, one for each data set.
        exact: the elements, in order.
        distinct: no value twice.
        whole: also floats are whole numbers.
        first: the value of the first element of each row.
    """

    input: str
    rule: str
    why: str
    low: float | None = None
    high: float | None = None
    high_of: str | None = None
    beyond: int = 0
    choices: tuple[float, ...] = ()
    exact: tuple[float, ...] = ()
    distinct: bool = False
    whole: bool = False
    first: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dim:
    """A finding about a dimension.

    Attributes:
        symbol: see `burn_verify.graph.infer.view.symbol`.
        size: the only one that works.
        candidates: sizes to be tried, the best first.
        least: the smallest that works.
        multiple: of which every size is a multiple.
        equals: an expression of other symbols.
        batch: the dimension counts samples.
    """

    symbol: str
    rule: str
    why: str
    size: int | None = None
    candidates: tuple[int, ...] = ()
    least: int = 0
    multiple: int = 1
    equals: str | None = None
    batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """A finding about an input whose declaration has no shape.

    Attributes:
        shape: with a symbol for each unknown dimension.
    """

    input: str
    rule: str
    why: str
    shape: tuple[Size, ...]


Finding: TypeAlias = Values | Dim | Rank
