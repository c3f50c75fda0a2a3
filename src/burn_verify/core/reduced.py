"""A model made small that fails as another does. Data only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from burn_verify.core.stage import Stage


class Reduction(StrEnum):
    """What came of reducing a model."""

    NOTHING_WRONG = "nothing wrong"
    """The model passes: there is no failure to keep."""
    REDUCED = "reduced"
    """The result was run once more, alone, and fails as the model does."""
    UNREPEATED = "the reduced model does not fail alone"
    UNKNOWN = "cannot say"
    """The model fails for a reason outside of Burn, or not a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """What was kept and what was saved.

    Attributes:
        stage, reason, message, guilty: of the reduced model; of the model itself where it was not reduced.
        nodes: how many the model had, and how many are left.
        elements: of inputs and weights, before and after.
        changes: what was made smaller after the nodes were chosen, in words.
        batches: compilations.
    """

    model: str
    target: str
    reduction: Reduction
    stage: Stage | None = None
    reason: str = ""
    message: str = ""
    guilty: str = ""
    op_types: tuple[str, ...] = ()
    nodes: tuple[int, int] = (0, 0)
    elements: tuple[int, int] = (0, 0)
    changes: tuple[str, ...] = ()
    batches: int = 0
    seconds: float = 0.0

    def to_json(self) -> Mapping[str, Any]:
        """Return all fields as JSON values."""
        return asdict(self)
