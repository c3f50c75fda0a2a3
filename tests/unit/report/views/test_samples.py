"""The lines about samples."""

from dataclasses import replace

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.views.samples import as_text

RESULT = CaseResult(case_id="file/net", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED)


def text(**said):
    return as_text([replace(RESULT, details={"samples": said})])


def test_without_samples_there_is_no_line():
    assert as_text([RESULT]) == ""


def test_all_that_is_known():
    seconds = {"reference": 0.1, "burn": 0.5}
    said = text(
        count=6,
        agree=4,
        disagree=1,
        first=["a[3]"],
        unanswered=1,
        why="no",
        worst="a[3]",
        seconds=seconds,
        how=["NCHW"],
    )
    assert said.splitlines() == [
        "file/net: 4 of 6 samples agree; 1 do not: a[3]; 1 got no answer (no); the worst is a[3]; reference 50/s; "
        "burn 10/s",
        "file/net: NCHW",
    ]


def test_one_sample_has_no_rate():
    assert text(count=1, agree=1, worst="a", seconds={"burn": 1.0}) == "file/net: 1 sample agrees; the worst is a"
