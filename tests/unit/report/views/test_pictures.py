"""The positions and labels of the bars of the page."""

import itertools

import pytest

from burn_verify.core.result import VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.report.summary.columns import merge
from burn_verify.report.views import pictures
from reported import a_record, a_result, agrees, no_program, of_operator, refused, skipped, wrong
from timed import latency


def bars(*results, **fields):
    return pictures.stages(merge([a_record(*results, **fields)]).columns[0])


def test_a_bar_has_every_case_once():
    models = [agrees("zoo/1"), agrees("zoo/2"), refused("zoo/3"), wrong("zoo/4"), skipped("zoo/5")]
    other = a_result("node/9", Stage.RUN, Outcome.FAILED, failure=FailureKind.NO_VALUE)
    first, second, missing = bars(*models, no_program("node/6"), of_operator("7"), other, selection=("zoo/8",))

    assert (first.what, first.total) == ("models", 5)
    counts = {part.word: (part.count, part.share) for part in first.segments if part.count}
    assert counts == {
        "refused": (1, "20%"),
        "wrong": (1, "20%"),
        "no evidence": (1, "20%"),
        "agrees": (2, "40%"),
    }
    assert [part.word for part in second.segments if part.count] == ["no Burn value", "does not compile", "agrees"]
    assert (missing.what, missing.total) == ("missing or not run", 1)


def test_segments_lie_side_by_side_and_fill_the_bar():
    (bar,) = bars(agrees("zoo/1"), refused("zoo/2"), wrong("zoo/3"))
    shown = [part for part in bar.segments if part.count]

    assert shown[0].x == 0
    for left, right in itertools.pairwise(shown):
        assert left.x + left.width <= right.x
    assert shown[-1].x + shown[-1].width <= pictures.WIDTH


def test_a_part_that_is_too_narrow_for_its_number_has_none():
    (bar,) = bars(*(agrees(f"zoo/{n}") for n in range(500)), wrong("zoo/x"))

    assert [part.label for part in bar.segments if part.count] == ["", "✓ 500"]


def test_times_are_bars_on_one_axis():
    found = pictures.times([agrees("zoo/1", latency=latency()), agrees("zoo/2")])

    (row,) = found.rows
    assert row.name == "zoo/1"
    for bar in (row.burn, row.onnxruntime):
        assert 0 <= bar.low <= bar.width <= bar.high <= pictures.WIDTH
    assert found.ticks[0][0] == 0
    assert found.ticks[-1][0] == pytest.approx(pictures.WIDTH)


def test_times_of_a_wrong_answer_are_struck_out():
    (row,) = pictures.times([wrong("zoo/1", latency=latency(), verdict=VerdictName.DISAGREES)]).rows

    assert row.struck


def test_without_times_there_is_no_picture():
    assert pictures.times([agrees("zoo/1")]) is None
    assert pictures.times([agrees("zoo/1", latency=latency(burn=None, onnxruntime=None))]) is None


def test_targets_lie_in_a_grid():
    records = [
        a_record(agrees("zoo/1")),
        a_record(agrees("zoo/1"), backend="wgpu"),
        a_record(wrong("zoo/1"), version="0.21.0"),
    ]
    grid = pictures.grid(merge(records).columns)

    assert grid.backends == ("flex", "wgpu")
    places = [(version, [cell and cell[0] for cell in cells]) for version, cells in grid.rows]
    assert places == [("0.22.1", [0, 1]), ("0.21.0", [2, None])]
