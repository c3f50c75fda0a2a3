"""Wrong nodes of a run, within a budget."""

import json
from pathlib import Path

import numpy as np
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target, Trial
from burn_verify.run.locating import LOCATED, Locating
from wrong import seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"
FAILED = CaseResult(case_id="file/add", corpus="file", stage=Stage.COMPARE, outcome=Outcome.FAILED)


@pytest.fixture
def located(cache):
    def ask(path, **settings):
        wrong = seams("Add", lambda array: array + np.float32(1), right_on="ndarray")
        locating = Locating(Settings(**settings), cache, wrong)
        case = Case(id="file/add", corpus="file", source=ModelFile(path=path))
        return locating, locating.with_node(Trial(case=case, target=Target()), FAILED, silent).details[LOCATED]

    return ask


def test_the_answer_is_json_and_a_line(located):
    locating, said = located(ADD)
    assert json.loads(json.dumps(said))["finding"] == "a node is wrong"
    assert said["line"].startswith("first wrong: Add")
    assert locating.spent > 0


def test_a_budget_that_is_used_up_is_said(located):
    locating, _ = located(ADD)
    locating.spent = 1e9
    found = locating.with_node(Trial(case=Case(id="c", corpus="file", source=ModelFile(path=ADD)), target=Target()),
                               FAILED, silent)  # fmt: skip
    assert found.details[LOCATED] == {"line": "not looked for: --burn-locate-seconds is used up"}


def test_a_model_that_cannot_be_read_is_no_error(located, tmp_path):
    _, said = located(tmp_path / "gone.onnx")
    assert said["line"].startswith("not found: ")


def test_another_backend_of_the_run_is_asked_whose_fault_it_is(located):
    _, said = located(ADD)
    assert said["fault"] is None
    _, said = located(ADD, burn_backend=("flex", "ndarray"))
    assert said["fault"]["side"] == "kernel"
    assert "whose fault: kernel (on ndarray the same code answers right)" in said["line"]
