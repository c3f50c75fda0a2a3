"""Two answers to one question: how far they are apart, and which is nearer to the reference."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from burn_verify.core.case import Case, TensorSpec, Unavailable
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference
from burn_verify.core.target import Target
from burn_verify.run import differences
from burn_verify.run.steps import Built, Ended, Loaded, Ready
from burn_verify.system.wire import encode_named, placed

NOTES = {"data_sets": '{"seeded": {"evaluator": "", "why": "", "why_no_sigma": "", "node": null}}'}
ARRAYS = hnp.arrays(np.float32, (3,), elements=st.floats(-10, 10, width=32))
X = np.array([1.0, -2.0, 3.0], np.float32)


@pytest.fixture
def planned(tmp_path):
    """Return a prepared case with a reference, or without one."""

    def planned(desired=None, random=False):
        case = Case(id="node/a", corpus="node", source=Unavailable(reason=""))
        spec = (TensorSpec(name="Y", dtype="float32", shape=(3,)),)
        prepared = PreparedCase(
            case=case, model=tmp_path, digest="", op_types=(), opset=17, inputs=spec, outputs=spec, random=random
        )
        if desired is None:
            return Ended(case=case, prepared=prepared, error=OracleError("refused"))
        path = tmp_path / "reference.safetensors"
        path.write_bytes(encode_named({**placed(0, "in", [X]), **placed(0, "out", [desired])}))
        model = ConvertedModel(label="", module="", rust=tmp_path, weights=tmp_path, seconds=0.0)
        built = Built(loaded=Loaded(case=case, prepared=prepared), target=Target(), model=model, program=None)
        return Ready(built=built, reference=Reference(path=path, data_sets=("seeded",), seconds=0.0))

    return planned


@pytest.fixture
def said(tmp_path):
    """Return what is said of two answers."""

    def said(planned, before, after):
        paths = [tmp_path / "answers" / name for name in ("before", "after")]
        for path, answer in zip(paths, (before, after), strict=True):
            differences.keep(path, {"seeded": [answer]})
        return differences.between(planned, *paths)

    return said


def test_the_same_and_the_nearly_same_are_no_difference(planned, said):
    for known in (planned(), planned(X)):
        assert said(known, X, X) is None
        assert said(known, X, X * np.float32(1 + 1e-7)) is None


@pytest.mark.parametrize(
    ("before", "after", "nearer"),
    [(X, X + 1, "before"), (X + 1, X, "after"), (X + 1, X - 1, "neither"), (X, X[:2], "before")],
)
def test_which_is_nearer_to_the_reference_is_told(planned, said, before, after, nearer):
    found = said(planned(X), before, after)

    assert found.nearer == nearer
    assert found.message.startswith("Y: ")


def test_without_a_reference_a_difference_is_told_all_the_same(planned, said):
    found = said(planned(), X, X + 1)

    assert found.nearer == ""
    assert "3/3 elements differ" in found.message
    # There is no reference, and nobody is guilty of anything.
    assert not {"against", "guilty", "disagrees", "headroom"} & set(found.message.replace(":", " ").split())


def test_nobody_is_expected_to_be_right(planned, said):
    found = said(planned(), X, np.array([1, math.nan, 3], np.float32))

    assert found.message == "Y: -2 at [1] before, NaN after"


def test_other_words_for_nothing_are_equal(planned, said):
    nothing = np.array([math.nan, math.inf, -math.inf], np.float32)

    assert said(planned(), nothing, nothing.copy()) is None
    assert said(planned(nothing), nothing, X).nearer == "before"


def test_what_was_drawn_is_not_compared(planned, said):
    assert said(planned(random=True), X, X + 1) is None


@pytest.mark.parametrize(("moved", "told"), [(0.5, False), (1e-6, True)])
def test_what_is_in_proportion_to_the_spread_of_the_reference_is_no_difference(planned, said, tmp_path, moved, told):
    known = planned(X)
    measures = tmp_path / "measures.safetensors"
    measures.write_bytes(encode_named(placed(0, "optimised", [X + np.float32(moved)]), NOTES))
    known = replace(known, reference=replace(known.reference, measures=measures))

    assert (said(known, X, X + np.float32(0.3)) is not None) == told


def test_an_answer_that_is_not_there_is_no_difference(planned, tmp_path):
    differences.keep(tmp_path / "one", {"seeded": [X]})

    assert differences.between(planned(X), tmp_path / "one", tmp_path / "none") is None


@given(ARRAYS, ARRAYS)
def test_distance_is_none_only_where_nothing_differs(mine, wanted):
    assert differences.distance([wanted], [wanted]) == 0
    assert (differences.distance([mine], [wanted]) == 0) == np.array_equal(mine, wanted)


@given(ARRAYS, st.floats(0.1, 1.0), st.floats(1.5, 3.0))
def test_what_is_further_off_is_further_away(wanted, near, far):
    one, two = wanted + np.float32(near), wanted + np.float32(far)

    assert differences.distance([one], [wanted]) < differences.distance([two], [wanted])


@pytest.mark.parametrize(
    "answer", [[], [X, X], [X[:2]], [X.astype(np.int64)], [np.array([math.nan, -2, 3], np.float32)]]
)
def test_what_cannot_be_compared_is_infinitely_far(answer):
    assert differences.distance(answer, [X]) == math.inf


def test_integers_differ_by_how_many():
    wanted = np.arange(4)

    assert differences.distance([wanted], [wanted]) == 0
    assert differences.distance([np.array([0, 1, 2, 9])], [wanted]) == pytest.approx(0.5)


def test_answers_that_cannot_be_read_are_told_and_end_nothing(planned, tmp_path):
    paths = [tmp_path / "answers" / name for name in ("before", "after")]
    for path, answer in zip(paths, (X, X + 1), strict=True):
        differences.keep(path, {"seeded": [answer]})
    paths[1].write_bytes(b"nothing")
    found = differences.between(planned(X), *paths)
    assert found.nearer == ""
    assert found.message.startswith("internal error: ")


def test_a_disk_that_refuses_costs_no_result(tmp_path):
    (tmp_path / "file").write_text("")
    differences.keep(tmp_path / "file" / "answers", {"seeded": [X]})
