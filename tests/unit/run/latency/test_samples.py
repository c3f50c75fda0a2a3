"""Statistics of timed calls, on samples whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.run.latency.samples import (
    CROWDED,
    NOISY,
    RESOLUTION,
    _t_quantile,
    is_crowded,
    is_steady,
    ratio_of,
    summarise,
)

NANOSECONDS = st.integers(1, 10**12)


@st.composite
def races(draw):
    """Return calls by start and round, as many rounds at every start."""
    rounds = draw(st.integers(1, 4))
    blocks = st.lists(NANOSECONDS, min_size=1, max_size=5)
    return draw(st.lists(st.lists(blocks, min_size=rounds, max_size=rounds), min_size=1, max_size=12))


def drawn(seed, median_ns, starts=6, rounds=6, calls=20, spread=0.05, drift=0.02, born=0.0):
    """Return calls by start and round: each start and each round has its own level, as a busy machine gives it."""
    rng = np.random.default_rng(seed)
    levels = median_ns * np.exp(born * rng.standard_normal((starts, 1)) + drift * rng.standard_normal((starts, rounds)))
    times = levels[:, :, None] * np.exp(spread * rng.standard_normal((starts, rounds, calls)))
    return times.astype(int).tolist()


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


@given(races())
@settings(max_examples=25, deadline=None)
def test_the_interval_is_around_the_ratio_and_never_finer_than_the_resolution(race):
    said = ratio_of(race, race)
    assert said.value == 1.0
    assert said.low <= 1 / (1 + RESOLUTION) + 1e-12
    assert said.high >= 1 + RESOLUTION - 1e-12


@given(races(), st.integers(2, 9))
@settings(max_examples=25, deadline=None)
def test_one_program_that_takes_so_many_times_as_long(race, factor):
    slower = [[[call * factor for call in block] for block in start] for start in race]
    assert ratio_of(slower, race).value == pytest.approx(factor)


@given(races(), races())
@settings(max_examples=25, deadline=None)
def test_who_is_divided_by_whom_is_all_the_same(one, other):
    starts, rounds = min(len(one), len(other)), min(len(one[0]), len(other[0]))
    one, other = ([start[:rounds] for start in race[:starts]] for race in (one, other))
    there, back = ratio_of(one, other), ratio_of(other, one)
    assert there.value == pytest.approx(1 / back.value)
    if there.low:
        assert there.low == pytest.approx(1 / back.high)


def test_the_same_samples_give_the_same_interval():
    ours, theirs = drawn(1, 2e6), drawn(2, 1e6)
    assert ratio_of(ours, theirs) == ratio_of(ours, theirs)


def test_few_starts_are_too_noisy_whatever_they_say():
    said = ratio_of([[[2]]] * 4, [[[1]]] * 4)
    assert said.noisy
    assert said.high == math.inf


def test_a_wide_interval_is_too_noisy_and_a_narrow_one_is_not():
    assert not ratio_of(drawn(1, 2e6), drawn(2, 1e6)).noisy
    wild = ratio_of(drawn(1, 2e6, drift=1.0), drawn(2, 1e6, drift=1.0))
    assert wild.noisy
    assert wild.high > NOISY * wild.low


@pytest.mark.parametrize("kind", ["drift", "born"])
def test_more_noise_never_narrows_the_interval(kind):
    widths = []
    for noise in (0.0, 0.05, 0.2):
        said = ratio_of(drawn(1, 1e6, **{kind: noise}), drawn(2, 1e6, **{kind: noise}))
        widths.append(said.high / said.low)
    assert widths == sorted(widths)


@pytest.mark.parametrize("noise", [{"drift": 0.04}, {"born": 0.04}, {"drift": 0.1, "born": 0.05, "starts": 12}])
def test_the_truth_is_inside_as_often_as_the_interval_says(noise):
    # 300 comparisons of a program with itself, with the resolution switched off by the noise; at 99 % three may miss,
    # and twelve do so once in ten thousand times.
    missed = sum(
        not (said.low <= 1 <= said.high)
        for seed in range(300)
        for said in [ratio_of(drawn(2 * seed, 1e6, calls=5, **noise), drawn(2 * seed + 1, 1e6, calls=5, **noise))]
    )
    assert missed <= 12


def test_what_happens_to_the_machine_is_not_held_against_either():
    # Everything takes twice as long from the middle on, in the midst of a start.
    ours = [[[1000 * (1 + (start * 6 + place >= 21))] * 5 for place in range(6)] for start in range(6)]
    said = ratio_of(ours, [[[call * 2 for call in block] for block in start] for start in ours])
    assert said.value == pytest.approx(0.5)
    assert not said.noisy


def test_what_a_process_is_born_with_widens_the_interval():
    # The same 18 rounds slowed, scattered or three whole starts: the latter say less about all starts.
    widths = {}
    for scattered in (True, False):
        ours = [
            [[1200 if (place % 2 if scattered else start < 3) else 1000] * 5 for place in range(6)]
            for start in range(6)
        ]
        theirs = [[[1000 + place] * 5 for place in range(6)] for _ in range(6)]
        said = ratio_of(ours, theirs)
        widths[scattered] = said.high / said.low
    assert widths[False] > widths[True]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([], []),
        ([[[1]]], [[[1]], [[1]]]),
        ([[[1], [1]]], [[[1]]]),
        ([[[1], []]], [[[1], [1]]]),
        ([[]], [[]]),
        ([[[1]], [[1], [1]]], [[[1]], [[1], [1]]]),
    ],
)
def test_rounds_come_in_pairs_and_have_calls(ours, theirs):
    with pytest.raises(ValueError, match=r"pairs|no call"):
        ratio_of(ours, theirs)


@pytest.mark.parametrize(
    ("threads", "others", "crowded"),
    [
        (1, 1.0, False),  # each has a processor of its own
        (1, 1.0 + 2 * CROWDED, True),
        (2, CROWDED / 2, False),
        (2, 0.6, True),
        (8, CROWDED / 2, False),  # its own threads are more than there are processors: nobody else's fault
        (2, None, False),
    ],
)
def test_a_crowd_is_where_all_want_more_processors_than_there_are(threads, others, crowded):
    assert is_crowded(threads, others, processors=2) is crowded


@pytest.mark.parametrize(
    ("before", "now", "steady"), [([100], [100], True), ([100], [102], True), ([100], [90], False)]
)
def test_steady_is_what_does_not_get_faster(before, now, steady):
    assert is_steady(before, now) is steady


# Student's t at 0.995, from any table of it.
@pytest.mark.parametrize(("freedom", "value"), [(4, 4.604), (9, 3.250), (19, 2.861), (120, 2.617)])
def test_the_quantile_of_t(freedom, value):
    assert _t_quantile(0.995, freedom) == pytest.approx(value, rel=0.01)
