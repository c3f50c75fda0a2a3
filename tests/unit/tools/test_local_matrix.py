"""The script that runs the nightly matrix on one machine sees every difference, and only differences."""

import importlib.util
from pathlib import Path

import pytest

from burn_verify.report.summary.columns import merge
from reported import a_record, a_result, agrees, output, wrong

SCRIPT = Path(__file__).parents[3] / "tools" / "local_matrix.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("local_matrix", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random(case_id, max_abs):
    return a_result(case_id, verdict="nondeterministic", metrics=(output(max_abs=max_abs),))


@pytest.mark.parametrize(
    ("parts", "whole", "lines"),
    [
        ([agrees("a/1", durations={"run": 1.0})], [agrees("a/1", durations={"run": 2.0})], []),
        ([random("a/1", 0.1)], [random("a/1", 0.9)], []),
        (
            [agrees("a/1", metrics=(output(max_abs=0.1),))],
            [agrees("a/1", metrics=(output(max_abs=0.2),))],
            ["a/1: metrics"],
        ),
        ([wrong("a/1")], [agrees("a/1")], ["a/1: outcome, verdict, message"]),
        ([agrees("a/1")], [agrees("a/1"), agrees("a/2")], ["a/2: missing"]),
        ([agrees("a/1"), agrees("a/2")], [agrees("a/1")], ["a/2: missing"]),
    ],
)
def test_differences_are_seen(script, parts, whole, lines):
    assert list(script.differences(merge([a_record(*parts)]), merge([a_record(*whole)]))) == lines
