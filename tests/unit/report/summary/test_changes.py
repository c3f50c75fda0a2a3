"""What changed, with the right word for each case."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.changes import Kind, between, compare, exit_code, kind_of
from burn_verify.report.summary.columns import merge
from burn_verify.report.views import changes_text
from reported import a_record, a_result, agrees, no_program, no_reference, output, refused, wrong

MAKERS = [agrees, wrong, refused, no_program, no_reference, lambda case_id: None]


def compared(before, after, **environment):
    (comparison,) = compare(merge([a_record(*before)]), merge([a_record(*after, **environment)]))
    return comparison


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (agrees, wrong, Kind.NEWLY_WRONG),
        (refused, wrong, Kind.NEWLY_WRONG),
        (no_reference, wrong, Kind.NEWLY_WRONG),
        (agrees, refused, Kind.REGRESSED),
        (refused, agrees, Kind.FIXED),
        (wrong, agrees, Kind.FIXED),
        (refused, no_program, Kind.MOVED),
        (wrong, refused, Kind.MOVED),
        (agrees, no_reference, Kind.LOST),
        (no_reference, agrees, Kind.APPEARED),
        (agrees, agrees, None),
        (wrong, wrong, None),
    ],
)
def test_every_change_has_its_word(before, after, kind):
    assert kind_of(before("a/1"), after("a/1")) is kind
    comparison = compared([before("a/1"), agrees("a/0")], [after("a/1"), agrees("a/0")])
    assert [change.kind for change in comparison.changes] == ([kind] if kind else [])
    assert comparison.same == (1 if kind else 2)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [(0.1, 0.39, None), (0.1, 0.4, Kind.SHRUNK), (0.0, 0.5, Kind.SHRUNK), (1e-9, 1e-4, None), (None, 0.9, None)],
)
def test_headroom_that_shrinks_fourfold_is_news(before, after, kind):
    pair = [agrees("a/1", metrics=(output(used),)) for used in (before, after)]

    assert kind_of(*pair) is kind


def test_less_than_agreement_is_less_headroom():
    assert kind_of(agrees("a/1"), a_result("a/1", verdict="loose")) is Kind.SHRUNK
    assert kind_of(a_result("a/1", verdict="loose"), agrees("a/1")) is None
    assert kind_of(agrees("a/1"), a_result("a/1", verdict="oracle_disagrees")) is None


@given(st.lists(st.sampled_from(MAKERS), min_size=1, max_size=8))
@settings(deadline=None)
def test_a_record_compared_with_itself_shows_nothing(makers):
    results = [agrees("zoo/0"), *(made for n, make in enumerate(makers, 1) if (made := make(f"zoo/{n}")))][:40]
    results += [agrees(f"node/{n}") for n in range(100)]
    comparison = compared(results, results)

    assert comparison.changes == comparison.differences == ()
    assert exit_code([comparison]) == 0


@pytest.mark.parametrize(
    ("after", "code"), [([wrong("a/1")], 1), ([refused("a/1")], 1), ([agrees("a/1"), agrees("a/2")], 0)]
)
def test_only_regressions_are_a_bad_exit(after, code):
    assert exit_code([compared([agrees("a/1")], after)]) == code


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (no_reference("a/1"), 1),
        (a_result("a/1", verdict="insensitive"), 1),
        (a_result("a/1", verdict="loose"), 0),
    ],
)
def test_what_agreed_and_has_no_evidence_any_more_is_a_bad_exit(after, code):
    assert exit_code(compare(merge([a_record(agrees("a/1"))]), merge([a_record(after)]))) == code
    # What was refused and has no evidence any more is no worse.
    assert exit_code(compare(merge([a_record(refused("a/1"))]), merge([a_record(after)]))) == 0


def test_nothing_in_common_cannot_be_compared():
    assert compare(merge([a_record(agrees("a/1"))]), merge([a_record(agrees("a/2"))])) == ()
    assert exit_code([]) == 2


def test_a_new_run_with_gaps_is_not_as_good_as_before():
    old = merge([a_record(agrees("a/1"), agrees("a/2"))])
    new = merge([a_record(agrees("a/1"), selection=("a/1", "a/2"))])
    (comparison,) = compare(old, new)

    assert exit_code([comparison]) == 2
    # It did not vanish: it is missing, and the report says why.
    assert comparison.changes == ()
    assert "missing: a run of Burn 0.22.1 on flex ended early" in changes_text.as_text(comparison)


def test_two_targets_are_compared_where_each_side_has_one():
    old, new = a_record(agrees("a/1"), version="0.21.0"), a_record(wrong("a/1"))
    (comparison,) = compare(merge([old]), merge([new]))

    assert changes_text.as_text(comparison).startswith("Burn 0.21.0 on flex → Burn 0.22.1 on flex\n")


def test_a_failure_elsewhere_in_the_same_stage_is_no_news():
    before = a_result("a/1", Stage.RUN, Outcome.FAILED, reason="panic: a")
    assert kind_of(before, a_result("a/1", Stage.RUN, Outcome.FAILED, reason="panic: b")) is None


def test_neighbours_are_compared_without_saying_twice_what_they_are():
    flex, wgpu = a_record(agrees("a/1"), cpu="one"), a_record(wrong("a/1"), backend="wgpu", cpu="two")
    (comparison,) = between(merge([flex, wgpu]).columns)

    assert (comparison.before.backend, comparison.after.backend) == ("flex", "wgpu")
    assert [difference.name for difference in comparison.differences] == ["cpu"]
    assert [change.kind for change in comparison.changes] == [Kind.NEWLY_WRONG]


def test_a_target_that_did_not_start_is_compared_with_nobody():
    dead = replace(a_record(backend="wgpu", selection=("a/1",)), failure="no device")

    assert between(merge([a_record(agrees("a/1")), dead]).columns) == ()
