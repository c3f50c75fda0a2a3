"""Two references beside one another: what counts as another answer."""

import numpy as np
import pytest

from burn_verify.reference.second import difference

ONE = np.array([1.0, -2.0], np.float32)


@pytest.mark.parametrize(
    ("other", "alone", "beside_emptiness"),
    [
        (ONE, "", ""),
        (ONE + np.float32(1e-5), "", ""),
        (ONE + 1, "", "Y at [0] is 1 for ONNX Runtime, 2 for onnx.reference"),
        (ONE[:1], "shape [2] for ONNX Runtime, [1]", "shape [2]"),
        (np.array([1.0, np.nan], np.float32), "Y at [1] is -2 for ONNX Runtime, nan", "Y at [1]"),
        (np.array([np.inf, -2.0], np.float32), "Y at [0] is 1 for ONNX Runtime, inf", "Y at [0]"),
    ],
)
def test_another_kind_of_answer_is_told_and_another_number_beside_emptiness(other, alone, beside_emptiness):
    for said, numbers in ((alone, False), (beside_emptiness, True)):
        text = difference(["Y"], [ONE], [other], numbers=numbers)
        assert said in text
        assert bool(said) == bool(text)


def test_what_is_special_for_both_is_the_same():
    special = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert difference(["Y"], [special], [special.copy()], numbers=True) == ""
    assert "inf" in difference(["Y"], [special], [-special], numbers=False)


def test_integers_are_told_by_shape_only():
    assert difference(["Y"], [np.array([1])], [np.array([2])], numbers=True) == ""
    assert difference(["Y"], [np.array([1])], [np.array([1, 2])], numbers=True)


def test_integers_are_told_where_they_are_asked_for():
    text = difference(["Y"], [np.array([1, 3])], [np.array([1, 2])], numbers=True, integers=True)
    assert text == "Y at [1] is 3 for ONNX Runtime, 2 for onnx.reference"
