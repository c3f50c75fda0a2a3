"""What a record says of every operator."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.core.case import Subject
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.operators import all_operators
from burn_verify.record.codec import Record
from burn_verify.report.views import supported_ops
from drawn_results import results
from operated import AGREES, WRONG, a_case, a_line, a_record, a_row

FAILED = Outcome.FAILED
NAMES = [operator.name for operator in all_operators()]


def test_the_operator_is_not_named_again_in_its_own_row():
    said = [
        ("Conv: a", {}),
        ("Conv2d: CONV: b", {}),
        ("unsupported operators: Conv", {"unsupported": ["Conv"]}),
        ("unsupported operators: Conv, Relu", {"unsupported": ["Conv", "Relu"]}),
    ]
    cases = [
        a_case(f"node/{place}", stage=Stage.CONVERT, outcome=FAILED, reason=reason, details=details)
        for place, (reason, details) in enumerate(said)
    ]
    assert {problem.reason for problem in a_row(*cases).problems} == {
        "a",
        "b",
        "unsupported operator",
        "unsupported operators: Conv, Relu",
    }


def test_random_operators_are_called_so():
    assert "| random |" in a_line(a_case(op_type="RandomNormal", verdict="nondeterministic"), name="RandomNormal")
    assert "1 case random" in a_line(a_case(op_type="Dropout", verdict="nondeterministic"), name="Dropout")


def test_deprecated_operators_are_marked():
    assert "| Upsample (deprecated) | untested |" in supported_ops.render(a_record())


def test_declared_but_refuted():
    record = a_record(
        WRONG,
        a_case("node/swish", "Swish", outcome=FAILED, version=24, opset=25),
        a_case("node/add", "Add", version=14),
        a_case("node/unique", "Unique", Stage.CONVERT, FAILED, version=11),
        a_case("node/scaler", "Scaler", Stage.COMPILE, FAILED, domain="ai.onnx.ml", version=1, opset=0),
    )
    section = supported_ops.render(record).partition("## Declared but refuted")[2].partition("\n## ")[0]

    assert "these 3" in section
    assert "| Conv | refuted | 1.. | 22 | wrong values (1); e.g. node/w |" in section
    assert "| Swish | refuted | 24.. | 25 (beyond its README) |" in section
    assert "| ai.onnx.ml.Scaler | does not compile | 1.. | 1 |" in section
    assert supported_ops.as_json(record)["declared_but_refuted"] == ["Conv", "Swish", "ai.onnx.ml.Scaler"]


def test_failures_outside_of_what_is_declared_refute_no_declaration():
    # DeformConv is declared from opset 19.
    assert a_row(a_case("node/x", "DeformConv", outcome=FAILED, opset=18), name="DeformConv").refuted_at == ()


def test_works_but_not_declared():
    record = a_record(
        a_case("node/unique", "Unique", version=11),
        a_case("node/conv", "DeformConv", opset=18),
        a_case("node/add", "Add"),
    )
    section = supported_ops.render(record).partition("## Works but not declared")[2]

    assert "| Unique | verified | no | 11 |" in section
    assert "| DeformConv | verified | 19.. | 18 |" in section
    assert supported_ops.as_json(record)["works_but_not_declared"] == ["DeformConv", "Unique"]


def test_an_unknown_version_of_burn_onnx_declares_nothing_either_way():
    record = a_record(WRONG, environment={"burn_onnx": "0.1.0"})
    report = supported_ops.render(record)
    assert report.count("It is not known what this version of burn-onnx declares.") == 2
    assert supported_ops.as_json(record)["operators"]["Conv"]["declared"] is None
    assert "| Conv | refuted |  | 0 of 3 | 0 of 4 | 0 / 1 / 1 |  | wrong values (1); e.g. node/w | ? |" in report


def test_an_empty_record_leaves_everything_untested():
    report = supported_ops.render(Record())
    assert f"Of {len(NAMES)} operators, 0 are verified" in report
    assert f"{len(NAMES)} are untested; 0 of " in report


def test_operators_that_are_not_listed_are_counted_apart():
    record = a_record(AGREES, a_case(op_type="Adam", domain="ai.onnx.preview.training"))
    assert "1 about an operator that is not listed (ai.onnx.preview.training.Adam 1)" in supported_ops.render(record)


def test_expected_failures_are_counted():
    assert a_row(WRONG, AGREES, expected={"node/w": "known", "node/a": "an unexpected pass"}).expected == 1
    assert "own cases, 1 is expected." in supported_ops.render(a_record(WRONG), {"node/w": "x"})


@pytest.mark.parametrize("text", ["a | b", "`x`", "one\ntwo", "<b>", "[a](b)", "\x1b[31m"])
def test_hostile_text_stays_in_its_cell(text):
    line = a_line(a_case(f"node/{text}", outcome=FAILED, reason=f"{text} happened"))
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == len(supported_ops.COLUMNS) + 1
    assert not re.search(r"[<>\x1b]|(?<!\\)[`\[]", line)


def test_folders_of_a_machine_are_not_shown():
    case = a_case(stage=Stage.CONVERT, outcome=FAILED, reason="cannot read '/home/some body/m.onnx' or /srv/x/y.rs:3")
    report = json.dumps(supported_ops.as_json(a_record(case)))
    assert "cannot read 'm.onnx' or y.rs:3" in report


@given(st.lists(results(), max_size=12))
@settings(deadline=None, max_examples=40)
def test_counts_add_up_to_the_record(cases):
    summed = supported_ops.as_json(a_record(*cases))
    counts = summed["cases"]

    assert list(summed["operators"]) == NAMES
    assert counts["of_one_operator"] == sum(row["cases"]["all"] for row in summed["operators"].values())
    unlisted = sum(counts["of_unlisted_operators"].values())
    assert counts["of_one_operator"] + counts["of_several_operators"] + unlisted == counts["all"] == len(cases)
    assert sum(summed["statuses"].values()) == len(NAMES)
    assert json.loads(json.dumps(summed)) == summed


@given(st.lists(results(), max_size=6))
@settings(deadline=None, max_examples=20)
def test_every_operator_has_one_line(cases):
    tables = supported_ops.render(a_record(*cases)).partition("## ai.onnx\n")[2].partition("## Declared")[0]
    lines = [line.split(" | ")[0].removeprefix("| ") for line in tables.splitlines() if line.startswith("| ")]
    shown = [line.removesuffix(" (deprecated)") for line in lines if line not in ("operator", "---")]
    assert shown == [operator.op_type for operator in all_operators()]


def test_ordinary_use_stands_beside_the_status_of_all():
    axes = (("shape", "2x3~2x3"), ("A", "run"), ("B", "run"))
    usual = Subject(op_type="Add", domain="", since_version=14, dtype="float32", axes=axes)
    corner = Subject(op_type="Add", domain="", since_version=14, dtype="bfloat16", axes=axes)
    cases = (
        a_case("op/1", "Add", subject=usual),
        a_case("op/2", "Add", subject=corner, stage=Stage.CONVERT, outcome=FAILED, reason="no"),
    )
    assert a_line(*cases, name="Add").startswith("| Add | partly | verified 1 / 1 |")
    said = supported_ops.as_json(a_record(*cases))
    assert said["tiers"] == {"ordinary": {"verified": 1, "operators": 1}, "full": {"verified": 0, "operators": 1}}
    assert said["operators"]["Add"]["tiers"] == {
        "ordinary": {"status": "verified", "agree": 1, "all": 1},
        "full": {"status": "partly", "agree": 1, "all": 2},
    }
    assert said["summary"].endswith("Verified for ordinary use: 1 of 1 operators; 0 of 1 operator entirely.")
