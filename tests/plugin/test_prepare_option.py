"""``--burn-prepare on`` adds a test for each model, in which it is rewritten until it agrees."""

import os
from pathlib import Path

import onnx
import pytest
from onnx import helper

from burn_verify.record import store
from handmade import model, value

TESTS = Path(__file__).parents[1]
CONFTEST = """
def pytest_burn_verify_seams():
    from fakes import seams

    return seams(refuses=["Celu"])
"""


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run pytest on a model of an operator that is refused; return its result and its records by target."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(CONFTEST)
    node = helper.make_node("Celu", ["x"], ["y"])
    onnx.save(model([node], [value("x", shape=[2, 3])], [value("y")], opset=20), pytester.path / "celu.onnx")

    def run(*arguments):
        places = ("--burn-record", "record.jsonl", "--burn-cache-dir", "cache")
        done = pytester.runpytest_subprocess("--models", "celu.onnx", *places, *arguments)
        return done, {one.target.name: one for one in store.read_run(pytester.path / "record.jsonl")}

    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "xdist"])
def test_a_refused_model_passes_in_its_second_test(run, workers):
    done, records = run("--burn-prepare", "on", *workers)
    done.assert_outcomes(passed=1, failed=1)
    (prepared,) = records["0.22.1 flex prepared"].results
    assert prepared.details["prepared"]["rewritings"] == ["Celu by its definition"]


def test_an_expected_failure_may_be_lifted(run, pytester):
    entry = '[[expect]]\npattern = "file/celu"\nstage = "convert"\nreason = "Celu is refused"\n'
    (pytester.path / "known.toml").write_text(entry)
    done, _ = run("--burn-prepare", "on", "--burn-expectations", "known.toml")
    assert done.ret == 0
    done.assert_outcomes(xfailed=1, xpassed=1)


def test_without_the_option_there_is_one_test(run):
    done, records = run()
    done.assert_outcomes(failed=1)
    assert list(records) == ["0.22.1 flex"]


def test_a_value_that_is_none_is_a_usage_error(pytester, as_a_user):
    done = pytester.runpytest_subprocess("--models", "celu.onnx", "--burn-prepare", "maybe")
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*on or off is needed*"])
