"""What a rule finds is data."""

import dataclasses

import pytest

from burn_verify.graph.infer.finding import Dim, Rank, Values


@pytest.mark.parametrize(
    "made",
    [
        Values(input="x", rule="index", why="a table", low=0, high=3),
        Dim(symbol="N", rule="batch", why="the first"),
        Rank(input="x", rule="weights", why="a matrix", shape=("N", 4)),
    ],
)
def test_findings_are_immutable_and_can_be_compared(made):
    assert made == dataclasses.replace(made)
    assert hash(made) == hash(dataclasses.replace(made))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.rule = "other"
