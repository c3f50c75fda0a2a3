"""From what is known about inputs to the hints of a data set."""

from dataclasses import replace

import numpy as np

from burn_verify.core.case import Hints, InputHint
from burn_verify.graph.infer.feeding import KINDS, UNCHANGED, Change, choices_of, hints_of, of_kind, opened, sizes_of
from burn_verify.graph.infer.rules import infer
from parsed import parsed

TABLE = np.ones((12, 4), np.float32)
NOTHING = Hints()
MODEL = parsed("(int64[N,S] ids) => (float[N,S,4] y) { y = Gather(w, ids) }", w=TABLE)


def hinted(model, hints=NOTHING, change=UNCHANGED, turn=0):
    found = infer(model)
    return hints_of(found, hints, sizes_of(found, hints, change).assignments()[0], turn, change)


def test_a_hint_has_the_range_and_the_sizes():
    made = hinted(MODEL)
    assert made.inputs == (InputHint(name="ids", low=0, high=12),)
    assert dict(made.dims) == {"N": 1, "S": 7}


def test_what_is_hinted_wins():
    given = Hints(inputs=(InputHint(name="ids", low=0, high=3),), dims=(("S", 5),))
    made = hinted(MODEL, given)
    assert made.inputs == given.inputs
    assert dict(made.dims)["S"] == 5


def test_one_hinted_size_is_kept_or_varied():
    found, given = infer(MODEL), Hints(dims=(("N", 2), ("S", 5)))
    assert len(sizes_of(found, given, vary=False).assignments()) == 1
    varied = sizes_of(found, given).assignments()
    assert [one["S"] for one in varied] == [5, 5, 19, 19]
    assert [one["N"] for one in varied] == [2, 3, 2, 3]


def test_several_hinted_sizes_are_all_there_are():
    found = infer(MODEL)
    given = Hints(dims=(("S", 4),), sizes=(("S", (4, 6)),))
    assert {one["S"] for one in sizes_of(found, given).assignments()} == {4, 6}


def test_a_hinted_shape_is_the_only_one():
    found = infer(parsed("(float[?,S] x, float[?,S] z) => (float[?] y) { y = Add(x, z) }"))
    given = Hints(inputs=(InputHint(name="x", shape=(2, "2*B")), InputHint(name="z", shape=(2, "2*B"))))
    assert [dict(one) for one in sizes_of(found, given).assignments()] == [
        {"x_dim0": 2, "S": 14, "z_dim0": 2, "B": 7},
        {"x_dim0": 2, "S": 38, "z_dim0": 2, "B": 19},
    ]


def test_the_sizes_in_a_shape_of_the_catalogue_vary():
    found = infer(parsed("(float[?,S] x, float[2,S] z) => (float[?] y) { y = Add(x, z) }"))
    given = Hints(inputs=(InputHint(name="x", shape=(2, 9), low=0), InputHint(name="z", shape=(2, 9))))
    assert opened(found, given).inputs == (InputHint(name="x", low=0), InputHint(name="z"))
    assert {one["S"] for one in sizes_of(found, given).assignments()} == {9, 19}
    assert {one["S"] for one in sizes_of(found, given, vary=False).assignments()} == {9}


def test_a_shape_stays_where_it_gives_a_dimension_two_sizes_or_another_rank():
    found = infer(parsed("(float[S] x, float[S] z) => (float[?] y) { y = Add(x, z) }"))
    given = Hints(inputs=(InputHint(name="x", shape=(1,)), InputHint(name="z", shape=(9,))))
    assert opened(found, given).inputs == (InputHint(name="x"), InputHint(name="z", shape=(9,)))
    other = Hints(inputs=(InputHint(name="x", shape=(1, 2)),))
    assert opened(found, other).inputs == other.inputs


def test_a_relation_that_was_found_by_trial_wins_over_a_hinted_size():
    found = infer(parsed("(float[S] x, float[T] z) => (float[?] y) { y = Concat<axis = 0>(x, z) }"))
    given = Hints(dims=(("S", 5), ("T", 5)))
    varied = sizes_of(found, given, Change(relations={"T": "S"})).assignments()
    assert len(varied) > 1
    assert all(one["S"] == one["T"] for one in varied)


def test_a_dimension_without_a_name_is_in_the_shape():
    made = hinted(parsed("(float[?,4] x) => (float[?,4] y) { y = Relu(x) }"))
    assert made.inputs[0].shape == (1, 4)


def test_a_bound_by_a_dimension_is_its_size():
    made = hinted(parsed("(float[rows,4] t, int64[3] ids) => (float[3,4] y) { y = Gather(t, ids) }"))
    assert next(one.high for one in made.inputs if one.name == "ids") == dict(made.dims)["rows"]


def test_choices_are_taken_in_turn():
    text = """(int64 k, float[2] v) => (float[2] y) { c = Equal(k, one) y = If (c) <
        then_branch = t () => (float[2] u) { u = Neg(v) }, else_branch = e () => (float[2] w) { w = Abs(v) }
    > }"""
    model = parsed(text, one=np.array(16))
    choices = choices_of(infer(model), Hints())["k"]
    assert [hinted(model, turn=turn).inputs[0].value for turn in range(len(choices))] == list(choices)


def test_a_change_wins_over_what_was_found():
    made = hinted(MODEL, change=Change(high={"ids": 2}, sizes={"S": (64,)}))
    assert made.inputs[0].high == 2
    assert dict(made.dims)["S"] == 64


def test_further_draws_change_only_floats_of_which_nothing_is_known():
    model = parsed("(float[3] x, float[3] z, int64[3] at) => (float[3] y) { l = Log(z) y = Add(x, l) }")
    found = infer(model)
    first = hints_of(found, NOTHING, {})
    for kind, fields in KINDS.items():
        made = {one.name: one for one in of_kind(first, found, kind).inputs}
        assert made["z"] == next(one for one in first.inputs if one.name == "z")
        assert made.get("x", InputHint(name="x")) == replace(InputHint(name="x"), **fields)
        assert "at" not in made
