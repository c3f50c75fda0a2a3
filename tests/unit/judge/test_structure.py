"""Structural disagreements: count, dtype, shape, special values, then equality."""

import numpy as np
import pytest

from burn_verify.core.result import Mismatch
from burn_verify.judge.structure import Words, count_problem, show_index, show_tensor, structural_problem

X = np.array([1, 2], np.float32)


def test_the_number_of_outputs():
    assert count_problem(2, 2) is None
    problem = count_problem(1, 2)
    assert (problem.kind, str(problem.words), problem.comparable) == (
        Mismatch.COUNT,
        "2 outputs expected, 1 came",
        False,
    )


@pytest.mark.parametrize(
    ("actual", "kind", "text", "comparable"),
    [
        (X.astype(np.float64), Mismatch.DTYPE, "dtype float32 expected, float64 came", False),
        (X.reshape(1, 2), Mismatch.SHAPE, "shape [2] expected, [1,2] came", False),
        (np.array([1, np.nan], np.float32), Mismatch.VALUES, "2 at [1] expected, NaN came", True),
    ],
)
def test_a_disagreement_names_both_sides(actual, kind, text, comparable):
    problem = structural_problem(actual, X, exact=False)

    assert (problem.kind, str(problem.words), problem.comparable) == (kind, text, comparable)


def test_values_are_compared_where_they_have_to_be_equal():
    assert structural_problem(X + 1, X, exact=False) is None
    problem = structural_problem(np.array([1, 3]), np.array([1, 2]), exact=True)
    assert problem.kind is Mismatch.VALUES
    assert "1/2 elements differ" in str(problem.words)


def test_two_answers_of_which_neither_is_right_are_before_and_after():
    words = Words(expected="2", came="3").after("Y: ")

    assert (str(words), words.neutral) == ("Y: 2 expected, 3 came", "Y: 2 before, 3 after")


def test_shapes_are_written_without_blanks():
    assert show_index((0, 2)) == "[0,2]"
    assert show_tensor(np.zeros((2, 3), np.float32)) == "float32[2,3]"
