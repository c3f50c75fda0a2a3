"""How results of cases and operators are shown: one table of symbols, words and tones.

A result that fits no line of the table is shown as no evidence, never as agreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.ends import End, end_of
from burn_verify.report.summary.status import Status


class Tone(StrEnum):
    """The meaning of a state for a user: the name of a colour, always shown with symbol and word."""

    GOOD = "good"
    WRONG = "wrong"
    FAILED = "failed"
    REFUSED = "refused"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How one result is shown.

    Attributes:
        key: the name in JSON and in filters.
        passes: the case passes.
        speaks: the state says something about Burn.
    """

    key: str
    symbol: str
    word: str
    tone: Tone
    passes: bool = False
    speaks: bool = True


WRONG: Final = State(key="wrong", symbol="✗", word="wrong numbers", tone=Tone.WRONG)
MISSING: Final = State(key="missing", symbol="∅", word="missing", tone=Tone.NEUTRAL, speaks=False)
NOT_RUN: Final = State(key="not-run", symbol="⊘", word="not run", tone=Tone.NEUTRAL, speaks=False)
"""The state of the cases of a target that could not be built or started."""
SILENT: Final = State(key="silent", symbol="?", word="no evidence", tone=Tone.NEUTRAL, speaks=False)

LOOSE: Final = State(key="loose", symbol="≈", word="agrees loosely", tone=Tone.GOOD, passes=True)

_VERDICTS: Final[Mapping[str, State]] = {
    VerdictName.DISAGREES: WRONG,
    VerdictName.INSENSITIVE: State(key="insensitive", symbol="○", word="insensitive", tone=Tone.NEUTRAL, speaks=False),
    VerdictName.NONDETERMINISTIC: State(key="random", symbol="~", word="random", tone=Tone.NEUTRAL, passes=True),
    VerdictName.ORACLE_DISAGREES: State(
        key="oracle", symbol="≠", word="agrees, ONNX Runtime does not", tone=Tone.GOOD, passes=True
    ),
    VerdictName.LOOSE: LOOSE,
    VerdictName.AGREES: State(key="agrees", symbol="✓", word="agrees", tone=Tone.GOOD, passes=True),
}
"""By the judge's word, whatever the outcome: these are cases that were compared."""

_ENDS: Final = {
    End.WRONG: WRONG,
    End.FAILED: State(key="failed", symbol="▲", word="fails at run time", tone=Tone.FAILED),
    End.DEVICE: State(key="device", symbol="▽", word="the device cannot", tone=Tone.NEUTRAL, speaks=False),
    End.NOT_SERVABLE: State(key="not-servable", symbol="◌", word="not servable", tone=Tone.NEUTRAL, speaks=False),
    End.NO_VALUE: State(key="no-value", symbol="◇", word="no Burn value", tone=Tone.REFUSED),
    End.NO_PROGRAM: State(key="no-program", symbol="■", word="does not compile", tone=Tone.FAILED),
    End.REFUSED: State(key="refused", symbol="⊖", word="refused", tone=Tone.REFUSED),
}

STATES: Final = (*dict.fromkeys([*_ENDS.values(), MISSING, NOT_RUN, SILENT, *_VERDICTS.values()]),)
"""Every state once, the worst first: of two runs of one target, the worse result is shown."""

RANK: Final = {state: place for place, state in enumerate(STATES)}


def state_of(result: CaseResult | None, *, started: bool = True) -> State:
    """Return how a result is shown; no result is a missing one, unless its target never started."""
    if result is None:
        return MISSING if started else NOT_RUN
    if result.outcome is Outcome.SKIPPED:
        return SILENT
    if result.stage is Stage.COMPARE and (state := _VERDICTS.get(result.verdict or "")):
        # A passing verdict beside a failed outcome does not count.
        return state if state.passes <= (result.outcome is Outcome.PASSED) else WRONG
    return _ENDS.get(end_of(result), SILENT)


OPERATOR_STATES: Final = {
    Status.VERIFIED: State(key="verified", symbol="✓", word="verified", tone=Tone.GOOD, passes=True),
    Status.PARTLY: State(key="partly", symbol="◐", word="partly", tone=Tone.NEUTRAL),
    Status.REFUTED: State(key="refuted", symbol="✗", word="refuted", tone=Tone.WRONG),
    Status.DOES_NOT_COMPILE: State(key="no-program", symbol="■", word="does not compile", tone=Tone.FAILED),
    Status.REFUSED: State(key="refused", symbol="⊖", word="refused", tone=Tone.REFUSED),
    Status.UNTESTED: State(key="untested", symbol="·", word="untested", tone=Tone.NEUTRAL, speaks=False),
}
"""How the status of an operator, of one of its versions or of its dtypes is shown."""
