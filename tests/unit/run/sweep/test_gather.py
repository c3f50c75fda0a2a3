"""All journals as one record; what never came back is missing."""

from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import environment_line, failure_line
from burn_verify.run.sweep import shard
from burn_verify.run.sweep.gather import gather
from fakes import seams
from swept import models, sweep_of


def test_a_shard_that_never_came_back_is_missing(tmp_path, cache):
    models(tmp_path / "in", 5)
    sweep = sweep_of(tmp_path / "in", tmp_path / "out", cache)
    own = {case.id for case in shard.own(sweep, 1, 2)}
    shard.run(sweep, 1, 2, seams())
    found = gather(sweep)
    (record,) = store.read_run(found.record)

    assert not found.complete
    assert set(found.missing[record.target]) == {case.id for case in sweep.cases} - own
    assert record.selection == tuple(case.id for case in sweep.cases)
    assert {result.case_id for result in record.results} == own
    assert found.of(own).complete


def test_nothing_at_all_is_everything_missing(tmp_path, cache):
    models(tmp_path / "in", 2)
    found = gather(sweep_of(tmp_path / "in", tmp_path / "out", cache))

    assert list(found.missing.values()) == [("file/m000", "file/m001")]


def test_the_record_is_in_the_order_of_the_list_whoever_came_first(tmp_path, cache):
    models(tmp_path / "in", 6)
    sweep = sweep_of(tmp_path / "in", tmp_path / "out", cache)
    for index in (3, 1, 2):
        shard.run(sweep, index, 3, seams())
    (record,) = store.read_run(gather(sweep).record)

    assert [result.case_id for result in record.results] == [case.id for case in sweep.cases]


def test_machines_that_differ_are_said(tmp_path, cache):
    models(tmp_path / "in", 2)
    sweep = sweep_of(tmp_path / "in", tmp_path / "out", cache)
    shard.run(sweep, 1, 1, seams())
    store.append(sweep.journals / "0002-of-0002.jsonl", [environment_line({"numpy": "1.0"})])
    found = gather(sweep)

    assert "1.0" in found.mixed["numpy"]
    assert "1.0" in store.read_run(found.record)[0].environment["mixed"]["numpy"]


def test_a_target_that_could_not_start_keeps_its_reason(tmp_path, cache):
    models(tmp_path / "in", 1)
    sweep = sweep_of(tmp_path / "in", tmp_path / "out", cache)
    store.append(sweep.journals / "1.jsonl", [environment_line({}), failure_line(Target(), "no linker")])

    assert store.read_run(gather(sweep).record)[0].failure == "no linker"
