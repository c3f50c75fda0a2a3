"""The command ``burn-verify issue``, with fakes for ONNX Runtime and Burn."""

from pathlib import Path

import numpy as np
import pytest

from burn_verify.cli.issue import known_cases
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from wrong import has, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_a_folder_is_written(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("issue", ADD, seams=seams(refuses=has("Add")))
    assert code == 1
    assert {"tiny.onnx", "README.md", "Cargo.toml", "inputs.npz", "expected.npz"} <= {
        path.name for path in (tmp_path / "issue-add").iterdir()
    }
    assert "issue-add" in out


def test_nothing_is_written_of_a_model_that_passes(command, tmp_path):
    code, _, _ = command("issue", ADD, "-o", tmp_path / "i", seams=seams())
    assert code == 0
    assert not (tmp_path / "i").exists()


def test_nothing_is_overwritten(command, tmp_path):
    code, _, err = command("issue", ADD, "-o", tmp_path, seams=seams(refuses=has("Add")))
    assert code == 4
    assert "nothing is overwritten" in err


def test_burn_import_has_no_project(command, tmp_path):
    code, _, err = command("issue", ADD, "-o", tmp_path / "i", "--burn-version", "0.19.1", seams=seams())
    assert code == 4
    assert "issue writes a project for burn-onnx, and Burn 0.19.1 converts with burn-import" in err


@pytest.mark.parametrize(("op_type", "known"), [("AveragePool", True), ("Exp", False)])
def test_of_wrong_numbers_only_cases_of_the_operator_are_known(op_type, known):
    result = CaseResult(
        case_id="c",
        corpus="file",
        stage=Stage.COMPARE,
        outcome=Outcome.FAILED,
        reason="wrong values",
        op_types=(op_type,),
    )
    assert bool(known_cases(result, Target())) is known


def test_whose_fault_it_is_is_in_the_report(command, tmp_path):
    wrong = seams("Add", lambda array: array + np.float32(1), right_on="ndarray")
    command("issue", ADD, "-o", tmp_path / "i", "--whose-fault", seams=wrong)
    assert "- whose fault: kernel (on ndarray" in (tmp_path / "i" / "README.md").read_text()
