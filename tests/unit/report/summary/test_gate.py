"""Changes in the groups that a pull request has to know."""

import pytest

from burn_verify.core.latency import Ratio
from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.gate import Group, first_of, gate
from reported import a_record, agrees, no_program, no_reference, refused, wrong
from timed import latency


def gate_of(before, after, **environment):
    old, new = merge([a_record(*before)]), merge([a_record(*after, **environment)])
    (comparison,) = compare(old, new)
    return gate(comparison, old.columns[0], new.columns[0])


@pytest.mark.parametrize(
    ("before", "after", "group"),
    [
        (agrees, wrong, Group.NEWLY_WRONG),
        (refused, wrong, Group.NEWLY_WRONG),
        (agrees, refused, Group.NEWLY_REFUSED),
        (agrees, no_program, Group.NEWLY_FAILING),
        (agrees, no_reference, Group.LOST),
        (refused, agrees, Group.FIXED),
        (wrong, agrees, Group.FIXED),
        (agrees, agrees, None),
        (refused, no_program, None),
        (no_program, refused, None),
    ],
)
def test_each_change_has_its_group(before, after, group):
    found = gate_of([before("node/a"), agrees("node/b")], [after("node/a"), agrees("node/b")])

    assert list(found.groups) == ([] if group is None else [group])
    assert found.fails == (group not in (None, Group.FIXED))


def timed(value, **fields):
    ratio = Ratio(value=value, low=0.9 * value, high=1.1 * value, noisy=fields.pop("noisy", False))
    return agrees("zoo/a", latency=latency(ratio=ratio, **fields))


@pytest.mark.parametrize(
    ("before", "after", "slower"),
    [
        (timed(1.0), timed(1.3), True),
        (timed(1.0), timed(1.1), False),
        (timed(1.3), timed(1.0), False),
        (timed(1.0), timed(9.0, noisy=True), False),
        (timed(1.0), timed(9.0, why="the machine was busy"), False),
        (agrees("zoo/a"), timed(9.0), False),
    ],
)
def test_what_is_slower_is_beyond_both_intervals_and_decides_nothing(before, after, slower):
    found = gate_of([before], [after])

    assert (Group.SLOWER in found.groups) is slower
    assert not found.fails


def test_the_smallest_case_comes_first():
    big, small = wrong("node/big", op_types=("A", "B")), wrong("node/small", op_types=("A",))
    found = gate_of([agrees("node/big"), agrees("node/small")], [big, small])

    assert first_of(found.groups[Group.NEWLY_WRONG]).case_id == "node/small"


def test_what_was_not_run_is_counted():
    assert gate_of([agrees("a")], [agrees("a")], alike=7).alike == 7
    assert gate_of([agrees("a")], [agrees("a")]).alike is None
