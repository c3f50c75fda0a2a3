"""Statistics of timed calls, on samples whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.samples import NOISY, RESOLUTION, _t_quantile, is_steady, ratio_of, summarise

NANOSECONDS = st.integers(1, 10**12)
ROUNDS = st.lists(st.lists(NANOSECONDS, min_size=1, max_size=5), min_size=1, max_size=12)


def drawn(seed, median_ns, rounds=20, calls=20, spread=0.05, drift=0.02):
    """Return calls by round: each round has its own level, as a busy machine gives it."""
    rng = np.random.default_rng(seed)
    levels = median_ns * np.exp(drift * rng.standard_normal(rounds))
    return [[int(level * np.exp(spread * rng.standard_normal())) for _ in range(calls)] for level in levels]


@given(st.lists(NANOSECONDS, min_size=1, max_size=50))
def test_a_summary_is_in_order(calls):
    said = summarise(calls)
    assert said.calls == len(calls)
    assert said.minimum <= said.median * (1 + 1e-12)
    assert said.median <= said.p95 * (1 + 1e-12)
    assert said.iqr >= 0
    assert said.minimum == min(calls) / 1e9


def test_a_summary_of_known_calls():
    said = summarise([1_000, 2_000, 3_000, 4_000, 5_000])
    assert (said.minimum, said.median) == (1e-6, 3e-6)
    assert said.iqr == pytest.approx(2e-6)
    assert said.p95 == pytest.approx(4.8e-6)


def test_no_calls_have_no_summary():
    with pytest.raises(ValueError, match="no call"):
        summarise([])


@given(ROUNDS)
@settings(max_examples=25, deadline=None)
def test_the_interval_is_around_the_ratio_and_never_finer_than_the_resolution(rounds):
    said = ratio_of(rounds, rounds)
    assert said.value == 1.0
    assert said.low <= 1 - RESOLUTION
    assert said.high >= 1 + RESOLUTION


@given(ROUNDS, st.integers(2, 9))
@settings(max_examples=25, deadline=None)
def test_one_program_that_takes_so_many_times_as_long(rounds, factor):
    slower = [[call * factor for call in block] for block in rounds]
    assert ratio_of(slower, rounds).value == pytest.approx(factor)


def test_the_same_samples_give_the_same_interval():
    ours, theirs = drawn(1, 2e6), drawn(2, 1e6)
    assert ratio_of(ours, theirs) == ratio_of(ours, theirs)


def test_few_rounds_are_too_noisy_whatever_they_say():
    said = ratio_of([[2]] * 4, [[1]] * 4)
    assert said.noisy
    assert said.high == math.inf


def test_a_wide_interval_is_too_noisy_and_a_narrow_one_is_not():
    assert not ratio_of(drawn(1, 2e6), drawn(2, 1e6)).noisy
    wild = ratio_of(drawn(1, 2e6, drift=1.0), drawn(2, 1e6, drift=1.0))
    assert wild.noisy
    assert wild.high > NOISY * wild.low


def test_more_noise_never_narrows_the_interval():
    widths = []
    for drift in (0.0, 0.05, 0.2):
        said = ratio_of(drawn(1, 1e6, drift=drift), drawn(2, 1e6, drift=drift))
        widths.append(said.high / said.low)
    assert widths == sorted(widths)


def test_the_truth_is_inside_as_often_as_the_interval_says():
    # 300 comparisons of a program with itself, with the resolution switched off by the noise; at 99 % three may miss,
    # and twelve do so once in ten thousand times.
    missed = sum(
        not (said.low <= 1 <= said.high)
        for seed in range(300)
        for said in [ratio_of(drawn(2 * seed, 1e6, calls=5), drawn(2 * seed + 1, 1e6, calls=5))]
    )
    assert missed <= 12


def test_a_neighbour_that_stays_for_some_rounds_widens_the_interval():
    # Every second round slowed, and the same ten in a row: the latter say less about all rounds.
    slowed = {True: range(0, 20, 2), False: range(10)}
    widths = {}
    for scattered, places in slowed.items():
        ours = [[1200 if place in places else 1000] * 5 for place in range(20)]
        theirs = [[1000 + place] * 5 for place in range(20)]
        said = ratio_of(ours, theirs)
        widths[scattered] = said.high / said.low
    assert widths[False] >= widths[True]


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([[1]], [[1], [1]]), ([[1], []], [[1], [1]])])
def test_rounds_come_in_pairs(ours, theirs):
    with pytest.raises(ValueError, match="pairs"):
        ratio_of(ours, theirs)


@pytest.mark.parametrize(
    ("before", "now", "steady"), [([100], [100], True), ([100], [102], True), ([100], [90], False)]
)
def test_steady_is_what_does_not_get_faster(before, now, steady):
    assert is_steady(before, now) is steady


# Student's t at 0.995, from any table of it.
@pytest.mark.parametrize(("freedom", "value"), [(4, 4.604), (9, 3.250), (19, 2.861), (120, 2.617)])
def test_the_quantile_of_t(freedom, value):
    assert _t_quantile(0.995, freedom) == pytest.approx(value, rel=0.01)
