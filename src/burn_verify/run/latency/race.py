"""Interleaved timing of two programs: each is started several times, warmed up, and called in alternating blocks.

Independent of processes and of the computation: a contestant is any object that can restart and run a block of calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol

from burn_verify.core.latency import Block, BlockPlan, Side
from burn_verify.run.latency.samples import is_steady, summarise

STARTS: Final = 6
"""Several, since processes of one program differ in ways that are constant within a process, such as the memory layout,
and since the load of the machine varies from one second to the next."""

MOST_STARTS: Final = 12
"""The maximum number of starts, where fewer are not conclusive."""

ROUNDS: Final = 6
BLOCK_SECONDS: Final = 0.12
BLOCK_CALLS: Final = 40
SETTLE_SECONDS: Final = 0.02
"""Duration of untimed calls at the start of a block: the caches hold the other program's data until then, and threads
of ONNX Runtime spin for some milliseconds after a call."""

_WARM_SECONDS: Final = 0.15
_WARM_BLOCKS: Final = 12
_WARM_CALLS: Final = 50


class Contestant(Protocol):
    """A program that can run blocks of calls."""

    def restart(self) -> None:
        """Make the next block run in a new process."""

    def block(self, plan: BlockPlan) -> Block:
        """Run a block."""


STEADY_PLAN: Final = BlockPlan(fresh=False, settle=SETTLE_SECONDS, calls=BLOCK_CALLS, seconds=BLOCK_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The calls before the timed ones.

    Attributes:
        first: the block of one call that loads the model.
        calls: number of warm-up calls after it.
        stable: whether the calls had stopped getting faster.
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
    """Start every contestant the given number of times, and time it in every round of each start.

    The order of starts alternates, and so does the order within rounds: a drift of the machine affects all equally.

    Arguments:
        enough: returns whether the samples of the sides suffice; if not, there is one more start, up to `MOST_STARTS`.
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
    """Start a contestant and call it until the calls stop getting faster."""
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
