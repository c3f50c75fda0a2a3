"""Static facts of one node, and the structure of a row of the table of bounds.

Data types only: the rows are in `bound_table`, the arithmetic is in `counts` and `bounds`.
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
        input_values: values of the small inputs that determine the formula (axis, ratio, training_mode, …) by position.
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
    """A node with the mapping of its inputs and outputs to those of the graph.

    Attributes:
        feeds: for each input the index of the runtime input of the graph; None where it is omitted or a constant.
        gives: for each output of the graph the position of the node's output; None where it is not one of them.
    """

    facts: NodeFacts
    feeds: tuple[int | None, ...]
    gives: tuple[int | None, ...]

    def inputs(self, fed: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any] | None]:
        """Return the node's inputs by position; constants only where they are small."""
        values = self.facts.input_values
        return [values.get(place) if feed is None else fed[feed] for place, feed in enumerate(self.feeds)]


def needed(inputs: Sequence[npt.NDArray[Any] | None], position: int) -> npt.NDArray[Any]:
    """Return a required input.

    Raises:
        ValueError: it is omitted, or it is a constant whose value is not stored.
    """
    value = inputs[position] if position < len(inputs) else None
    if value is None:
        msg = f"input {position} is needed"
        raise ValueError(msg)
    return value


class Magnitude(StrEnum):
    """The meaning of S in ``u · c · S``."""

    REFERENCE = "reference"
    """|reference|, by element: nothing cancels."""
    ABSOLUTE = "absolute"
    """The operator on the absolute values of its inputs, by element: Σ|a||b| for contractions."""
    INPUTS = "inputs"
    """The greatest absolute value of the floating inputs, one number: weighted means and interpolations."""
    ONE = "one"
    """1: an absolute error."""
    DEVIATION = "deviation"
    """The inputs after subtracting a mean and dividing by a deviation, by element: normalisations."""


class RuleKind(StrEnum):
    """What an operator does to its input elements."""

    MOVES = "moves"
    """Every element of the output is an element of an input, including the sign of zero."""
    EXACT = "exact"
    """Selects, counts, compares or rounds to integers: no result is rounded to a float."""
    ROUNDS = "rounds"
    """Within the bound of the row."""
    UNKNOWN = "unknown"
    """No bound is known."""


Count: TypeAlias = Callable[[NodeFacts], float]
"""Maps a node to a number of unit roundoffs; infinite where this node has no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the table: |actual - reference| ≤ u · (count · S + constant + relative · |reference|) + floor.

    Attributes:
        op_type, domain: the operator.
        formula: the count as text; where `count` is None, the reason.
        count: c_op, in unit roundoffs; None where no bound is known.
        magnitude: the meaning of S.
        source: the source of the formula, as text.
        kind: what the operator does to elements.
        constant: additional absolute error, in unit roundoffs.
        relative: additional error relative to |reference|, in unit roundoffs; the default is one rounding of the
            reference itself.
        outputs: number of outputs, from the first, that the rule covers; None for all.
        steps: greatest difference of an integer output.
        sources: positions of the inputs that determine the magnitude; None for all floating-point ones.
        feeds_back: a recurrence: the count holds only where errors are not amplified, so that a noise bound is
            preferred where one is available.
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
