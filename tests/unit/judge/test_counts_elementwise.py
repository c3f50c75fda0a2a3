"""Counts of roundings of operators on single elements, against their formulas."""

import math

import numpy as np
import pytest

from burn_verify.judge import counts_elementwise as counts
from nodes import node_facts


@pytest.mark.parametrize(("since_version", "attributes", "length"), [(13, {}, 5), (13, {"axis": 1}, 3), (11, {}, 15)])
def test_a_softmax_normalises_an_axis_or_before_version_13_all_from_it_on(since_version, attributes, length):
    facts = node_facts("Softmax", (2, 3, 5), since_version=since_version, **attributes)

    assert counts.softmax_length(facts) == length
    assert counts.softmax(facts) >= 3 * length + 3


def test_the_bound_of_a_softmax_grows_with_its_length():
    assert counts.softmax(node_facts("Softmax", (2, 8))) < counts.softmax(node_facts("Softmax", (2, 80)))


def test_a_dropout_that_drops_has_no_bound_and_any_other_is_exact():
    assert counts.dropout(node_facts("Dropout", (2,))) == 0
    training = node_facts("Dropout", (2,), None, (), values={2: np.array(True)})
    assert counts.dropout(training) == math.inf


@pytest.mark.parametrize(
    ("dtype", "to", "roundings"), [("float32", 11, 0), ("float64", 1, 1), ("float32", 10, 1), ("int64", 1, 1)]
)
def test_a_cast_rounds_where_the_number_may_not_fit(dtype, to, roundings):
    assert counts.cast(node_facts("Cast", (2,), dtype=dtype, to=to)) == roundings


def test_an_interpolation_that_picks_elements_is_exact():
    nearest = node_facts("Resize", (1, 1, 4, 4), output=(1, 1, 8, 8), mode="nearest")
    linear = node_facts("Resize", (1, 1, 4, 4), output=(1, 1, 8, 8), mode="linear")

    assert counts.interpolated(4, mode="nearest")(nearest) == 0
    assert counts.interpolated(4, mode="nearest")(linear) > 0
