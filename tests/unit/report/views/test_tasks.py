"""Evaluations of a record as lines, rows and pictures."""

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.views.tasks import HEAD, as_text, rows, told

SAID = {
    "task": "classification",
    "dataset": {"name": "digits", "digest": "abc", "unreadable": 1},
    "evaluations": [
        {"samples_per_second": 10.0, "unreadable": ["a.npz[3]: broken"]},
        {"samples_per_second": 2.5, "unreadable": ["a.npz[3]: broken"]},
    ],
    "comparison": {
        "metrics": {"top1": {"before": 0.75, "after": 0.5, "difference": -0.25, "tier": "warning"}},
        "tier": "warning",
        "dataset_check": "the same data, abc",
        "flips": {"count": 1},
        "samples": 4,
    },
    "pictures": [{"sample": "a.png", "jpeg": "AAAA"}],
}


def result(**details):
    return CaseResult(case_id="file/net", corpus="file", stage=Stage.COMPARE, outcome=Outcome.PASSED, details=details)


def test_a_row_for_each_metric():
    (row,) = rows([result(), result(evaluation=SAID)])
    wanted = ("file/net", "classification", "digits", "top1", "0.750000", "0.500000", "-0.250000", "warning")
    assert row == (*wanted, "1 of 4 samples")
    assert len(row) == len(HEAD)


def test_lines():
    first, second = as_text([result(evaluation=SAID)]).splitlines()
    assert first == (
        "file/net: classification on digits: top1 0.750000 → 0.500000: warning; 1 of 4 samples flipped; 10/s and 2.5/s"
    )
    assert second == "file/net: 1 sample could not be used: a.npz[3]: broken"
    assert as_text([result()]) == ""


def test_doubts_and_notes_are_lines():
    said = {**SAID, "dataset": {**SAID["dataset"], "doubts": ["names are counted"]}}
    said["comparison"] = {**SAID["comparison"], "notes": ["12 boxes moved"]}
    assert as_text([result(evaluation=said)]).splitlines()[1:3] == [
        "file/net: note: names are counted",
        "file/net: note: 12 boxes moved",
    ]


def test_pictures():
    (one,) = told([result(evaluation=SAID)])
    assert one.pictures == (("a.png", "AAAA"),)


def test_what_is_not_compared_is_told():
    compare = {"metrics": {}, "tier": None, "dataset_check": "not compared: why", "flips": None, "samples": None}
    text = as_text([result(evaluation={**SAID, "comparison": compare})])
    assert "not compared: why" in text
