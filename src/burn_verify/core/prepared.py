"""What became of a model that was rewritten: steps, their proofs, and how it ends before and after. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from burn_verify.core.result import CaseResult


class Grade(StrEnum):
    """What is proved of a step."""

    SAME = "bit-equal"
    CLOSE = "close"
    """Inside the bound of the judge."""
    STORED = "by stored data only"
    """The reference cannot run the model before the step, or neither model: the stored answers decide."""
    ASKED = "as asked"
    """Inputs or outputs change, since the user asked for it; nobody can compare."""
    DECLINED = "declined"
    """The answer changes, or the reference refuses what came out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is proved of a step.

    Attributes:
        name: of the rewriting.
        reason: why the rewriting was made.
        nodes_before, nodes_after: nodes of the model's main graph.
        distance: greatest absolute difference between the answers before and after; None where it cannot be told.
        why: why it was declined; else empty.
    """

    name: str
    reason: str
    grade: Grade
    nodes_before: int
    nodes_after: int
    distance: float | None = None
    why: str = ""


class Status(StrEnum):
    """What became of a model."""

    AGREED = "agrees as it is"
    LIFTED = "agrees after prepare"
    STAYS = "does not agree after prepare"
    UNKNOWN = "cannot be judged"
    """It cannot be read, or nobody answers it: nothing was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model and what was done to it.

    Attributes:
        before: how the model ends as it is.
        after: how the rewritten one ends, of several the one that came furthest; None where nothing was tried, or no
            rewriting applies.
        model: the rewritten model, serialised; None where none agrees.
        options: options of the conversion that it needs.
        proofs: of the steps, in their order.
        declined: proofs of steps that changed an answer, and were not made.
        broken: rewritings that failed on the model, by name, with their error.
        tried: how many rewritten models were tried.
    """

    case_id: str
    status: Status
    before: CaseResult
    after: CaseResult | None = None
    model: bytes | None = None
    options: Mapping[str, bool] = field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()
    declined: tuple[Proof, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    tried: int = 0

    @property
    def agrees(self) -> bool:
        """Whether there is a model that agrees."""
        return self.status in (Status.AGREED, Status.LIFTED)

    @property
    def rewritings(self) -> tuple[str, ...]:
        """The names of what was done, each once."""
        options = (f"{name} {'on' if on else 'off'}" for name, on in self.options.items())
        return (*dict.fromkeys(proof.name for proof in self.proofs), *options)

    @property
    def in_the_way(self) -> str:
        """What the model ends at after the rewritings, or without any; one line, empty where it agrees."""
        last = self.after or self.before
        return "" if self.agrees else f"{last.stage}: {last.reason or last.message.partition(chr(10))[0]}"
