"""A column of prepared models beside the one as is, with fakes for ONNX Runtime and Burn."""

import onnx
import pytest
from onnx import helper

from burn_verify.core.errors import CompileError
from burn_verify.core.options import Settings
from burn_verify.core.stage import Outcome
from burn_verify.run.session import Session
from fakes import Faults, seams
from handmade import model, value


@pytest.fixture
def run(tmp_path):
    """Return a function that runs models of one operator each; it returns the results by id and target."""

    def run(*op_types, refuses=(), faults=None):
        folder = tmp_path / "models"
        folder.mkdir()
        for name in op_types:
            made = model([helper.make_node(name, ["x"], ["y"])], [value("x", shape=[2, 3])], [value("y")], opset=20)
            onnx.save(made, folder / f"{name}.onnx")
        settings = Settings(models=(str(folder),), cache_dir=tmp_path / "cache", prepare=(False, True))
        session = Session.open(settings, seams=seams(faults or Faults(), refuses))
        try:
            session.prepare(session.selected.trials)
            trials = session.selected.trials
            found = {(trial.case.id, trial.target.name): session.verify(trial) for trial in trials}
            lines = [session.line(one, trial.target) for trial, one in zip(trials, found.values(), strict=True)]
            return found, lines, session.differences()
        finally:
            session.close()

    return run


def test_a_model_that_is_refused_agrees_in_the_second_column(run):
    found, lines, _ = run("Celu", refuses=["Celu"])
    as_is, prepared = found.values()
    assert [name for _, name in found] == ["0.22.1 flex", "0.22.1 flex prepared"]
    assert (as_is.outcome, prepared.outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert prepared.details["prepared"]["rewritings"] == ["Celu by its definition"]
    assert prepared.op_types == ("Celu",)
    assert "prepared" not in as_is.details
    assert '"prepared": true' in lines[1]
    assert '"prepared": true' not in lines[0]


def test_a_model_that_agrees_is_the_same_in_both(run):
    found, _, differences = run("Neg")
    assert [result.outcome for result in found.values()] == [Outcome.PASSED] * 2
    assert all("prepared" not in result.details for result in found.values())
    assert differences == ()


def test_what_stays_says_what_is_in_the_way(run):
    found, _, _ = run("Neg", refuses=["Neg"])
    _, prepared = found.values()
    assert prepared.outcome is Outcome.FAILED
    assert prepared.details["prepared"]["in_the_way"] == "convert: unsupported operators: Neg"


def test_a_rewritten_model_that_no_longer_compiles_is_a_failure_of_its_own(run):
    class Second(dict):
        """Lets the rewritten models compile while they are searched, and not when the column is built."""

        def get(self, key, default=None):
            place, name = key
            refused = place == "rustc" and len(name) == 24
            return CompileError("no", "no") if refused else default

    found, _, _ = run("Celu", refuses=["Celu"], faults=Faults(Second()))
    _, prepared = found.values()
    assert (prepared.outcome, prepared.message) == (Outcome.FAILED, "no")
