"""Statistics of timed calls: summaries, a ratio with its interval, and whether warming up is over.

Measures nothing. Random numbers are drawn from a fixed seed: the same samples give the same interval.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from burn_verify.timings import CONFIDENCE, Ratio, Summary

RESOLUTION: Final = 0.01
"""Two processes of one program differ by so much, whatever is measured inside of them: where their memory lies, for
example, is decided once a process. An interval is never narrower than this to either side."""

NOISY: Final = 1.25
"""An interval whose ends are further apart than this factor says nothing that is worth saying."""

_RESAMPLES: Final = 2000
_LEAST_ROUNDS: Final = 5
_STEADY: Final = 0.03


def summarise(nanoseconds: Sequence[int]) -> Summary:
    """Return the summary (seconds) of calls (nanoseconds).

    Raises:
        ValueError: there is none.
    """
    if not nanoseconds:
        msg = "no call was timed"
        raise ValueError(msg)
    low, median, high, p95 = (float(value) / 1e9 for value in np.percentile(nanoseconds, (25, 50, 75, 95)))
    return Summary(
        calls=len(nanoseconds), minimum=min(nanoseconds) / 1e9, median=median, p95=p95, iqr=max(high - low, 0.0)
    )


def ratio_of(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> Ratio:
    """Return the ratio of the medians of two programs that were timed in turns, with its interval.

    Runs of successive rounds are drawn, not calls, as in Künsch's block bootstrap (1989): what follows one another
    shares whatever the machine was doing, and a neighbour is busy for longer than a round. The interval is the
    expanded percentile interval of Hesterberg, *What Teachers Should Know About the Bootstrap* (2015), 4.3:
    plain percentiles are too narrow for few rounds.

    Arguments:
        ours, theirs: calls (nanoseconds) by round, as many rounds each.

    Raises:
        ValueError: the rounds do not pair up, or one has no call.
    """
    if len(ours) != len(theirs) or not ours or not all(map(len, (*ours, *theirs))):
        msg = "rounds come in pairs, and each has a call at least"
        raise ValueError(msg)
    value = float(np.median(np.concatenate(ours)) / np.median(np.concatenate(theirs)))
    rounds = len(ours)
    if rounds < _LEAST_ROUNDS:
        return Ratio(value=value, low=0.0, high=math.inf, noisy=True)
    drawn = _drawn(rounds)
    ratios = [
        np.median(np.concatenate([ours[place] for place in places]))
        / np.median(np.concatenate([theirs[place] for place in places]))
        for places in drawn
    ]
    tail = _expanded_tail(rounds)
    low, high = (float(end) for end in np.quantile(ratios, (tail, 1 - tail)))
    low, high = min(low, value * (1 - RESOLUTION)), max(high, value * (1 + RESOLUTION))
    return Ratio(value=value, low=low, high=high, noisy=high > NOISY * low)


def is_steady(before: Sequence[int], now: Sequence[int]) -> bool:
    """Return whether calls stopped getting faster from one block to the next."""
    return abs(_median(now) / _median(before) - 1) <= _STEADY


def _median(values: Sequence[int]) -> float:
    return float(np.median(values))


def _drawn(rounds: int) -> npt.NDArray[np.int64]:
    """Return which rounds each draw consists of: runs of the square root of their number, the last before the first."""
    length = round(math.sqrt(rounds))
    starts = np.random.default_rng(0).integers(0, rounds, size=(_RESAMPLES, math.ceil(rounds / length), 1))
    return ((starts + np.arange(length)) % rounds).reshape(_RESAMPLES, -1)[:, :rounds]


def _expanded_tail(count: int) -> float:
    """Return the share of draws to leave out at either end: that of a normal distribution beyond the wider t."""
    normal = NormalDist()
    wanted = _t_quantile(1 - (1 - CONFIDENCE) / 2, count - 1) * math.sqrt(count / (count - 1))
    return normal.cdf(-wanted)


def _t_quantile(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t by Abramowitz and Stegun 26.7.5, right to 1 % from four degrees of freedom."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / freedom + second / freedom**2 + third / freedom**3 + fourth / freedom**4
