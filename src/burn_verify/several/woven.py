"""A graph of several operators with what it is fed, and the text of its id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from burn_verify.reference.inputs import SEEDED
from burn_verify.system.wire import Array

OTHER: Final = "other"
SIZES: Final = "sizes 2"

SETS: Final = (SEEDED, OTHER, SIZES)
"""The data sets: a value for each input, other values, and values at other sizes of the symbolic dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Woven:
    """A graph.

    Attributes:
        kind: of its form, a word.
        operators: in the order of the graph.
        model: its outputs have no type yet.
        sets: inputs by name, by data set of `SETS`.
        pair: the two operators for whose sake it was made, if any.
    """

    kind: str
    operators: tuple[str, ...]
    model: Any
    sets: Mapping[str, Mapping[str, Array]]
    pair: tuple[str, str] | None = None
