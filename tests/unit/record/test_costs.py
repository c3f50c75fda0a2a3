"""Seconds by case, over all targets of a run."""

import pytest

from burn_verify.record.costs import costs_of
from reported import a_record, agrees


def test_a_case_costs_what_all_of_its_targets_cost():
    records = [
        a_record(agrees("a/1", durations={"run": seconds}), backend=name)
        for seconds, name in ((1, "flex"), (3, "wgpu"))
    ]
    assert costs_of(records) == pytest.approx({"a/1": 1 + 2.0 + 3 + 2.0})


def test_costs_are_what_was_measured():
    record = a_record(agrees("a/1", durations={"run": 1.0, "forward": 0.9, "load": 0.5}), agrees("a/2"))

    assert costs_of([record]) == pytest.approx({"a/1": 2.5, "a/2": 1.0})
