"""Everybody who is told the same cuts the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.cases.shards import divide
from burn_verify.core.case import Case, Unavailable

IDS = st.lists(st.tuples(st.sampled_from(["zoo", "node"]), st.integers(0, 200)), unique=True, max_size=60)


def cases_of(pairs):
    return [Case(id=f"{corpus}/{n}", corpus=corpus, source=Unavailable(reason="")) for corpus, n in pairs]


@given(IDS, st.integers(1, 9), st.dictionaries(st.integers(0, 200), st.floats(0.001, 1e3), max_size=60))
@settings(deadline=None)
def test_shards_hold_every_case_once_in_its_order(pairs, count, prices):
    cases = cases_of(pairs)
    costs = {f"node/{n}": price for n, price in prices.items()}
    parts = [divide(cases, index, count, costs) for index in range(1, count + 1)]

    assert sorted(case.id for own, _ in parts for case in own) == sorted(case.id for case in cases)
    for own, shard in parts:
        assert list(own) == [case for case in cases if case in own]
        assert (shard.cases, shard.of, shard.cut) == (len(own), len(cases), parts[0][1].cut)


@given(IDS, st.integers(1, 9))
@settings(deadline=None)
def test_a_cut_does_not_depend_on_the_order_of_the_selection(pairs, count):
    cases = cases_of(pairs)
    one, other = divide(cases, 1, count), divide(cases[::-1], 1, count)

    assert set(one[0]) == set(other[0])
    assert one[1] == other[1]


def test_dear_cases_are_spread():
    cases = cases_of([("zoo", n) for n in range(8)])
    costs = {case.id: 10.0 if case.id in ("zoo/0", "zoo/1") else 1.0 for case in cases}
    loads = [sum(costs[case.id] for case in divide(cases, index, 2, costs)[0]) for index in (1, 2)]

    assert loads == [13.0, 13.0]


def test_a_case_that_was_never_measured_costs_what_its_corpus_does():
    cases = cases_of([("zoo", 0), ("zoo", 1), ("node", 0), ("node", 1), ("node", 2), ("node", 3)])
    costs = {"zoo/0": 3.0, "node/0": 1.0}

    assert {len(divide(cases, index, 2, costs)[0]) for index in (1, 2)} == {3}
    assert [sum(case.corpus == "zoo" for case in divide(cases, index, 2, costs)[0]) for index in (1, 2)] == [1, 1]
