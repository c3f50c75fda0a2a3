"""S of a bound, for the kinds of magnitude that need values."""

import numpy as np
import pytest

from burn_verify.judge.bound_table import RULES
from burn_verify.judge.magnitude import deviation, magnitude_of
from nodes import node_facts


def not_called(facts, inputs):
    raise AssertionError(facts.op_type)


def test_a_contraction_is_evaluated_on_absolute_values():
    a, b = np.array([[1, -2]], np.float32), np.array([[3], [-4]], np.float32)

    scale = magnitude_of(
        RULES["", "MatMul"],
        node_facts("MatMul", a.shape, b.shape, output=(1, 1)),
        [a, b],
        lambda facts, inputs: [inputs[0] @ inputs[1]],
    )

    assert scale == [[11]]


def test_a_negative_factor_does_not_bring_cancellation_back():
    seen = []

    def evaluate(facts, inputs):
        seen.append(facts.attributes["alpha"])
        return [np.ones((1, 1))]

    a = np.ones((1, 1), np.float32)
    magnitude_of(RULES["", "Gemm"], node_facts("Gemm", (1, 1), (1, 1), output=(1, 1), alpha=-2.0), [a, a], evaluate)

    assert seen == [2.0]


def test_an_operator_whose_bound_is_relative_needs_no_magnitude():
    x = np.ones(2, np.float32)

    assert magnitude_of(RULES["", "Exp"], node_facts("Exp", (2,)), [x], not_called) is None


def test_the_deviation_grows_with_the_distance_from_zero():
    facts = node_facts("LayerNormalization", (1, 8), (8,), axis=-1)
    x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(1, 8)
    scale = np.ones(8, np.float32)

    near, far = (deviation(facts, [x + offset, scale]) for offset in (0, 100))

    assert near.shape == (1, 8)
    assert (far > near).all()


def test_only_normalisations_have_a_deviation():
    with pytest.raises(ValueError, match="Relu subtracts no mean"):
        deviation(node_facts("Relu", (2,)), [np.ones(2, np.float32)])
