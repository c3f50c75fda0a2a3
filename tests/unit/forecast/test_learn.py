"""Weights of features from cells whose ending is known."""

import numpy as np
from onnx import TensorProto

from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import ENDINGS, Ending
from burn_verify.forecast.learn import Known, learned, softmax
from evidences import gather, relu


def known(made, ending, *groups):
    return Known(cell=cells(made)[0].cell, ending=ending, groups=frozenset(groups))


def test_what_always_fails_is_told_from_what_never_does():
    weights = learned(
        [
            known(relu(), Ending.AGREES, "a", "b"),
            known(relu(TensorProto.INT64), Ending.DOES_NOT_COMPILE, "c", "d"),
            known(gather(), Ending.AGREES, "e", "f"),
        ]
    )
    place = ENDINGS.index(Ending.DOES_NOT_COMPILE)

    assert weights["Relu", "X dtype", "int64"][place] > 0.1
    assert weights["Relu", "X dtype", "float32"][place] < 0


def test_of_nothing_nothing_is_learned():
    assert learned([]) == {}


def test_learning_twice_gives_the_same():
    examples = [known(relu(), Ending.AGREES, "a"), known(gather(), Ending.REFUSED, "b")]

    one, other = learned(examples), learned(examples)

    assert all((one[feature] == other[feature]).all() for feature in one)


def test_probabilities_sum_to_one_also_of_large_scores():
    np.testing.assert_allclose(softmax(np.array([1000.0, 0.0, -1000.0])), [1.0, 0.0, 0.0])
