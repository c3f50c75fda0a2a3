"""From results to evidence."""

import dataclasses

from burn_verify.core.result import VerdictName
from burn_verify.forecast.endings import Ending
from evidences import evidence, example, gather, relu


def test_a_case_that_agrees_is_evidence_for_all_of_its_cells():
    found = evidence(example("a", gather()))

    assert {operator: [entry.ending for entry in some] for operator, some in found.entries.items()} == {
        "Gather": [Ending.AGREES],
        "Constant": [Ending.AGREES],
        "graph interface": [Ending.AGREES] * 2,
    }


def test_a_case_that_fails_is_evidence_against_the_guilty_cell_only():
    found = evidence(example("a", gather(), "refused"))

    assert list(found.entries) == ["Gather"]


def test_the_case_that_proves_most_and_then_the_smallest_speaks_for_a_cell():
    unproved = example("a", relu(), verdict=VerdictName.INSENSITIVE)

    (entry,) = evidence(unproved, example("b", relu()), example("c", relu())).entries["Relu"]

    assert (entry.case_id, entry.proved) == ("b", True)


def test_an_operator_is_unsupported_if_it_is_named_and_never_taken():
    named = {"details": {"unsupported": ["Gather"]}}
    refused = example("a", gather(), "refused", **named)

    assert evidence(refused).unsupported == {"Gather"}
    assert evidence(refused, example("b", gather(axis=1))).unsupported == frozenset()


def test_what_tells_nothing_of_burn_is_no_evidence():
    silent = example("a", relu(), "refused")
    silent = dataclasses.replace(silent, result=dataclasses.replace(silent.result, failure="timeout"))

    assert dict(evidence(silent).entries) == {}
