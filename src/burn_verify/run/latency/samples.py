"""Statistics of timed calls: summaries, a ratio with its interval, and whether warming up is over.

Measures nothing. Random numbers are drawn from a fixed seed: the same samples give the same interval.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from burn_verify.core.latency import CONFIDENCE, Ratio, Summary

RESOLUTION: Final = 0.01
"""The smallest relative difference that is resolved: an interval is never narrower than this on either side."""

NOISY: Final = 1.25
"""An interval whose ends differ by more than this factor is too wide for a conclusion."""

CROWDED: Final = 0.2
"""A program is disturbed where it and all others use more processors than exist, by at least this number. A smaller
excess is the load of the system itself, and of the other program of a race after its turn."""

_RESAMPLES: Final = 2000
_LEAST_STARTS: Final = 5
_STEADY: Final = 0.03


def summarise(nanoseconds: Sequence[int]) -> Summary:
    """Return the summary (seconds) of calls (nanoseconds).

    Raises:
        ValueError: there are no calls.
    """
    if not nanoseconds:
        msg = "no call was timed"
        raise ValueError(msg)
    low, median, high, p95 = (float(value) / 1e9 for value in np.percentile(nanoseconds, (25, 50, 75, 95)))
    return Summary(
        calls=len(nanoseconds), minimum=min(nanoseconds) / 1e9, median=median, p95=p95, iqr=max(high - low, 0.0)
    )


def ratio_of(ours: Sequence[Sequence[Sequence[int]]], theirs: Sequence[Sequence[Sequence[int]]]) -> Ratio:
    """Return the ratio of the medians of two programs that were timed in turns, with its confidence interval.

    The ratio is the median of the ratios of the rounds, since a disturbance of the machine affects both sides of a
    round. The bootstrap resamples whole starts, not rounds or calls, since the calls of one start are correlated: they
    share the initial state of the process and the load of the machine. The interval is the t interval with bootstrap
    standard error of Hesterberg, *What Teachers Should Know About the Bootstrap* (2015), of the ratio's logarithm, with
    the factor for few samples given there.

    Arguments:
        ours, theirs: calls (nanoseconds) by start and round; starts of either have the same number of rounds.

    Raises:
        ValueError: the rounds do not pair up, or one has no call.
    """
    if len(ours) != len(theirs) or not ours or len({*map(len, ours), *map(len, theirs)} | {0}) != 2:
        msg = "rounds come in pairs, as many at every start"
        raise ValueError(msg)
    logs = np.log([list(map(_median, start)) for start in ours]) - np.log([list(map(_median, one)) for one in theirs])
    value = float(np.median(logs))
    count = len(logs)
    if count < _LEAST_STARTS:
        return Ratio(value=math.exp(value), low=0.0, high=math.inf, noisy=True)
    drawn = np.random.default_rng(0).integers(0, count, size=(_RESAMPLES, count))
    medians = np.median(logs[drawn].reshape(_RESAMPLES, -1), axis=1)
    error = float(np.std(medians)) * math.sqrt(count / (count - 1))
    half = max(_t_quantile(1 - (1 - CONFIDENCE) / 2, count - 1) * error, math.log1p(RESOLUTION))
    low, high = math.exp(value - half), math.exp(value + half)
    return Ratio(value=math.exp(value), low=low, high=high, noisy=high > NOISY * low)


def is_crowded(threads: int, others: float | None, processors: int) -> bool:
    """Return whether other programs, which used `others` processors, disturbed a program with `threads` threads."""
    return others is not None and min(threads, processors) + others > processors + CROWDED


def is_steady(before: Sequence[int], now: Sequence[int]) -> bool:
    """Return whether calls stopped getting faster from one block to the next."""
    return abs(_median(now) / _median(before) - 1) <= _STEADY


def _median(values: Sequence[int]) -> float:
    if not values:
        msg = "no call was timed"
        raise ValueError(msg)
    return float(np.median(values))


def _t_quantile(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t by Abramowitz and Stegun 26.7.5, correct to 1 % from four degrees of freedom."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / freedom + second / freedom**2 + third / freedom**3 + fourth / freedom**4
