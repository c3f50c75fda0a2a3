"""JUnit XML: expected failures, news, and characters that XML does not have."""

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.report import files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.views import junit
from reported import a_record, agrees, no_reference, refused, skipped, wrong


def findings(*records, expected=None, comparisons=()):
    merged = merge(records)
    return Findings(matrix=merged, expected=(expected or {},) * len(merged.columns), comparisons=comparisons)


def test_junit_tells_the_expected_from_the_news():
    record = a_record(
        agrees("zoo/1"),
        refused("zoo/2"),
        wrong("zoo/3"),
        agrees("zoo/4"),
        no_reference("zoo/5"),
        skipped("zoo/6"),
        selection=("zoo/7",),
    )
    root = ElementTree.fromstring(junit.render(findings(record, expected={"zoo/2": "known", "zoo/4": "known"})))
    ends = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}

    assert ends == {
        "1": [],
        "2": ["skipped"],
        "3": ["failure"],
        "4": ["failure"],
        "5": ["error"],
        "6": ["skipped"],
        "7": ["error"],
    }
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "2",
        "skipped": "2",
    }


@given(st.text())
@settings(deadline=None, max_examples=12)
def test_whatever_was_said_can_be_written(said):
    hostile = f"{said}\x00\x1b]]>\ud800"
    made = files.files(findings(a_record(agrees("zoo/1"), wrong("zoo/2", reason=hostile, note=hostile))))

    for text in made.values():
        text.encode("utf-8")
    ElementTree.fromstring(made["junit.xml"])


def test_junit_has_the_share_of_what_was_compiled_at_once():
    record = a_record(agrees("zoo/1", durations={"convert": 0.5, "run": 0.25, "forward": 0.25}), refused("zoo/2"))
    root = ElementTree.fromstring(junit.render(findings(record)))
    assert [float(case.get("time")) for case in root.iter("testcase")] == [1.75, 1.0]
    assert float(root.get("time")) == 2.75
