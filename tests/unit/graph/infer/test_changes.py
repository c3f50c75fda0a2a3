"""What to try where the reference refuses a draw."""

import numpy as np

from burn_verify.core.case import Hints
from burn_verify.graph.infer.changes import MOST, changes, further
from burn_verify.graph.infer.feeding import UNCHANGED, Change, sizes_of
from burn_verify.graph.infer.rules import infer
from parsed import parsed


def tried(text, said=""):
    found = infer(parsed(text))
    return list(changes(found, sizes_of(found, Hints()), said))


def test_the_range_that_the_engine_names_is_tried_first():
    first = tried(
        "(int64[N] x) => (int64[N] y) { y = Neg(x) }",
        "indices element out of data bounds, idx=7 must be within the inclusive range [-2,1]",
    )[0]
    assert first.high == {"x": 2}


def test_ties_and_sums_of_dimensions_are_tried():
    made = tried("(float[A] x, float[B] z, float[C] t) => (float[?] y) { y = Relu(x) }")
    relations = [dict(one.relations) for one in made if one.relations]
    assert {"C": "A"} in relations
    assert {"C": "A + B"} in relations
    assert {"C": "2*A"} in relations


def test_a_fixed_dimension_is_not_changed():
    assert tried("(float[3] x) => (float[3] y) { y = Relu(x) }") == []


def test_a_batch_and_a_size_are_tried_together():
    made = tried("(float[N,S] x, float[B] z) => (float[?] y) { y = Relu(x) }")
    assert any(one.relations and one.sizes for one in made)


def test_there_are_not_more_than_the_budget():
    shape = ",".join(f"d{place}" for place in range(9))
    assert len(tried(f"(float[{shape}] x) => (float[?] y) {{ y = Relu(x) }}")) <= MOST


def other_sizes(text, asked, kept=UNCHANGED):
    found = infer(parsed(text))
    return list(further(found, sizes_of(found, Hints(), kept), asked, kept))


def test_other_second_sizes_leave_the_first_as_they_are():
    made = other_sizes("(float[N,S] x) => (float[N,S] y) { y = Relu(x) }", {"N": 1, "S": 19})
    assert [dict(one.sizes) for one in made][:2] == [{"S": (7, 13)}, {"S": (7, 5)}]
    assert {sizes[0] for one in made for sizes in one.sizes.values()} == {7}


def test_dimensions_of_one_first_size_are_tied_where_a_further_one_is_refused():
    kept = Change(sizes={"A": (1, 3), "B": (1, 4)}, high={"x": 2})
    made = other_sizes("(float[A] x, float[B] z) => (float[?] y) { y = Relu(x) }", {"A": 3, "B": 4}, kept)
    assert any(one.relations == {"B": "A"} for one in made)
    assert all(one.high == {"x": 2} for one in made)


def test_a_side_of_an_image_stays_a_multiple():
    text = "(float[1,3,H,W] x) => (float[1,2,?,?] y) { y = Conv<kernel_shape = [3,3]>(x, w) }"
    found = infer(parsed(text, w=np.ones((2, 3, 3, 3), np.float32)))
    made = further(found, sizes_of(found, Hints()), {"H": 192, "W": 160}, UNCHANGED)
    assert all(size % 32 == 0 for one in made for sizes in one.sizes.values() for size in sizes)


def test_sizes_that_a_rule_names_have_a_second_one():
    text = "(float[1,1,H,W] x) => (float[1,1,?,?] y) { y = MaxPool<kernel_shape = [2,2]>(x) }"
    assert all(len(sizes) == 2 for one in tried(text) for sizes in one.sizes.values())


def test_sums_come_before_one_size_for_all():
    made = tried("(float[A] x, float[B] z, float[C] t) => (float[?] y) { y = Relu(x) }")
    sums = next(place for place, one in enumerate(made) if one.relations == {"C": "A + B"})
    assert sums < next(place for place, one in enumerate(made) if one.sizes)


def test_one_dimension_alone_has_another_second_size():
    made = other_sizes("(float[A,B] x) => (float[A,B] y) { y = Relu(x) }", {"A": 19, "B": 22})
    assert {"A": (7, 13), "B": (5,)} in [dict(one.sizes) for one in made]
