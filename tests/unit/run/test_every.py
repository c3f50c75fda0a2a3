"""The stages of a whole run: every trial is recorded before it is yielded; a broken target leaves its trials out."""

import pytest

from burn_verify.core.errors import ToolchainError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.record import store
from burn_verify.run.every import verified
from burn_verify.run.recorder import Recorder
from burn_verify.run.session import Session
from fakes import Faults, seams
from swept import models


def opened(tmp_path, made, **settings):
    asked = Settings(models=(str(tmp_path / "in"),), cache_dir=tmp_path / "cache", record=tmp_path / "r", **settings)
    session = Session.open(asked, seams=made)
    recorder = Recorder(session)
    recorder.begin(session.selected.trials)
    return session, recorder


def test_each_result_is_recorded_before_it_is_yielded(tmp_path):
    models(tmp_path / "in", 3)
    session, recorder = opened(tmp_path, seams())
    counts = []
    for _ in verified(session, recorder, silent):
        counts.append(len(store.read(tmp_path / "r").results))
    session.close()

    assert counts == [1, 2, 3]


def test_trials_of_a_target_that_does_not_start_are_left_out(tmp_path):
    models(tmp_path / "in", 2)
    broken = seams(Faults({("start", "wgpu"): ToolchainError("no device")}))
    session, recorder = opened(tmp_path, broken, burn_backend=("flex", "wgpu"))
    found = [trial.target.backend for trial, _ in verified(session, recorder, silent)]
    session.close()

    assert found == ["flex", "flex"]


def test_the_record_says_why_nothing_could_be_built(tmp_path):
    models(tmp_path / "in", 1)
    session, recorder = opened(tmp_path, seams(Faults({("build", "m000"): ToolchainError("no linker")})))
    with pytest.raises(ToolchainError, match="no linker"):
        list(verified(session, recorder, silent))
    session.close()

    assert "no linker" in store.read(tmp_path / "r").failure
