"""Which mutants are drawn, on which values they are compared, and when two answers are the same."""

import ml_dtypes
import numpy as np
import pytest

from mutation import kinds
from mutation.change import Change
from mutation.compare import Difference, difference, near, relative
from mutation.draw import Mutant, drawn
from mutation.further import SPECIAL, USUAL, further_inputs


def change(kind, operator, number):
    return Change(kind=kind, operator=operator, old=f"a{number}", new="b", occurrence=0)


CHANGES = {
    case_id: [change(kinds.SIBLING, "add -> sub", n) for n in range(6)]
    + [change(kinds.SIBLING, "sin -> cos", n + 6) for n in range(2)]
    + [change(kinds.AXIS, "axis: +1", 8)]
    for case_id in ("node/a", "node/b", "node/c")
}


def test_the_same_seed_draws_the_same_mutants_in_the_same_order():
    some = [mutant.id for mutant in drawn(CHANGES, 7)]
    again = [mutant.id for mutant in drawn(dict(reversed(CHANGES.items())), 7)]

    assert some == again
    assert len(set(some)) == len(some) == 27
    assert [mutant.id for mutant in drawn(CHANGES, 8)] != some


def test_classes_operators_and_cases_take_turns():
    some = list(drawn(CHANGES, 7))

    assert {mutant.change.kind for mutant in some[:2]} == {kinds.SIBLING, kinds.AXIS}
    siblings = [mutant for mutant in some if mutant.change.kind == kinds.SIBLING]
    assert {mutant.change.operator for mutant in siblings[:2]} == {"add -> sub", "sin -> cos"}
    assert {mutant.case_id for mutant in some if mutant.change.operator == "add -> sub"} == set(CHANGES)
    first = [mutant.case_id for mutant in siblings if mutant.change.operator == "add -> sub"][:3]
    assert sorted(first) == sorted(CHANGES)


def test_a_mutant_survives_its_line_of_json():
    mutant = Mutant(case_id="node/a", change=change(kinds.AXIS, "axis: +1", 1))

    assert Mutant.from_json(mutant.to_json()) == mutant
    assert mutant.to_json()["id"] == mutant.id == f"node/a#{mutant.change.key}"


@pytest.mark.parametrize(
    "like",
    [
        np.zeros((2, 3), "f4"),
        np.zeros((), "f8"),
        np.zeros((2,), "f2"),
        np.zeros((4,), ml_dtypes.bfloat16),
        np.array([1, 5, 2]),
        np.array([3, 1], "u1"),
        np.array([2**63], "u8"),
        np.array([True, False]),
        np.zeros((0, 3), "f4"),
        np.array(["a", "b"], object),
    ],
    ids=lambda array: f"{array.dtype.name}{list(array.shape)}",
)
def test_further_values_have_shape_and_dtype_of_the_judged_ones(like):
    found = list(further_inputs([like, like], 3))
    again = list(further_inputs([like, like], 3))

    assert len(found) >= 2 * USUAL
    assert all(one.dtype == like.dtype and one.shape == like.shape for _, values in found for one in values)
    assert [kind for kind, _ in found] == [kind for kind, _ in again]
    for (_, values), (_, others) in zip(found, again, strict=True):
        assert [one.tolist() for one in values if one.dtype.kind not in "fV"] == [
            one.tolist() for one in others if one.dtype.kind not in "fV"
        ]


def test_further_values_are_of_many_kinds():
    values = {kind: some[0] for kind, some in list(further_inputs([np.zeros((50,), "f4")], 0))[: USUAL // 3]}

    assert len(values) == 16
    assert (values["negative"] < 0).all()
    assert len(set(values["ties"].tolist())) <= 5
    assert len(set(values["all equal"].tolist())) == 1
    assert np.abs(values["huge"]).max() > 500
    assert not np.isfinite(values[SPECIAL]).all()


def test_integers_are_negative_too_and_kept_in_another_pass():
    indices = np.array([0, 1, 2])
    found = [some[0] for _, some in further_inputs([indices], 0)]

    assert any((one < 0).any() for one in found)
    assert sum(np.array_equal(one, indices) for one in found) >= 16


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (np.float32([1, 2]), Difference.NONE),
        (np.float32([1, 2.0000003]), Difference.ROUNDING),
        (np.float32([1, 2.00002]), Difference.REAL),
        (np.float32([1, np.nan]), Difference.REAL),
        (np.float64([1, 2]), Difference.REAL),
        (np.float32([[1, 2]]), Difference.REAL),
    ],
)
def test_how_far_answers_are_apart(other, said):
    assert difference([other], [np.float32([1, 2])]) is said


def test_half_precision_and_infinities_are_never_rounding():
    assert difference([np.float16([1.001])], [np.float16([1])]) is Difference.REAL
    assert difference([np.float32([np.inf])], [np.float32([-np.inf])]) is Difference.REAL
    assert difference([np.float32([np.nan, 1])], [np.float32([np.nan, 1])]) is Difference.NONE
    assert difference([], [np.float32([1])]) is Difference.REAL


def test_the_relative_difference_is_that_of_the_worst_output():
    one, two = np.float32([3, 4]), np.float32([1, np.inf])

    assert relative([one * 1.01, two], [one, two]) == pytest.approx(0.01, rel=1e-3)
    assert relative([np.bool_([True])], [np.bool_([False])]) is None


def test_values_on_which_the_original_is_wrong_are_told():
    assert near([np.float32([1, np.nan])], [np.float32([1.001, np.nan])])
    assert not near([np.float32([1, 0])], [np.float32([1, np.nan])])
    assert not near([np.int64([1])], [np.int64([2])])
