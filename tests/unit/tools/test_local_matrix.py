"""The script that runs the nightly matrix on one machine sees every difference, and only differences."""

import pytest

import local_matrix as script
from burn_verify.report.summary.columns import merge
from reported import a_record, a_result, agrees, output, wrong


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
def test_differences_are_seen(parts, whole, lines):
    assert list(script.differences(merge([a_record(*parts)]), merge([a_record(*whole)]))) == lines
