"""The metrics of one output, and the text of a difference."""

import numpy as np
import pytest

from burn_verify.judge.numbers import difference_text, measure, same_numbers

DESIRED = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


@pytest.mark.parametrize(
    ("actual", "desired", "same"),
    [
        (DESIRED, DESIRED.copy(), True),
        (DESIRED, DESIRED + 1, False),
        (np.array([np.nan], np.float32), np.array([np.nan], np.float32), False),
        (np.array([], np.float32), np.array([], np.float32), False),
        (np.array([1]), np.array([1]), False),
    ],
)
def test_the_quick_check_is_about_finite_floats(actual, desired, same):
    assert same_numbers(actual, desired) is same


def test_equal_outputs_have_no_distance():
    metrics = measure("Y", DESIRED, DESIRED.copy(), np.zeros((2, 3), bool), "seeded")

    assert (metrics.elements, metrics.mismatching, metrics.shape) == (6, 0, (2, 3))
    assert (metrics.max_abs, metrics.max_ulp, metrics.p99, metrics.cosine) == (0.0, 0, 0.0, 1.0)
    assert metrics.first_bad is None


def test_distances_are_over_all_elements_and_the_place_is_the_first_bad_one():
    actual = DESIRED.copy()
    actual[0, 1] += 0.25
    actual[1, 2] += 0.5

    metrics = measure("Y", actual, DESIRED, actual != DESIRED, "seeded")

    assert (metrics.mismatching, metrics.first_bad, metrics.max_abs) == (2, (0, 1), 0.5)
    assert 0 < metrics.p99 <= 0.5
    assert metrics.cosine < 1


def test_the_text_names_shape_count_distance_and_place():
    actual = DESIRED.copy()
    actual[1, 0] = 5

    text = difference_text(actual, DESIRED, actual != DESIRED, "", "bound 1e-6")

    assert text.startswith("float32[2,3] 1/6 elements differ, max_abs=1.0e+00 at [1,0], ")
    assert text.endswith(" ULP, bound 1e-6")
