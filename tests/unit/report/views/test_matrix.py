"""The matrix as JSON, Markdown, JUnit XML and the summary of a step of CI."""

import json

from burn_verify.report import files
from burn_verify.report.summary.changes import compare
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.views import matrix
from reported import a_record, agrees, of_operator, output, refused, wrong

NEW = a_record(agrees("zoo/1", metrics=(output(0.5, max_abs=float("inf")),)), wrong("zoo/2"), of_operator("test_a"))
OLD = a_record(agrees("zoo/1"), refused("zoo/3"), version="0.21.0")


def findings(*records, expected=None, comparisons=()):
    merged = merge(records)
    return Findings(matrix=merged, expected=(expected or {},) * len(merged.columns), comparisons=comparisons)


def test_json_says_missing_and_never_more_than_json_knows():
    made = json.loads(matrix.json_lines(findings(NEW, OLD)))
    assert made == matrix.as_json(findings(NEW, OLD))

    assert [cell["state"] for cell in made["cases"]["zoo/2"]] == ["wrong", "missing"]
    assert [cell["state"] for cell in made["cases"]["zoo/3"]] == ["missing", "refused"]
    assert made["cases"]["zoo/1"][0]["metrics"][0]["max_abs"] == "inf"
    assert [target["burn_version"] for target in made["targets"]] == ["0.22.1", "0.21.0"]


def test_several_targets_stand_side_by_side_in_markdown():
    made = files.files(findings(NEW, OLD))
    text = made["compatibility-matrix.md"]

    assert "| zoo/2 | ✗ wrong numbers | ∅ missing |" in text
    assert "| zoo/3 | ∅ missing | ⊖ refused |" in text
    assert "test\\_a" not in text
    assert {"SUPPORTED-OPS.md", "index.html", "junit.xml"} <= made.keys()
    assert "burn-0.21.0-flex/compatibility-matrix.md" in made


def test_every_page_says_that_something_is_missing():
    made = files.files(findings(a_record(*NEW.results, selection=("zoo/9",))))
    said = [name for name, text in made.items() if "ended early: 1 case has no result" in text]

    assert sorted(said) == ["SUPPORTED-OPS.md", "compatibility-matrix.md", "errors.md", "index.html", "matrix.json"]


def test_the_step_summary_holds_numbers_gaps_and_changes():
    comparisons = compare(merge([a_record(agrees("zoo/2"))]), merge([NEW]))
    text = matrix.step_summary(findings(NEW, comparisons=comparisons))

    assert "| Burn 0.22.1 on flex | 2 of 3 (67%) | 2 of 3 (67%) | 1 | 0 | 0 | 0 | 0 |" in text
    assert "| zoo/2 | agrees | wrong numbers: Y: 4/6 elements differ |" in text


def test_the_summary_of_a_step_names_what_fails_and_was_not_expected():
    record = a_record(
        agrees("zoo/1"), wrong("zoo/2"), refused("zoo/3"), refused("zoo/4"), *(refused(f"op/{n}") for n in range(60))
    )
    text = matrix.step_summary(findings(record, expected={"zoo/4": "known"}))
    lines = text.splitlines()
    first = lines.index("## 62 failures not expected")
    assert lines[first + 2] == "- ✗ wrong numbers: zoo/2: Y: 4/6 elements differ"
    assert "- ⊖ refused: op/0: unsupported operator: Foo" in lines
    assert "zoo/4" not in text
    assert "- … and 12 more" in lines
    assert "not expected" not in matrix.step_summary(findings(a_record(agrees("zoo/1"))))
