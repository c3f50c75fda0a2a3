"""What is known about one node before it runs, and what a row of the table of bounds says about an operator.

Computes nothing: the rows are in `bound_table`, the arithmetic is in `counts` and `bounds`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """One node of a graph, its types and shapes.

    Attributes:
        op_type, domain, since_version: the operator and the version of the operator set that last changed it.
        attributes: attributes that are present, as plain Python values (int, float, str, lists of them).
        input_shapes: shapes of the inputs; None for an omitted optional one.
        output_shapes: shapes of the outputs.
        input_dtypes: dtype names as in `burn_verify.graph.dtypes`; None for an omitted input.
        input_values: values of the small inputs that decide the formula (axis, ratio, training_mode, …) by position.
    """

    op_type: str
    domain: str = ""
    since_version: int
    attributes: Mapping[str, Any]
    input_shapes: tuple[tuple[int, ...] | None, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    input_dtypes: tuple[str | None, ...]
    input_values: Mapping[int, npt.NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneNode:
    """A node and where its values come from and go to.

    Attributes:
        feeds: for each input the place of the runtime input of the graph; None where it is omitted or a constant.
        gives: for each output of the graph the position of the node's output; None where it is none of them.
    """

    facts: NodeFacts
    feeds: tuple[int | None, ...]
    gives: tuple[int | None, ...]

    def inputs(self, fed: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any] | None]:
        """Return the node's inputs by position; constants only where they are small."""
        values = self.facts.input_values
        return [values.get(place) if feed is None else fed[feed] for place, feed in enumerate(self.feeds)]


def needed(inputs: Sequence[npt.NDArray[Any] | None], position: int) -> npt.NDArray[Any]:
    """Return an input that the operator cannot do without.

    Raises:
        ValueError: it is omitted, or a constant that is not kept.
    """
    value = inputs[position] if position < len(inputs) else None
    if value is None:
        msg = f"input {position} is needed"
        raise ValueError(msg)
    return value


class Magnitude(StrEnum):
    """What S stands for in ``u · c · S``."""

    REFERENCE = "reference"
    """|reference|, by element: nothing cancels."""
    ABSOLUTE = "absolute"
    """The operator on the absolute values of its inputs, by element: Σ|a||b| for contractions."""
    INPUTS = "inputs"
    """The greatest absolute value of the floating inputs, one number: weighted means and interpolations."""
    ONE = "one"
    """1: an absolute error."""
    DEVIATION = "deviation"
    """What subtracting a mean and dividing by a deviation does to the inputs, by element: normalisations."""


class RuleKind(StrEnum):
    """What an operator does to the elements it is given."""

    MOVES = "moves"
    """Every element of the output is one of an input, the sign of zero included."""
    EXACT = "exact"
    """Chooses, counts, compares or rounds to integers: nothing is rounded to a float."""
    ROUNDS = "rounds"
    """Within the bound of the row."""
    UNKNOWN = "unknown"
    """No bound is known."""


Count: TypeAlias = Callable[[NodeFacts], float]
"""From a node to a number of unit roundoffs; infinite where this node has no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the table: |actual - reference| ≤ u · (count · S + constant + relative · |reference|) + floor.

    Attributes:
        op_type, domain: the operator.
        formula: the count in words; the reason, where `count` is None.
        count: c_op, in unit roundoffs; None where no bound is known.
        magnitude: what S is.
        source: where the formula comes from, in words.
        kind: what the operator does to elements.
        constant: further unit roundoffs of an absolute error.
        relative: further unit roundoffs of |reference|; the default is one rounding of the reference itself.
        outputs: how many outputs, from the first, the rule speaks of; None for all.
        steps: how far an integer output may be off.
        sources: positions of the inputs whose magnitude counts; None for all floating ones.
        feeds_back: a recurrence: the count holds where it does not amplify, and noise tells more where there is any.
    """

    op_type: str
    domain: str = ""
    formula: str
    count: Count | None
    magnitude: Magnitude
    source: str
    kind: RuleKind = RuleKind.ROUNDS
    constant: Count | None = None
    relative: float = 1.0
    outputs: int | None = None
    steps: int = 0
    sources: tuple[int, ...] | None = None
    feeds_back: bool = False
