"""Operators of the first opsets by those that stayed; nobody runs the originals any more."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from handmade import model, value
from rewriting import answers

IMAGE = np.arange(2 * 4 * 5, dtype=np.float32).reshape(1, 2, 4, 5)


def made(op_type, opset=7, **given):
    shape = value("x", shape=IMAGE.shape)
    before = model([helper.make_node(op_type, ["x"], ["y"], **given)], [shape], [value("y")], opset=opset)
    one = DECOMPOSITIONS[op_type]
    return answers(replaced(before, {op_type: one.decomposer}, one.oldest), [IMAGE])[0]


def test_a_line():
    np.testing.assert_allclose(made("Affine", alpha=2.0, beta=1.0), 2 * IMAGE + 1)


def test_a_bias_for_each_channel():
    wanted = 0.5 * IMAGE + np.float32([1, 2]).reshape(1, 2, 1, 1)
    np.testing.assert_allclose(made("ImageScaler", scale=0.5, bias=[1.0, 2.0]), wanted)
    np.testing.assert_allclose(made("ImageScaler", scale=0.5), 0.5 * IMAGE)


@pytest.mark.parametrize("opset", [7, 11])
def test_a_border_is_cut(opset):
    np.testing.assert_array_equal(made("Crop", opset, border=[1, 2, 1, 0]), IMAGE[:, :, 2:, 1:-1])
    np.testing.assert_array_equal(made("Crop", opset, border=[1, 2, 0, 0], scale=[2, 3]), IMAGE[:, :, 2:4, 1:4])
