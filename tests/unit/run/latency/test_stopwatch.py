"""What is made of a race, with programs that only say how long they took."""

import os
from dataclasses import dataclass, field

import pytest

from burn_verify.core.errors import OracleError
from burn_verify.core.latency import Block, BlockPlan, Cost, Latency
from burn_verify.run.latency import race
from burn_verify.run.latency.stopwatch import Watched, raced

PROCESSORS = os.cpu_count() or 1
EMPTY = Latency(
    profile="latency",
    threads=PROCESSORS,
    data_set="seeded",
    cost=Cost(codegen=0, rustc=0, rustc_peak=0, link=0, lines=1, nodes=1, binary=1, weights=0),
)


@dataclass
class Telling:
    """Takes as long as it is told, start by start, beside others that use so many processors."""

    times: list[int]
    others: float | None = 0.0
    dies: bool = False
    starts: int = field(default=0, init=False)

    def restart(self) -> None:
        self.starts += 1

    def block(self, plan: BlockPlan) -> Block:
        if self.dies and not plan.fresh:
            raise OracleError("ONNX Runtime: died")
        time = self.times[self.starts % len(self.times)]
        calls = (time,) * (1 if plan.fresh else 4)
        others = None if self.others is None else (self.others * 0.1, 0.1)
        return Block(load=1.0, calls_ns=calls, prepare_ns=(), resident=(None, None, None), others=others)


def test_a_calm_race_has_a_ratio() -> None:
    made = raced(EMPTY, burn := Telling([2000]), Telling([1000]))
    assert made.ratio is not None
    assert made.ratio.value == pytest.approx(2.0)
    assert not made.ratio.noisy
    assert made.why == ""
    assert burn.starts == race.STARTS


def test_a_neighbour_makes_it_too_noisy_and_is_named() -> None:
    made = raced(EMPTY, Telling([2000], others=0.1), Telling([1000], others=0.9))
    assert made.ratio is not None
    assert made.ratio.noisy
    assert made.why == f"other programs used 0.9 of {PROCESSORS} processors meanwhile"


def test_nobody_tells_of_neighbours() -> None:
    made = raced(EMPTY, Telling([2000], others=None), Telling([1000], others=None))
    assert made.ratio is not None
    assert not made.ratio.noisy


def test_starts_that_differ_are_followed_by_more() -> None:
    made = raced(EMPTY, burn := Telling([2000, 3000, 5000]), Telling([1000]))
    assert made.ratio is not None
    assert made.ratio.noisy
    assert burn.starts == race.MOST_STARTS


def test_burn_is_timed_where_onnxruntime_cannot_be() -> None:
    made = raced(EMPTY, Telling([2000]), Telling([1000], dies=True))
    assert made.ratio is None
    assert made.onnxruntime is None
    assert made.burn is not None
    assert made.burn.steady.median == pytest.approx(2000e-9)
    assert made.why == "ONNX Runtime: died"


def test_what_others_used_is_asked_around_every_block() -> None:
    watched = Watched(contestant=Telling([1000]), ours=lambda: [os.getpid()])
    block = watched.block(race.STEADY_PLAN)
    assert block.calls_ns == (1000,) * 4
    assert block.others is not None
    used, wall = block.others
    assert wall > 0
    # In ticks of a hundredth of a second, on every processor.
    assert used <= PROCESSORS * (wall + 0.02)


def test_nobody_is_watched_before_there_is_a_process() -> None:
    watched = Watched(contestant=Telling([1000]), ours=lambda: [os.getpid(), None])
    assert watched.block(race.STEADY_PLAN).others is None
