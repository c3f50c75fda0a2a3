"""``--burn-locate on`` names the first wrong node of each model that fails."""

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
    from wrong import seams

    return seams("Exp", lambda array: array * 2)
"""


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run pytest on a model with a wrong Exp; return its result and the details of its record."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(CONFTEST)
    nodes = [helper.make_node("Neg", ["x"], ["a"], "right"), helper.make_node("Exp", ["a"], ["b"], "wrong"),
             helper.make_node("Abs", ["b"], ["y"], "last")]  # fmt: skip
    onnx.save(model(nodes, [value("x", shape=[3])], [value("y", shape=[3])]), pytester.path / "m.onnx")

    def run(*arguments):
        places = ("--burn-record", "record.jsonl", "--burn-cache-dir", "cache")
        done = pytester.runpytest_subprocess("--models", "m.onnx", *places, *arguments)
        (record,) = store.read_run(pytester.path / "record.jsonl")
        return done, record.results[0].details

    return run


def test_a_failure_has_a_line_and_the_record_the_answer(run):
    done, details = run("--burn-locate", "on")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*located: first wrong: Exp `wrong` (*"])
    assert details["located"]["suspects"][0]["nodes"][0]["name"] == "wrong"
    assert details["located"]["proof"] == "the rest passes"


def test_without_the_option_nothing_is_looked_for(run):
    done, details = run()
    done.assert_outcomes(failed=1)
    assert "located" not in details
