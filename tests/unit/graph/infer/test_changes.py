"""What to try where the reference refuses a draw."""

from burn_verify.core.case import Hints
from burn_verify.graph.infer.changes import MOST, changes
from burn_verify.graph.infer.feeding import sizes_of
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
