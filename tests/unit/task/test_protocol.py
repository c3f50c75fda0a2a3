"""Intervals from samples drawn again, and predictions by the number of their sample."""

import numpy as np
import pytest

from burn_verify.task.protocol import bootstrapped, by_number
from labelled import entry


def mean(rows):
    return {"mean": float(rows.mean())}


def test_the_interval_holds_the_difference_and_is_the_same_for_a_seed():
    draw = np.random.default_rng(3)
    before = draw.normal(size=(200, 1))
    after = before + 0.1 + draw.normal(scale=0.01, size=(200, 1))
    low, high = bootstrapped(before, after, mean, 7)["mean"]
    assert 0.09 < low < 0.1 < high < 0.11
    assert bootstrapped(before, after, mean, 7)["mean"] == (low, high)
    assert bootstrapped(before, after, mean, 8)["mean"] != (low, high)


def test_what_is_never_a_number_has_no_interval():
    rows = np.ones((3, 1))
    assert np.isnan(bootstrapped(rows, rows, lambda _: {"x": float("nan")}, 0)["x"]).all()


def test_predictions_by_number():
    entries = [entry(0, 4), entry(0, 7)]
    assert by_number([{"sample": 7}, {"sample": 4}], entries) == {7: {"sample": 7}, 4: {"sample": 4}}
    with pytest.raises(ValueError, match="1 of 2 samples have no prediction"):
        by_number([{"sample": 7}], entries)
    for wrong in ({"sample": 5}, {}, 7):
        with pytest.raises(ValueError, match=r"predictions\[0\]"):
            by_number([wrong], entries)
