"""Pools by slices answer the same, in all dimensions and corners."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import node_model, put_differently

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.standard_normal((1, 2, 7, 6)).astype(np.float32)
VOLUME = RANDOM.standard_normal((1, 2, 5, 4, 6)).astype(np.float32)
CORNERS = [
    {},
    {"strides": [2, 2]},
    {"dilations": [2, 2]},
    {"pads": [1, 0, 1, 1]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"ceil_mode": 1, "strides": [2, 3]},
]


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool", "LpPool"])
@pytest.mark.parametrize("given", CORNERS, ids=str)
def test_images_are_pooled(op_type, given):
    put_differently(op_type, [IMAGE], kernel_shape=[3, 2], **given)


@pytest.mark.parametrize("op_type", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("given", [{}, {"strides": [2, 1, 2], "pads": [1, 1, 0, 0, 1, 1]}], ids=str)
def test_volumes_are_pooled(op_type, given):
    put_differently(op_type, [VOLUME], kernel_shape=[2, 3, 2], **given)


def test_padding_counts_where_it_is_asked_for():
    put_differently("AveragePool", [IMAGE], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)


def test_integers_are_pooled():
    put_differently("MaxPool", [RANDOM.integers(0, 256, (1, 1, 5, 5)).astype(np.uint8)], kernel_shape=[2, 2])


def test_indices_are_not_pooled():
    model, _ = node_model("MaxPool", [IMAGE], kernel_shape=[2, 2], outputs=2)
    assert replaced(model, {"MaxPool": DECOMPOSITIONS["MaxPool"].decomposer}) is None


def test_a_huge_window_stays():
    values = np.zeros((1, 1, 40, 40), np.float32)
    model, _ = node_model("AveragePool", [values], kernel_shape=[30, 30])
    assert replaced(model, {"AveragePool": DECOMPOSITIONS["AveragePool"].decomposer}) is None
