"""Tests and cases: parameters, ids, and the line of a result."""

from types import SimpleNamespace

import pytest

from burn_verify.core.case import Case, Seeded
from burn_verify.core.options import Settings
from burn_verify.core.target import Target, Trial
from burn_verify.plugin.items import RESULT, parameters_of, result_line, trial_in
from burn_verify.run.selected import Asked, Selected

CASES = tuple(Case(id=name, corpus="zoo", source=Seeded(architecture="mnist")) for name in ("zoo/a", "zoo/a-12"))


def selected(*targets):
    return Selected(
        settings=Settings(),
        cases=CASES,
        shard=None,
        elsewhere=(),
        left_out=(),
        targets=tuple(Asked(target=target, settings=Settings()) for target in targets),
        expected=(),
        select_seconds=0.0,
    )


def test_with_one_target_the_id_is_that_of_the_case():
    names, values, ids = parameters_of(["burn_case", "burn_target"], selected(Target()))

    assert (names, ids) == ("burn_case", ["zoo/a", "zoo/a-12"])
    assert values == list(CASES)


def test_with_several_targets_a_test_that_takes_them_has_one_for_each():
    names, values, ids = parameters_of(["burn_case", "burn_target"], selected(Target(), Target(backend="wgpu")))

    assert names == "burn_case, burn_target"
    assert ids == ["zoo/a@flex", "zoo/a@wgpu", "zoo/a-12@flex", "zoo/a-12@wgpu"]
    assert values[1] == (CASES[0], Target(backend="wgpu"))


def test_without_a_selection_there_are_no_cases():
    assert parameters_of(["burn_case"], None) == ("burn_case", [], [])


@pytest.mark.parametrize(
    ("node_id", "case_id"),
    [
        ("suite.py::test_model[zoo/a]", "zoo/a"),
        ("suite.py::test_model[x-zoo/a-12]", "zoo/a-12"),
        ("suite.py::test_model[zoo/b]", None),
        ("suite.py::test_other", None),
    ],
)
def test_a_test_of_another_process_is_recognised_by_its_id(node_id, case_id):
    trials = {case.id: Trial(case=case, target=Target()) for case in CASES}

    found = trial_in(node_id, trials)

    assert (found.case.id if found else None) == case_id


@pytest.mark.parametrize(("when", "line"), [("call", "{}"), ("teardown", None)])
def test_the_report_of_the_call_has_the_result(when, line):
    report = SimpleNamespace(user_properties=[("other", "x"), (RESULT, "{}")], when=when)

    assert result_line(report) == line
