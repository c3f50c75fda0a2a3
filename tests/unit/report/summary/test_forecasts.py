"""How often forecasts came true."""

import dataclasses

import pytest

from burn_verify.core.stage import Outcome
from burn_verify.report.summary.forecasts import Forecasts, forecast_lines, forecasts_of
from evidences import result


def told(case_id, came, said):
    return result(case_id, came, details={"forecast": {"ending": said, "probability": 0.9}})


def test_forecasts_are_counted():
    found = forecasts_of(
        [
            told("a", "agrees", "agrees"),
            told("b", "refused", "agrees"),
            told("c", "refused", None),
            told("d", "wrong numbers", "refused"),
            result("e"),
        ]
    )

    assert found == Forecasts(right=1, wrong=("b", "d"), unsaid=1)
    assert forecast_lines(found) == ["2 of 3 forecasts came otherwise, b first (docs/explain.md)"]


def test_what_tells_nothing_of_burn_is_not_counted():
    skipped = dataclasses.replace(told("a", "refused", "agrees"), outcome=Outcome.SKIPPED)

    assert forecasts_of([skipped]) == Forecasts(right=0, wrong=(), unsaid=0)


def test_nothing_is_said_while_all_come_true():
    assert forecast_lines(Forecasts(right=3, wrong=(), unsaid=2)) == []
    assert forecast_lines(Forecasts(right=0, wrong=("a",), unsaid=0)) == [
        "1 of 1 forecast came otherwise: a (docs/explain.md)"
    ]


@pytest.mark.parametrize("made", [None, "refused", {}, {"ending": None}])
def test_a_record_of_another_hand_is_no_forecast(made):
    found = forecasts_of([result("a", details={"forecast": made})])

    assert (found.right, found.wrong) == (0, ())
