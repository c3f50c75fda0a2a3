"""The order of a race, with contestants that only count."""

import pytest

from burn_verify.core.latency import Block, BlockPlan, bench_request, block_of
from burn_verify.run.latency import race


class Counting:
    """Answers with the calls that it was told to, and remembers what it was asked."""

    def __init__(self, name, log, times=(100,), others=None):
        self.name = name
        self.log = log
        self.times = list(times)
        self.others = others
        self.plans = []

    def restart(self):
        self.log.append(f"{self.name} begins")

    def block(self, plan):
        self.log.append(self.name)
        self.plans.append(plan)
        time = self.times.pop(0) if len(self.times) > 1 else self.times[0]
        return Block(
            load=3.0 if plan.fresh else 0.0,
            calls_ns=(time,) * (1 if plan.fresh else 4),
            prepare_ns=(7,),
            resident=(1, 2, 5) if plan.fresh else (9, 9, 9),
            others=self.others if plan == race.STEADY_PLAN else (99.0, 1.0),
        )


def test_who_begins_alternates_and_each_is_warmed_up_first():
    log = []
    race.run([Counting("a", log), Counting("b", log)], starts=2, rounds=4)
    # Loading, and two blocks of calls that take no less time.
    a, b = ["a begins", "a", "a", "a"], ["b begins", "b", "b", "b"]
    first, second = [*a, *b, *"abbaabba"], [*b, *a, *"baabbaab"]
    assert log == first + second


def test_only_the_first_block_of_a_start_loads_and_only_steady_ones_count():
    log = []
    contestant = Counting("a", log, times=(900, 500, 300, 200, 200, 100))
    (side,) = race.run([contestant], starts=2, rounds=3)
    warm = [True, False, False, False, False]
    assert [plan.fresh for plan in contestant.plans] == warm + [False] * 3 + [True] + [False] * (2 + 3)
    assert side.load == 3.0
    assert side.first == 500e-9
    assert side.resident == (1, 2, 5)
    assert side.grown == 4
    assert side.prepare == 7e-9
    # 500, 300, 200, 200: the last two are alike.
    assert side.warm_calls == 16
    assert side.stable
    assert side.starts_ns == (((100,) * 4,) * 3,) * 2
    assert side.steady.median == 100e-9


def test_one_that_never_gets_steady_is_timed_all_the_same_and_said():
    times = [1000 * (2 if place % 2 else 1) for place in range(60)]
    (side,) = race.run([Counting("a", [], times)], starts=1, rounds=2)
    assert not side.stable
    assert side.warm_calls == 4 * 13
    assert len(side.starts_ns[0]) == 2


@pytest.mark.parametrize(("wanted", "starts"), [(1, 3), (5, 5), (100, race.MOST_STARTS)])
def test_more_starts_where_those_do_not_say_enough(wanted, starts):
    sides = race.run(
        [Counting("a", []), Counting("b", [])], starts=3, enough=lambda sides: len(sides[0].starts_ns) >= wanted
    )
    assert [len(side.starts_ns) for side in sides] == [starts, starts]


@pytest.mark.parametrize(("others", "said"), [((0.1, 0.2), 0.5), ((-0.01, 0.2), 0.0), (None, None)])
def test_what_others_used_while_calls_counted(others, said):
    (side,) = race.run([Counting("a", [], others=others)], starts=2)
    assert side.others == said


def test_blocks_that_count_settle_first_and_have_limits():
    contestant = Counting("a", [])
    race.run([contestant], starts=1, rounds=2)
    for plan in contestant.plans[-2:]:
        assert plan.settle > 0
        assert plan.calls > 1
        assert plan.seconds > 0


def test_a_block_on_the_wire():
    plan = BlockPlan(fresh=True, settle=0.5, calls=3, seconds=2.0)
    assert bench_request(plan) == {"fresh": True, "settle_seconds": 0.5, "calls": 3, "seconds": 2.0}
    answer = {"load_seconds": 1, "forward_ns": [5, 6], "prepare_ns": [], "resident_bytes": [None, 2, 3]}
    assert block_of(answer) == Block(load=1.0, calls_ns=(5, 6), prepare_ns=(), resident=(None, 2, 3))


@pytest.mark.parametrize(
    "spoilt", [{"forward_ns": []}, {"resident_bytes": [1]}, {"forward_ns": None}, {"load_seconds": "x"}]
)
def test_an_answer_that_is_no_block(spoilt):
    answer = {"load_seconds": 1, "forward_ns": [5], "prepare_ns": [], "resident_bytes": [1, 2, 3]}
    with pytest.raises((ValueError, TypeError)):
        block_of(answer | spoilt)
