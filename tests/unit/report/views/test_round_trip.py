"""The page of the round trip."""

import pytest

from burn_verify.report.views.round_trip import end_of, is_decided, is_finding, round_trip_page


def line(case="node/a", outcome="passed", stage="compare", trip=None, fault=None, failure=None):
    return {
        "case": case, "corpus": "node", "op_types": ["Add"], "stage": stage, "outcome": outcome, "failure": failure,
        "reason": "", "trip": trip, "other": None, "fault": fault,
    }  # fmt: skip


def trip(written=True, obstacle="", difference="", alike=None):
    return {
        "data_set": "s", "written": written, "obstacle": obstacle, "same_panic": False, "difference": difference,
        "alike": alike,
    }  # fmt: skip


def fault(side, *by):
    return {"side": side, "by": list(by), "facts": ["on ndarray it is <right>"]}


@pytest.mark.parametrize(
    ("made", "end", "finding"),
    [
        (line(), "", False),
        (line(trip=trip(written=False, obstacle="unsupported operation: Permute")), "not exported", False),
        (line(trip=trip()), "right", False),
        (line(trip=trip(obstacle="ONNX Runtime refuses it")), "refused", True),
        (line(trip=trip(obstacle="ONNX Runtime refuses it: 9 : NOT_IMPLEMENTED")), "no kernel in ONNX Runtime", False),
        (line(trip=trip(difference="y: wrong")), "exporter wrong", True),
        (line(outcome="failed", trip=trip()), "kernel", False),
        (line(outcome="failed", trip=trip(difference="y", alike=True)), "importer", False),
        (line(outcome="failed", trip=trip(difference="y", alike=False)), "wrong otherwise", False),
    ],
)
def test_every_round_trip_has_an_end(made, end, finding):
    assert (end_of(made), is_finding(made)) == (end, finding)


def test_the_page_counts_what_was_measured():
    lines = [
        line("node/a", trip=trip()),
        line("node/b", trip=trip(difference="y: off | much")),
        line("node/c", trip=trip(written=False, obstacle="unsupported operation 3: Permute")),
        line("node/d", "failed", trip=trip(difference="y", alike=True), fault=fault("importer", "round trip")),
        line("node/e", "failed", trip=trip(), fault=fault("not decidable")),
        line(
            "node/f", "failed", "run", trip=trip(written=False, obstacle="no"), fault=fault("kernel", "other kernels")
        ),
        line("node/g", "failed", "run", failure="no value", trip=trip(written=False), fault=fault("not decidable")),
        line("node/h", "failed", "convert", fault=fault("importer", "stage")),
    ]
    page = round_trip_page(lines, "a command")
    assert "`a command`" in page
    assert "| node     |       8 |     7 |        4 |" in page
    assert "y: off \\| much" in page
    assert "&lt;right>" in page
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines() if row.startswith("|")]
    assert ["wrong answers", "2", "1", "0", "1", "50%", "0", "1"] in rows
    assert ["both", "3", "1", "1", "1", "67%", "1", "1"] in rows
    assert [is_decided(one) for one in lines[3:6]] == [True, False, True]


def test_a_page_of_nothing_says_so():
    page = round_trip_page([], "c")
    assert page.count("none") == 3
