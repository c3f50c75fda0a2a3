"""Two programs timed in turns: start, warming up, then blocks of calls whose order alternates.

Knows neither processes nor what is computed: a contestant is whoever can run a block of calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Protocol

from burn_verify.samples import is_steady, summarise
from burn_verify.timings import Side

ROUNDS: Final = 20
BLOCK_SECONDS: Final = 0.15
BLOCK_CALLS: Final = 40
SETTLE_SECONDS: Final = 0.02
"""Calls go on so long before the first one of a block counts: caches are the other program's until then, and threads
of ONNX Runtime look for work for some milliseconds after a call."""

_WARM_SECONDS: Final = 0.25
_WARM_BLOCKS: Final = 12
_WARM_CALLS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """What a contestant is asked for; `calls` and `seconds` are limits, and one call is made in any case.

    Attributes:
        fresh: load the model anew before.
        settle: seconds of calls that do not count.
    """

    fresh: bool
    settle: float
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a contestant answers.

    Attributes:
        load: seconds it took to load the model; about 0 unless it was loaded anew.
        calls_ns, prepare_ns: of each call that counts, and of making its inputs.
        resident: bytes before and after loading, and after the block.
    """

    load: float
    calls_ns: tuple[int, ...]
    prepare_ns: tuple[int, ...]
    resident: tuple[int | None, int | None, int | None]


def bench_request(plan: BlockPlan) -> dict[str, Any]:
    """Return what a request says of a block."""
    return {"fresh": plan.fresh, "settle_seconds": plan.settle, "calls": plan.calls, "seconds": plan.seconds}


def block_of(answer: Mapping[str, Any]) -> Block:
    """Return what an answer says of a block.

    Raises:
        KeyError, TypeError, ValueError: it says nothing of the kind.
    """
    before, loaded, called = answer["resident_bytes"]
    calls = tuple(map(int, answer["forward_ns"]))
    if not calls:
        msg = "a block without a call"
        raise ValueError(msg)
    return Block(
        load=float(answer["load_seconds"]),
        calls_ns=calls,
        prepare_ns=tuple(map(int, answer["prepare_ns"])),
        resident=(before, loaded, called),
    )


class Contestant(Protocol):
    """A program that can run blocks of calls."""

    def block(self, plan: BlockPlan) -> Block:
        """Run a block."""


_STEADY_PLAN: Final = BlockPlan(fresh=False, settle=SETTLE_SECONDS, calls=BLOCK_CALLS, seconds=BLOCK_SECONDS)


def run(contestants: Sequence[Contestant], rounds: int = ROUNDS) -> list[Side]:
    """Time every contestant in every round; who begins alternates, so that a drift of the machine falls on all alike.

    Contestants are started one after the other, each warmed up at once.
    """
    warm = [_warmed_up(contestant) for contestant in contestants]
    blocks: list[list[Block]] = [[] for _ in contestants]
    for place in range(rounds):
        order = list(enumerate(contestants))
        for number, contestant in order[:: -1 if place % 2 else 1]:
            blocks[number].append(contestant.block(_STEADY_PLAN))
    return [_side(*started, steady) for started, steady in zip(warm, blocks, strict=True)]


def _warmed_up(contestant: Contestant) -> tuple[Block, int, bool]:
    """Start a contestant; return its first block, of one call, how many calls followed, and whether they got steady."""
    first = contestant.block(BlockPlan(fresh=True, settle=0.0, calls=1, seconds=0.0))
    plan = BlockPlan(fresh=False, settle=0.0, calls=_WARM_CALLS, seconds=_WARM_SECONDS)
    before = contestant.block(plan).calls_ns
    calls = len(before)
    for _ in range(_WARM_BLOCKS):
        now = contestant.block(plan).calls_ns
        calls += len(now)
        if is_steady(before, now):
            return first, calls, True
        before = now
    return first, calls, False


def _side(first: Block, warm_calls: int, stable: bool, steady: Sequence[Block]) -> Side:
    return Side(
        load=first.load,
        first=first.calls_ns[0] / 1e9,
        steady=summarise([call for block in steady for call in block.calls_ns]),
        prepare=median([spent for block in steady for spent in block.prepare_ns] or [0]) / 1e9,
        resident=first.resident,
        warm_calls=warm_calls,
        stable=stable,
        rounds_ns=tuple(block.calls_ns for block in steady),
    )
