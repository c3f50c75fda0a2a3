"""A lone node: its inputs from the graph's and from small constants."""

import numpy as np
import pytest

from burn_verify.judge.facts import LoneNode, needed
from nodes import node_facts

X, AXES = np.ones(3, np.float32), np.array([0])


def test_inputs_are_the_graphs_or_small_constants():
    facts = node_facts("ReduceSum", (3,), (1,), None, values={1: AXES})
    node = LoneNode(facts=facts, feeds=(0, None, None), gives=(0,))

    x, axes, omitted = node.inputs([X])

    assert x is X
    assert axes is AXES
    assert omitted is None


@pytest.mark.parametrize("position", [1, 2])
def test_an_input_that_an_operator_needs_has_to_be_there(position):
    assert needed([X, None], 0) is X
    with pytest.raises(ValueError, match=f"input {position} is needed"):
        needed([X, None], position)
