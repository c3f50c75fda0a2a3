"""How a model or a node fares on a target: what came, as a case tells, and what the evidence says.

Data only, and functions over results; imports no onnx.
"""

from enum import StrEnum
from typing import Final

from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage

FORECAST: Final = "forecast"
"""The key of a result's details: ``ending``, None where it could not be said, and its ``probability``."""


class Ending(StrEnum):
    """How a model or a node fares on a target, in the order of the stages; all but the first are failures."""

    AGREES = "agrees"
    REFUSED = "refused"
    DOES_NOT_COMPILE = "does not compile"
    FAILS = "fails at run time"
    WRONG = "wrong numbers"


ENDINGS: Final = tuple(Ending)


class State(StrEnum):
    """What the evidence says of one node."""

    VERIFIED = "verified"
    RUNS = "runs"
    """It ran in cases whose answers prove nothing."""
    REFUTED = "refuted"
    REFUSED = "refused"
    DOES_NOT_COMPILE = "does not compile"
    FAILS = "fails at run time"
    UNTESTED = "untested"


STATE_OF: Final = {
    Ending.AGREES: State.VERIFIED,
    Ending.WRONG: State.REFUTED,
    Ending.REFUSED: State.REFUSED,
    Ending.DOES_NOT_COMPILE: State.DOES_NOT_COMPILE,
    Ending.FAILS: State.FAILS,
}


_AT_STAGE: Final = {
    Stage.CONVERT: Ending.REFUSED,
    Stage.COMPILE: Ending.DOES_NOT_COMPILE,
    Stage.RUN: Ending.FAILS,
    Stage.COMPARE: Ending.WRONG,
}
_NO_EVIDENCE: Final = frozenset(
    {
        *(FailureKind.DEVICE, FailureKind.BUDGET, FailureKind.TIMEOUT, FailureKind.MEMORY, FailureKind.CLOSED),
        *(FailureKind.ENDED_FROM_OUTSIDE, FailureKind.NOT_STARTED, FailureKind.MACHINE, FailureKind.INTERNAL),
        *(FailureKind.NO_RESULT, FailureKind.NO_REFERENCE, FailureKind.PROTOCOL),
    }
)
"""What ends a case by reason of the machine or the reference, and so tells nothing of Burn."""


def ending_of(result: CaseResult) -> Ending | None:
    """Return how a case ended; None where it tells nothing of Burn, as without a reference or by a limit."""
    if result.outcome is Outcome.PASSED:
        return Ending.AGREES
    if result.outcome is not Outcome.FAILED or result.failure in _NO_EVIDENCE:
        return None
    return _AT_STAGE.get(result.stage)


def proved(result: CaseResult) -> bool:
    """Return whether a passed case proves the numbers: an answer that depends on no input does not."""
    return result.verdict in (VerdictName.AGREES, VerdictName.ORACLE_DISAGREES)
