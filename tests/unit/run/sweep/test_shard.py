"""Shards of a sweep: nothing twice, nothing lost, whatever dies."""

import pytest

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.progress import silent
from burn_verify.core.stage import FailureKind
from burn_verify.record import store
from burn_verify.record.codec import environment_line, selection_line
from burn_verify.run.sweep import shard
from burn_verify.run.sweep.journal import ENOUGH
from fakes import Faults, seams
from swept import models, sweep_of


@pytest.fixture
def sweep(tmp_path, cache):
    models(tmp_path / "in", 7)
    return sweep_of(tmp_path / "in", tmp_path / "out", cache, part=2)


def ids_of(sweep):
    return sorted(case_id for case_id, _ in sweep.read().results)


def test_shards_together_verify_every_model_once(sweep):
    faults = Faults()
    counts = [shard.run(sweep, index, 3, seams(faults)) for index in (1, 2, 3)]

    assert sum(counts) == 7
    assert ids_of(sweep) == [case.id for case in sweep.cases]
    assert {count for (place, _), count in faults.calls.items() if place == "convert"} == {1}
    assert [shard.run(sweep, index, 3, seams(faults)) for index in (1, 2, 3)] == [0, 0, 0]


def test_only_shards_with_something_left_are_unfinished(sweep):
    assert shard.unfinished(sweep, 3) == [1, 2, 3]
    assert len(shard.unfinished(sweep, 20)) == 7
    shard.run(sweep, 2, 3, seams())

    assert shard.unfinished(sweep, 3) == [1, 3]
    shard.run(sweep, 1, 1, seams())
    assert shard.unfinished(sweep, 3) == []


def test_another_division_goes_on_where_the_first_stopped(sweep):
    first = shard.run(sweep, 1, 3, seams())

    assert shard.run(sweep, 1, 1, seams()) == 7 - first
    assert ids_of(sweep) == [case.id for case in sweep.cases]


def test_ctrl_c_loses_only_the_model_in_flight(sweep):
    with pytest.raises(KeyboardInterrupt):
        shard.run(sweep, 1, 1, seams(Faults({("run", "m003"): KeyboardInterrupt()})))
    done = ids_of(sweep)

    assert done == ["file/m000", "file/m001", "file/m002"]
    assert sweep.read().lost == {}
    assert shard.run(sweep, 1, 1, seams()) == 4


def test_a_model_that_always_kills_its_process_ends_as_a_failure(sweep):
    path = sweep.journals / "0001-of-0001.jsonl"
    for _ in range(ENOUGH):
        store.append(path, [environment_line({}), selection_line(["file/m005"])])
    shard.run(sweep, 1, 1, seams())
    results = {case_id: result for (case_id, _), result in sweep.read().results.items()}

    assert results["file/m005"].failure is FailureKind.NO_RESULT
    assert len(results) == 7
    assert shard.run(sweep, 1, 1, seams()) == 0


def test_a_journal_that_cannot_be_written_ends_the_shard(sweep):
    def full(outputs):
        path = sweep.journals / "0001-of-0001.jsonl"
        path.unlink()
        path.mkdir()
        return outputs

    with pytest.raises(StoreError, match="cannot write the record"):
        shard.run(sweep, 1, 1, seams(Faults({("run", "m000"): full})))


def test_a_folder_of_other_options_is_refused(sweep, cache, tmp_path):
    with pytest.raises(UsageError, match="was begun without --burn-timeout: say"):
        sweep_of(tmp_path / "in", tmp_path / "out", cache, timeout=3.0)
    with pytest.raises(UsageError, match="something else than a sweep"):
        sweep_of(tmp_path / "in", tmp_path / "in", cache)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        sweep_of(tmp_path / "in", tmp_path / "file", cache)


def test_costs_come_from_a_record_or_from_sizes(sweep, tmp_path):
    assert shard.costs(sweep.cases, None).keys() == {case.id for case in sweep.cases}
    shard.run(sweep, 1, 1, seams(), silent)
    costs = shard.costs(sweep.cases, sweep.journals / "0001-of-0001.jsonl")

    assert costs.keys() <= {case.id for case in sweep.cases}
    assert all(cost > 0 for cost in costs.values())
