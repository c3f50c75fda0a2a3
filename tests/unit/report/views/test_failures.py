"""The failures of a record, counted by what was said and by operator."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import Record
from burn_verify.report.summary.messages import message_and_rust
from burn_verify.report.views import failures
from reported import a_failure

RUSTC = """\
error[E0308]: mismatched types
  --> /cache/converted/0/model.rs:67:30
   |
67 |             assert!(delta != 0.0);
   |                     -----    ^^^ expected `f16`, found floating-point number

error[E0605]: non-primitive cast: `half::f16` as `f64`
  --> /cache/converted/0/model.rs:68:22
   |
65 |     ) -> Tensor<1> {
68 |             let n = delta as f64;
   |                     ^^^^^^^^^^^^
"""


def a_report(*results, expected=None):
    return failures.render(Record(results=results, target=Target()), expected)


def sections(*results, expected=None):
    found = failures.as_json(Record(results=results), expected)["sections"]
    return {(section["stage"], section["kind"]): section for section in found}


def test_kinds_of_refusal_are_kept_apart():
    kinds = ["unsupported operator", "unsupported attribute", "internal panic", "died", "nobody knows", None]
    cases = [
        a_failure(f"node/{place}", Stage.CONVERT, reason="same words", details={"kind": kind})
        for place, kind in enumerate(kinds)
    ]
    found = sections(*cases)

    assert [found["convert", kind]["cases"] for kind in kinds[:4]] == [1, 1, 1, 1]
    assert found["convert", "other refusals"]["cases"] == 2
    assert "### internal panic (1 case)" in a_report(*cases)


def test_equal_words_are_one_line():
    cases = [
        a_failure("node/long", reason="panic: x"),
        a_failure("node/b", reason="panic: x"),
        a_failure("node/c", op_type="Gemm", reason="panic: x", op_types=("Gemm", "Add")),
        a_failure("node/d", reason="panic: y"),
    ]
    lines = sections(*cases)["run", ""]["lines"]

    assert [(line["key"], line["count"], line["example"]["case_id"]) for line in lines] == [
        ("panic: x", 3, "node/b"),
        ("panic: y", 1, "node/d"),
    ]
    assert {name: (item["count"], item["example"]["case_id"]) for name, item in lines[0]["operators"].items()} == {
        "Conv": (2, "node/b"),
        "Gemm": (1, "node/c"),
    }
    assert "| 3 | panic: x | Conv 2, Gemm 1 | node/b |" in a_report(*cases)
    assert "<details>" in a_report(*cases)


def test_codes_of_rustc_have_their_own_error_and_generated_line():
    case = a_failure(
        stage=Stage.COMPILE,
        message=RUSTC,
        reason="E0308: mismatched types (+1 more)",
        details={"codes": ["E0308", "E0605"], "rust": "assert!(delta != 0.0);", "line": 67},
    )
    report = a_report(case)

    needed = "the generated code has a value of another type than is needed: E0308"
    cast = "the generated code casts between types that cannot be cast: E0605"
    assert f"| 1 | {needed} | Conv | node/a | mismatched types | assert!(delta != 0.0); |" in report
    said = r"non-primitive cast: \`half::f16\` as \`f64\` | let n = delta as f64;"
    assert f"| 1 | {cast} | Conv | node/a | {said} |" in report
    assert "1 case. A case counts once for each code" in report
    assert sections(case)["compile", ""]["cases"] == 1


def test_an_error_without_code_or_rendering_is_told_by_its_reason():
    bare = a_failure(stage=Stage.COMPILE, reason="E0432: unresolved import", details={"codes": ["E0432"]})
    assert message_and_rust(bare, "E0432") == ("E0432: unresolved import", "")
    assert [line["key"] for line in sections(a_failure(stage=Stage.COMPILE))["compile", ""]["lines"]] == ["no code"]


def test_expected_failures_are_counted():
    cases = [a_failure("node/a", reason="panic: x"), a_failure("node/b", reason="panic: x")]
    assert "| 2 (1 expected) | panic: x |" in a_report(*cases, expected={"node/a": "known"})
    assert sections(*cases, expected={"node/a": "known"})["run", ""]["lines"][0]["expected"] == 1


def test_every_case_is_accounted_for():
    report = a_report(
        a_failure(),
        a_failure(stage=Stage.LOAD),
        CaseResult(case_id="x", corpus="node", stage=Stage.LOAD, outcome=Outcome.SKIPPED),
        CaseResult(case_id="y", corpus="node", stage=Stage.COMPARE, outcome=Outcome.PASSED, verdict="agrees"),
    )
    assert (
        "Of 4 cases, Burn fails 0 at CONVERT, 0 at COMPILE, 1 at RUN and 0 at COMPARE (of the others, 1 passed, "
        "1 could not be loaded or had no reference, 1 skipped)." in report
    )


@given(st.text(), st.text(), st.text(), st.text(max_size=8), st.sampled_from([Stage.RUN, Stage.COMPILE, Stage.CONVERT]))
@settings(deadline=None)
def test_hostile_text_stays_in_its_cell(case_id, message, reason, text, stage):
    details = {"rust": text, "codes": [text], "kind": text, "node": text, "inputs": {text: [text]}}
    cases = [
        a_failure(case_id, stage, message=message, reason=reason, details=details),
        a_failure(case_id, stage, op_type=None, message=message, reason=reason, details=details),
    ]
    rows = [line for line in a_report(*cases).splitlines() if line.startswith("|")]
    cells = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows]

    assert not re.search(r"<(?!/?details|/?summary)", a_report(*cases))
    # Both tables: the heading, the rule and their lines, each as wide as its heading.
    heads = [place for place, row in enumerate(rows) if row.startswith("| ---")]
    for head, end in zip(heads, [*(place - 1 for place in heads[1:]), len(rows)], strict=True):
        assert len(set(cells[head - 1 : end])) == 1


@given(st.lists(st.tuples(st.sampled_from(Stage), st.sampled_from(Outcome), st.sampled_from("abc")), max_size=20))
@settings(deadline=None)
def test_counts_add_up_to_the_record(drawn):
    cases = [
        CaseResult(
            case_id=f"node/{place}", corpus="node", stage=stage, outcome=outcome, reason=reason, op_types=(reason,)
        )
        for place, (stage, outcome, reason) in enumerate(drawn)
    ]
    found = failures.as_json(Record(results=tuple(cases)))
    failed = [case for case in cases if case.outcome is Outcome.FAILED]

    for section in found["sections"]:
        assert section["cases"] == sum(line["count"] for line in section["lines"])
        for line in section["lines"]:
            assert line["count"] == sum(item["count"] for item in line["operators"].values())
    assert sum(section["cases"] for section in found["sections"]) == len(failed)
    assert json.loads(json.dumps(found)) == found
