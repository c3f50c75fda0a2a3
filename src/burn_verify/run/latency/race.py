"""Two programs timed in turns: each is started several times, warmed up, and called in blocks whose order alternates.

Knows neither processes nor what is computed: a contestant is whoever can begin anew and run a block of calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol

from burn_verify.core.latency import Block, BlockPlan, Side
from burn_verify.run.latency.samples import is_steady, summarise

STARTS: Final = 6
"""A program is born with differences that no call of it shows, such as where its memory lies, and the machine is not
the same from one second to the next."""

MOST_STARTS: Final = 12
"""So many where fewer do not say enough."""

ROUNDS: Final = 6
BLOCK_SECONDS: Final = 0.12
BLOCK_CALLS: Final = 40
SETTLE_SECONDS: Final = 0.02
"""Calls go on so long before the first one of a block counts: caches are the other program's until then, and threads
of ONNX Runtime look for work for some milliseconds after a call."""

_WARM_SECONDS: Final = 0.15
_WARM_BLOCKS: Final = 12
_WARM_CALLS: Final = 50


class Contestant(Protocol):
    """A program that can run blocks of calls."""

    def restart(self) -> None:
        """Make the next block that of a program that has just begun."""

    def block(self, plan: BlockPlan) -> Block:
        """Run a block."""


STEADY_PLAN: Final = BlockPlan(fresh=False, settle=SETTLE_SECONDS, calls=BLOCK_CALLS, seconds=BLOCK_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What came before the calls that count.

    Attributes:
        first: the block in which the model was loaded, of one call.
        calls: how many followed.
        stable: whether they had stopped getting faster.
    """

    first: Block
    calls: int
    stable: bool


def run(
    contestants: Sequence[Contestant],
    starts: int = STARTS,
    rounds: int = ROUNDS,
    enough: Callable[[list[Side]], bool] = lambda _: True,
) -> list[Side]:
    """Start every contestant so many times, and time it in every round of each.

    Who is started first alternates, and so does who begins a round: a drift of the machine falls on all alike.

    Arguments:
        enough: says of the sides after that whether they will do; where not, there is one more start, and so on until
            there were `MOST_STARTS`.
    """
    warmed: list[list[WarmUp]] = [[] for _ in contestants]
    timed: list[list[list[Block]]] = [[] for _ in contestants]
    sides: list[Side] = []
    for start in range(max(starts, MOST_STARTS)):
        order = list(enumerate(contestants))
        for number, contestant in order[:: -1 if start % 2 else 1]:
            warmed[number].append(warm_up(contestant))
            timed[number].append([])
        for place in range(start, start + rounds):
            for number, contestant in order[:: -1 if place % 2 else 1]:
                timed[number][-1].append(contestant.block(STEADY_PLAN))
        sides = [_side(*of_one) for of_one in zip(warmed, timed, strict=True)]
        if start + 1 >= starts and enough(sides):
            break
    return sides


def warm_up(contestant: Contestant) -> WarmUp:
    """Start a contestant and call it until that takes no less time than before."""
    contestant.restart()
    first = contestant.block(BlockPlan(fresh=True, settle=0.0, calls=1, seconds=0.0))
    plan = BlockPlan(fresh=False, settle=0.0, calls=_WARM_CALLS, seconds=_WARM_SECONDS)
    before = contestant.block(plan).calls_ns
    calls = len(before)
    for _ in range(_WARM_BLOCKS):
        now = contestant.block(plan).calls_ns
        calls += len(now)
        if is_steady(before, now):
            return WarmUp(first=first, calls=calls, stable=True)
        before = now
    return WarmUp(first=first, calls=calls, stable=False)


def _side(warmed: Sequence[WarmUp], timed: Sequence[Sequence[Block]]) -> Side:
    blocks = [block for start in timed for block in start]
    others = [block.others for block in blocks if block.others is not None]
    return Side(
        load=median(up.first.load for up in warmed),
        first=median(up.first.calls_ns[0] for up in warmed) / 1e9,
        steady=summarise([call for block in blocks for call in block.calls_ns]),
        prepare=median([spent for block in blocks for spent in block.prepare_ns] or [0]) / 1e9,
        resident=warmed[0].first.resident,
        warm_calls=max(up.calls for up in warmed),
        stable=all(up.stable for up in warmed),
        others=max(sum(used for used, _ in others) / sum(wall for _, wall in others), 0.0) if others else None,
        starts_ns=tuple(tuple(block.calls_ns for block in start) for start in timed),
    )
