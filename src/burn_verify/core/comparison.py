"""What came of comparing the answers of two sides, ``A`` and ``B``. Data only."""

from dataclasses import dataclass

from burn_verify.core.result import OutputMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOutput:
    """An output that both sides have for the same inputs.

    Attributes:
        case, data_set: as in folder A, or B where A is a model.
        name, other: of the output on side A, and on side B.
        by_name: whether the two are paired since they are called the same; else by their place.
        verdict: the judge's word over the data set where the output agrees, else ``differs``.
        metrics: of side B, measured against side A.
        difference: how the outputs differ, in one line; empty where they agree.
    """

    case: str
    data_set: str
    name: str
    other: str
    by_name: bool
    verdict: str
    metrics: OutputMetrics
    difference: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the two are the same within what the judge allows."""
        return not self.difference


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCompared:
    """A data set, or one output of it, that could not be compared, and why."""

    case: str
    data_set: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The comparison of two sides.

    Attributes:
        sides: what A is and what B is, in a line each.
        notes: what was done to compare them, in a line each.
    """

    sides: tuple[str, str]
    compared: tuple[ComparedOutput, ...]
    left_out: tuple[NotCompared, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all that either side has was compared, and agrees."""
        return bool(self.compared) and not self.left_out and all(one.agrees for one in self.compared)
