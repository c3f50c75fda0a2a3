"""Counts of roundings from shapes, against their formulas."""

import math

import numpy as np
import pytest

from burn_verify.judge import counts
from nodes import node_facts


def test_a_reduction_counts_the_elements_of_one_output_element():
    facts = node_facts("ReduceSum", (4, 6, 5), output=(4, 1, 5))

    assert counts.reduced(facts) == 6
    assert counts.reduction(2, 1)(facts) == 13


@pytest.mark.parametrize(
    ("count", "facts", "expected"),
    [
        (counts.matmul, node_facts("MatMul", (3, 7), (7, 2)), 14),
        (counts.gemm, node_facts("Gemm", (3, 7), (7, 2), alpha=1.0, beta=1.0), 17),
        (counts.gemm, node_facts("Gemm", (7, 3), (7, 2), alpha=1.0, beta=1.0, transA=1), 17),
        (counts.conv, node_facts("Conv", (1, 4, 9, 9), (8, 2, 3, 5)), 2 * 3 * 5 * 2),
        (counts.conv, node_facts("Conv", (1, 4, 9, 9), (8, 2, 3, 5), (8,)), 2 * 3 * 5 * 2 + 2),
        (counts.einsum, node_facts("Einsum", (3, 7), (7, 2), equation="ij,jk->ik"), 2 * 7 + 2),
        (counts.variadic(1), node_facts("Sum", (2,), (2,), (2,)), 4),
        (counts.constant(5), node_facts("Exp", (2,)), 5),
    ],
)
def test_a_contraction_counts_products_and_sums(count, facts, expected):
    assert count(facts) == expected


def test_the_axis_of_a_cumulative_sum_may_be_unknown():
    known = node_facts("CumSum", (4, 9), (), values={1: np.array(0)})

    assert counts.scanned(known) == 4
    assert counts.scanned(node_facts("CumSum", (4, 9), ())) == 9


def test_a_batch_normalisation_in_training_has_no_bound():
    assert counts.batch_normalisation(node_facts("BatchNormalization", (2, 3), epsilon=0.5)) == 8
    assert counts.batch_normalisation(node_facts("BatchNormalization", (2, 3), training_mode=1)) == math.inf


def test_a_step_of_a_recurrent_network_adds_to_the_one_before():
    one, two = (node_facts("LSTM", (steps, 1, 3), (1, 16, 3), (1, 16, 4), hidden_size=4) for steps in (1, 2))

    assert counts.recurrent(4)(two) == 2 * counts.recurrent(4)(one) > 0
