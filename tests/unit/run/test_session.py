"""A run in one process: selection, folder, results and differences, with fakes for ONNX Runtime and Burn."""

from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.core.errors import ConvertError, ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.stage import Outcome, Stage
from burn_verify.expectations.match import Expectation, Expectations
from burn_verify.run.session import Session
from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


@pytest.fixture
def opened(tmp_path):
    made = []

    def opened(faults=Faults(), **settings):  # noqa: B008  (immutable)
        given = Settings(models=(str(ADD),), cache_dir=tmp_path / "cache", **settings)
        made.append(Session.open(given, seams=seams(faults)))
        return made[-1]

    yield opened
    for session in made:
        session.close()


def test_a_run_has_a_folder_that_workers_can_join(opened):
    session = opened()

    assert session.folder.parent.name == "runs"
    assert Session.join(session.folder).selected == session.selected


def test_a_prepared_case_has_a_result(opened):
    session = opened()
    (trial,) = session.selected.trials

    session.prepare([trial])

    result = session.verify(trial)
    assert (result.case_id, result.stage, result.outcome) == ("file/add", Stage.COMPARE, Outcome.PASSED)
    assert session.failure(trial.target) == ""


def test_an_error_of_the_case_is_its_result(opened):
    session = opened(Faults({("convert", "add"): ConvertError("no", "no")}))
    (trial,) = session.selected.trials

    session.prepare([trial])

    assert session.verify(trial).stage is Stage.CONVERT


def test_a_builder_that_fails_ends_the_run(opened):
    session = opened(Faults({("refusals", "flex"): ToolchainError("no cargo")}))

    with pytest.raises(ToolchainError, match="no cargo"):
        session.prepare(session.selected.trials)


def test_targets_that_agree_have_no_difference(opened):
    session = opened(burn_backend=("flex", "wgpu"))
    session.prepare(session.selected.trials)

    for trial in session.selected.trials:
        session.verify(trial)

    assert session.differences() == ()


def test_a_path_that_does_not_exist_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        Session.open(Settings(models=("missing.onnx",), cache_dir=tmp_path / "cache"))


@pytest.mark.parametrize(("profile", "stale"), [("quick", ["op/Relu-15/int8/default"]), ("full", None)])
def test_a_graph_of_a_wider_profile_is_not_out_of_date(opened, profile, stale):
    session = opened()
    patterns = ["op/Relu-15/int8/default", "op/Relu-14/int8/shape=1"]
    entries = [
        Expectation(pattern=one, stage=Stage.RUN, reason="r", source="f", line=line)
        for line, one in enumerate(patterns)
    ]
    settings = replace(session.selected.settings, ops=("all",), ops_profile=profile)
    session.selected = replace(session.selected, settings=settings, expected=(Expectations(entries),))

    assert [entry.pattern for entry in session.unmatched()] == (patterns if stale is None else stale)
