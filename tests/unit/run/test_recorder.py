"""The record of a run: written as it goes, and the lines at its end."""

from pathlib import Path

import pytest

from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.record import store
from burn_verify.run.recorder import Recorder
from burn_verify.run.session import Session
from fakes import seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


@pytest.fixture
def session(tmp_path):
    record = tmp_path / "run.jsonl"
    made = Session.open(Settings(models=(str(ADD),), cache_dir=tmp_path / "cache", record=record), seams=seams())
    yield made
    made.close()


def closed(recorder, session, *, interrupted=False):
    return recorder.close(session.selected.trials, 100, whole=True, interrupted=interrupted)


def test_a_run_is_in_its_own_folder_in_the_requested_file_and_the_last_run(session, tmp_path):
    (trial,) = session.selected.trials
    recorder = Recorder(session)
    recorder.begin([trial])
    session.prepare([trial])
    recorder.add(session.line(session.verify(trial), trial.target))

    closing = closed(recorder, session)

    for path in (session.folder / "record.jsonl", tmp_path / "run.jsonl", session.cache.root / "last-run.jsonl"):
        record = store.read(path)
        assert record.selection == ("file/add",)
        assert [result.case_id for result in record.results] == ["file/add"]
    assert "1 of 1 agree" in closing.text
    assert (closing.problems, closing.not_run) == ((), ())


def test_what_is_about_to_run_is_recorded_first(session, tmp_path):
    Recorder(session).begin(session.selected.trials)

    record = store.read(tmp_path / "run.jsonl")
    assert (record.selection, record.results) == (("file/add",), ())


def test_a_test_that_ended_without_a_result_is_a_failure_at_run(session, tmp_path):
    (trial,) = session.selected.trials
    recorder = Recorder(session)

    recorder.note(trial, Outcome.FAILED, "crashed\nfor real")
    recorder.note(trial, Outcome.FAILED, "once more")

    (result,) = store.read(tmp_path / "run.jsonl").results
    assert (result.stage, result.failure, result.reason) == (Stage.RUN, FailureKind.NO_RESULT, "no result: for real")


def test_targets_that_could_not_be_built_are_recorded(session, tmp_path):
    Recorder(session).prepared(RuntimeError("no cargo"))

    assert store.read(tmp_path / "run.jsonl").failure == "no cargo"


def test_an_interrupted_run_names_the_cases_without_a_result(session):
    recorder = Recorder(session)
    recorder.begin(session.selected.trials)

    assert closed(recorder, session, interrupted=True).text == "stopped early: without a result: file/add"


def test_a_record_that_cannot_be_written_is_told_at_once(tmp_path):
    settings = Settings(models=(str(ADD),), cache_dir=tmp_path / "cache", record=tmp_path / "missing" / "run.jsonl")
    session = Session.open(settings, seams=seams())

    with pytest.raises(UsageError, match=r"--burn-record: .*cannot write the record"):
        Recorder(session)
