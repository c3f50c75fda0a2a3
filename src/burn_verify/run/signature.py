"""How a model fails, as far as a smaller model has to fail the same way. Pure: compares results by their fields."""

from dataclasses import dataclass, replace

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.text import without_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Stage, kind, reason and guilty side of a failure.

    Attributes:
        causes: the operators that burn-onnx lacks, or rustc's codes; empty where there is only a reason.
        reason: without numbers.
    """

    stage: Stage
    kind: FailureKind | None
    guilty: str
    causes: frozenset[str]
    reason: str

    def is_kept_by(self, other: "Signature | None") -> bool:
        """Return whether another failure is the same: of several causes it may have some, and no other."""
        if other is None or (self.stage, self.kind, self.guilty) != (other.stage, other.kind, other.guilty):
            return False
        if self.causes:
            return bool(other.causes) and other.causes <= self.causes
        return not other.causes and self.reason == other.reason


def signature_of(result: CaseResult) -> Signature | None:
    """Return how a case failed; None where it did not."""
    if result.outcome is not Outcome.FAILED:
        return None
    causes = result.details.get("unsupported") or result.details.get("codes") or ()
    return Signature(
        stage=result.stage,
        kind=result.failure,
        guilty=str(result.details.get("guilty") or ""),
        causes=frozenset(map(str, causes)),
        reason=without_numbers(result.reason),
    )


def same_cause(whole: CaseResult, part: CaseResult) -> bool:
    """Return whether two failures have the same reason, whoever is guilty."""
    ends = [signature_of(result) for result in (whole, part)]
    first, second = (None if end is None else replace(end, guilty="") for end in ends)
    return first is not None and first.is_kept_by(second)


def fails_alike(whole: CaseResult, part: CaseResult) -> bool:
    """Return whether a part of a model fails as the whole does."""
    wanted = signature_of(whole)
    return wanted is not None and wanted.is_kept_by(signature_of(part))
