"""Kept runs: one numbered file for each, in the order in which they were kept."""

import pytest

from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.target import Target
from burn_verify.record import codec, history, store
from reported import agrees


@pytest.fixture
def record(tmp_path):
    def write(name, **environment):
        path = tmp_path / name
        lines = [
            codec.environment_line({"burn": "0.22.1", "started": "2026-11-21T10:00:00Z", **environment}),
            codec.result_to_line(agrees("zoo/a"), Target()),
        ]
        store.append(path, lines)
        return path

    return write


def test_runs_are_numbered_and_named_by_commit_and_date(tmp_path, record):
    kept = tmp_path / "kept"

    history.keep(kept, [record("one.jsonl", commit="1a2b3c4d5e6f7890")])
    history.keep(kept, [record("two.jsonl")])

    assert [run.name for run in history.runs(kept)] == ["0001_1a2b3c4d5e6f_20261121", "0002_release_20261121"]


def test_shards_are_kept_as_one_run(tmp_path, record):
    path = history.keep(tmp_path / "kept", [record("one.jsonl"), record("two.jsonl")])

    assert len(history.records(path)) == 2


def test_only_the_newest_runs_are_read_on_request(tmp_path, record):
    for name in ("one.jsonl", "two.jsonl", "three.jsonl"):
        history.keep(tmp_path / "kept", [record(name)])

    assert [run.number for run in history.runs(tmp_path / "kept", newest=2)] == [2, 3]


def test_other_files_of_the_folder_are_left_alone(tmp_path, record):
    path = history.keep(tmp_path / "kept", [record("one.jsonl")])
    (path.parent / "notes.txt").touch()

    assert len(history.runs(path.parent)) == 1


def test_a_missing_folder_and_one_that_cannot_be_made_are_mistakes(tmp_path, record):
    with pytest.raises(UsageError, match="no such folder of kept runs"):
        history.runs(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be kept there"):
        history.keep(tmp_path / "file", [record("one.jsonl")])
