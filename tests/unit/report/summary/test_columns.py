"""Records become columns; what is not there is missing, never anything else."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.cases.shards import divide
from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import RecordError
from burn_verify.core.target import Checkout, Target
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import counts_of
from burn_verify.report.summary.states import NOT_RUN, state_of
from reported import a_record, agrees, broken, no_reference, refused, wrong
from timed import latency

CASES = tuple(Case(id=f"node/{n}", corpus="node", source=Unavailable(reason="")) for n in range(10))


def a_shard(index, count, cases=CASES, **fields):
    own, shard = divide(cases, index, count)
    results = tuple(agrees(case.id) for case in own)
    return a_record(*results, selection=tuple(case.id for case in own), shard=asdict(shard), **fields)


def test_targets_become_columns_the_newest_first():
    merged = merge(
        [a_record(agrees("a/1"), version="0.9.0"), a_record(refused("a/1"), agrees("a/2"), version="0.22.1")]
    )

    assert [column.target.label for column in merged.columns] == ["Burn 0.22.1 on flex", "Burn 0.9.0 on flex"]
    assert merged.rows["a/2"][1] is None
    assert [result.outcome for result in merged.rows["a/1"]] == ["failed", "passed"]


@given(st.integers(1, 12))
@settings(deadline=None)
def test_shards_merge_to_the_whole(count):
    merged = merge([a_shard(index, count) for index in range(count, 0, -1)])

    assert merged.complete
    assert {result.case_id for result in merged.columns[0].record.results} == {case.id for case in CASES}
    assert "shard" not in merged.columns[0].record.environment


def test_a_shard_that_is_not_there_is_missing_with_its_cases():
    merged = merge([a_shard(1, 4), a_shard(2, 4), a_shard(4, 4)])

    assert not merged.complete
    assert merged.columns[0].lacking == ("shard 3 of 4 of Burn 0.22.1 on flex is missing",)
    assert merged.columns[0].unnamed == len(divide(CASES, 3, 4)[0])
    assert counts_of(merged.columns[0]).total == len(CASES)


def test_a_shard_of_which_every_case_was_left_out_is_there():
    empty = a_record(selection=(), shard=asdict(divide(CASES, 2, 2)[1]))

    assert merge([a_shard(1, 2), empty]).complete


def test_a_whole_run_beside_some_shards_fills_their_gaps():
    merged = merge([a_shard(1, 4), a_record(*(agrees(case.id) for case in CASES))])

    assert len(merged.columns[0].lacking) == 3
    assert counts_of(merged.columns[0]).total == len(CASES)


def test_a_shard_of_another_shape_is_refused():
    with pytest.raises(RecordError, match="does not understand"):
        merge([a_record(agrees("a/1"), shard={"index": 1})])


def test_shards_of_different_divisions_are_refused():
    with pytest.raises(RecordError, match="of different divisions"):
        merge([a_shard(1, 2), a_shard(2, 2, CASES[:-1])])


def test_a_run_that_died_shows_the_cases_it_did_not_reach():
    merged = merge([a_record(agrees("a/1"), selection=("a/1", "a/2"))])

    assert merged.rows["a/2"] == (None,)
    assert merged.columns[0].lacking == ("a run of Burn 0.22.1 on flex ended early: 1 case has no result",)


def test_of_two_results_the_worse_is_shown():
    for results in ([agrees("a/1"), wrong("a/1")], [wrong("a/1"), agrees("a/1")]):
        merged = merge([a_record(result) for result in results])
        assert merged.rows["a/1"][0].verdict == "disagrees"


def test_nothing_but_broken_machines_is_no_report():
    with pytest.raises(RecordError, match=r"nothing to report: .* ended before its first case"):
        merge([a_record()])
    with pytest.raises(RecordError, match="machine's fault, not Burn's"):
        merge([a_record(*(broken(f"zoo/{n}") for n in range(6)))])


def test_a_broken_machine_beside_a_sound_one_is_missing():
    dead = a_record(*(broken(f"zoo/{n}") for n in range(6)), version="0.21.0")
    merged = merge([dead, a_record(agrees("zoo/1"))])

    assert not merged.complete
    assert [result and result.outcome for result in merged.rows["zoo/1"]] == ["passed", None]
    assert set(merged.columns[1].missing) == {f"zoo/{n}" for n in range(6)}


@pytest.mark.parametrize("count", [1, 5, 60])
def test_models_that_nobody_else_runs_are_no_broken_machine(count):
    merged = merge([a_record(*(no_reference(f"file/{n}") for n in range(count)), agrees("zoo/2"))])
    assert merged.complete
    assert counts_of(merged.columns[0]).silent == count
    assert merge([a_record(*(no_reference(f"file/{n}") for n in range(count)))]).complete


def test_a_machine_that_broke_on_the_way_leaves_what_was_done_before():
    merged = merge([a_record(agrees("zoo/1"), wrong("zoo/2"), broken("zoo/3"), broken("zoo/4"))])
    (column,) = merged.columns
    assert (counts_of(column).agree, counts_of(column).wrong, column.missing) == (1, 1, ("zoo/3", "zoo/4"))
    assert "not counted in part: 2 of 4 cases" in column.lacking[0]
    assert not merged.complete


def test_one_file_named_twice_is_one_run():
    record = a_record(agrees("a/1"), agrees("a/2"))
    once, twice = merge([record]), merge([record, replace(record)])
    assert once == twice
    assert twice.columns[0].record.phases == record.phases


def test_a_target_that_did_not_start_is_a_column_that_says_why():
    dead = replace(a_record(backend="cuda", selection=("a/1", "a/2")), failure="no device")
    merged = merge([dead, a_record(agrees("a/1"), refused("a/2"), version="0.21.0")])
    column = merged.columns[1]

    assert (column.failure, column.missing, counts_of(column).total) == ("no device", ("a/1", "a/2"), 2)
    assert column.lacking == ("Burn 0.22.1 on cuda was not run: no device",)
    assert not merged.complete
    assert state_of(None, started=not column.failure) is NOT_RUN


def test_a_target_that_started_elsewhere_has_results():
    dead = replace(a_record(selection=("a/1",)), failure="no device")
    column = merge([dead, a_record(agrees("a/1"))]).columns[0]

    assert column.failure == ""
    assert column.lacking == ("Burn 0.22.1 on flex was not run: no device",)


def test_nothing_but_targets_that_did_not_start_is_no_report():
    with pytest.raises(RecordError, match=r"nothing to report: Burn 0\.22\.1 on flex was not run: no device"):
        merge([replace(a_record(selection=("a/1",)), failure="no device")])


def test_conversion_options_and_checkouts_are_columns_of_their_own():
    plain, other, local = (
        a_record(agrees("a/1")),
        replace(a_record(agrees("a/1")), target=Target(burn_onnx="0.22.1", simplify=False)),
        replace(a_record(agrees("a/1")), target=Target(burn_checkout=Checkout(path=Path(), commit="abcdefgh"))),
    )
    assert [column.target.label for column in merge([other, local, plain]).columns] == [
        "Burn 0.22.1 on flex",
        "Burn 0.22.1 on flex, not simplified",
        "Burn 0.22.1+burn@abcdefg on flex",
    ]


def test_previews_stand_behind_releases():
    merged = merge([a_record(agrees("a/1"), version=version) for version in ("0.21.0", "0.23.0-pre.1", "0.22.1")])
    assert [column.target.burn for column in merged.columns] == ["0.22.1", "0.21.0", "0.23.0-pre.1"]


def test_times_are_kept_when_a_case_is_in_two_records():
    timed, again = agrees("zoo/a", latency=latency()), wrong("zoo/a")

    for records in ([a_record(timed), a_record(again)], [a_record(again), a_record(timed)]):
        (result,) = merge(records).columns[0].record.results
        assert (result.outcome, result.latency) == ("failed", timed.latency)
