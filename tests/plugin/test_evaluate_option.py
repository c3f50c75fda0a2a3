"""``--burn-evaluate DATA``: metrics in the record, in the table of the run, in the matrix and on the page."""

import os

import pytest

from burn_verify.cli import main
from burn_verify.record import store
from documented import CONFTEST, TESTS
from labelled import classifier, detector, pictures, rows


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(CONFTEST)

    def run(*words):
        places = ("--burn-record", "record.jsonl", "--burn-cache-dir", "cache")
        return pytester.runpytest_subprocess("--models", "net.onnx", *places, *words)

    return run


def test_metrics_are_everywhere(run, pytester):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    detector(pytester.path / "net.onnx")
    pictures(pytester.path / "photos", [[((0.25, 0.25, 0.75, 0.75), 1)]] * 2)
    done = run("--burn-evaluate", "photos", "--burn-task", "detection")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["file/net: detection on photos: AP 1.000000 → 1.000000*excellent; 0 of 2 samples*"])
    (record,) = store.read_run(pytester.path / "record.jsonl")
    assert record.results[0].details["evaluation"]["comparison"]["tier"] == "excellent"
    with pytest.raises(SystemExit):
        main(["report", "record.jsonl", "--out", "site"])
    page = (pytester.path / "site" / "index.html").read_text()
    assert "data:image/jpeg;base64,/9j/" in page
    assert ">AR100<" in page
    said = (pytester.path / "site" / "compatibility-matrix.md").read_text()
    assert "## Tasks" in said
    assert "| AP75 | 1.000000 | 1.000000 | +0.000000 | excellent | 0 of 2 samples |" in said


def test_data_that_do_not_fit_are_exit_code_4(run, pytester):
    classifier(pytester.path / "net.onnx")
    rows(pytester.path / "a.npz")
    assert run("--burn-evaluate", "a.npz", "--burn-task", "regression").ret == 4
    done = run("--burn-evaluate", "none")
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*--burn-evaluate*none: no such file or folder*"])
