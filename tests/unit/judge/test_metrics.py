"""Distances between arrays: floats by ULP and by difference, integers exactly."""

import numpy as np
import pytest

from burn_verify.judge import metrics


def test_ulp_counts_representable_numbers():
    one = np.array([1], np.float32)

    assert metrics.max_ulp(one, np.nextafter(one, np.float32(2))) == 1
    assert metrics.max_ulp(np.array([-0.0], np.float32), np.array([0.0], np.float32)) == 0
    assert metrics.max_ulp(np.array([1]), np.array([2])) is None


def test_the_greatest_difference_leaves_out_what_is_not_finite():
    actual, desired = np.array([1, np.inf, 5], np.float32), np.array([2, 0, 5], np.float32)

    assert metrics.max_abs(actual, desired) == 1.0
    assert metrics.max_abs(actual[1:2], desired[1:2]) is None


def test_differences_of_the_ends_of_integers_do_not_overflow():
    ends = np.array([np.iinfo(np.int64).min]), np.array([np.iinfo(np.int64).max])

    assert metrics.max_abs(*ends) == float(2**64 - 1)


def test_mismatches_with_and_without_a_limit():
    actual, desired = np.array([1.0, 2.0, np.nan]), np.array([1.5, 2.0, np.nan])

    assert metrics.mismatches(actual, desired, None).tolist() == [True, False, False]
    assert metrics.mismatches(actual, desired, np.array(0.5)).tolist() == [False, False, False]


def test_places_are_those_of_the_first_and_of_the_worst_element():
    actual, desired = np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[1.0, 2.5], [3.0, 4.0]])
    bad = actual != desired

    assert metrics.first_index(bad) == (0, 1)
    assert metrics.worst_index(actual, desired, bad) == (1, 1)
    assert metrics.first_index(np.zeros((2, 2), bool)) is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_quantile_is_the_higher_of_two_neighbours(share, value):
    assert metrics.quantile(np.array([4.0, 1.0, 3.0, 2.0]), share) == value


@pytest.mark.parametrize(
    ("steps", "counts"),
    [([0, 0, 1], (2, 1)), ([3], (0, 0, 1)), ([2, 3, 4, 7, 8], (0, 0, 2, 2, 1)), ([], ())],
)
def test_elements_are_counted_by_their_distance(steps, counts):
    desired = np.ones(len(steps), np.float32)
    actual = (desired.view(np.int32) + np.array(steps, np.int32)).view(np.float32)

    assert metrics.ulp_histogram(actual, desired) == counts


def test_what_has_no_unit_in_the_last_place_is_not_counted():
    assert metrics.ulp_histogram(np.array([1]), np.array([2])) == ()
    assert metrics.ulp_histogram(np.array([np.nan], np.float32), np.array([1], np.float32)) == ()
    ends = np.finfo(np.float64).min, np.finfo(np.float64).max
    far = metrics.ulp_histogram(*(np.array([end]) for end in ends))
    assert (len(far), far[-1]) == (65, 1)
