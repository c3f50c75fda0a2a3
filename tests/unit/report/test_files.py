"""The files of a report: which there are, by what the records hold."""

import json
from dataclasses import replace

from burn_verify.core.prepared import Status
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.files import artefacts, files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.summary.lifted import Lifted, LiftedCase
from reported import a_record, agrees, of_operator, refused

REFUSED = {"stage": Stage.CONVERT, "outcome": Outcome.FAILED, "verdict": None, "reason": "no Conv"}


def findings(*records):
    matrix = merge(records)
    return Findings(matrix=matrix, expected=tuple({} for _ in matrix.columns), comparisons=(), past=(), between=())


def test_models_have_a_matrix_and_operators_have_tables():
    models = artefacts(a_record(agrees("zoo/a")), {})
    cases = artefacts(a_record(of_operator("test_conv")), {})

    assert models.keys() == {"compatibility-matrix.md", "errors.md", "errors.json"}
    assert {"SUPPORTED-OPS.md", "errors.md"} <= cases.keys()
    assert "compatibility-matrix.md" not in cases


def test_every_report_has_page_matrix_and_junit():
    made = files(findings(a_record(agrees("zoo/a"))))

    assert {"index.html", "matrix.json", "junit.xml"} <= made.keys()
    assert "zoo/a" in json.loads(made["matrix.json"])["cases"]


def test_further_targets_have_folders_of_their_own():
    made = files(findings(a_record(of_operator("test_conv")), a_record(of_operator("test_conv"), backend="wgpu")))

    assert "SUPPORTED-OPS.md" in made
    assert "burn-0.22.1-wgpu/SUPPORTED-OPS.md" in made
    assert "compatibility-matrix.md" in made


def test_what_is_missing_stands_below_the_title():
    record = a_record(agrees("zoo/a"), selection=("zoo/a", "zoo/b"))

    text = files(findings(record))["compatibility-matrix.md"]

    assert "∅" in text


def tried(name, status, *rewritings):
    about = {"corpus": "node", "operator": "Conv", "stage": "convert", "reason": "no", "expressible": True}
    return LiftedCase(case_id=name, status=status, rewritings=rewritings, proofs={}, **about)


def test_what_prepare_makes_of_failures_stands_beside_them():
    models, cases = ("zoo/a", "zoo/b"), ("c", "d")
    record = a_record(*map(refused, models), *(replace(of_operator(name), **REFUSED) for name in cases))
    lifted = Lifted(
        versions={"burn": record.target.burn, "burn_onnx": record.target.burn_onnx},
        seconds=1.0,
        cases=(
            tried("zoo/a", Status.LIFTED, "names"),
            tried("zoo/b", Status.STAYS),
            tried("node/c", Status.LIFTED, "Conv differently"),
        ),
    )
    made = files(replace(findings(record), lifted=lifted))

    assert "agrees after prepare: 1 rewriting" in made["compatibility-matrix.md"]
    assert "does not agree after prepare" in made["compatibility-matrix.md"]
    assert "| after prepare |" in made["SUPPORTED-OPS.md"]
    told = "1 of 1 agree; 1 not tried: Conv differently"
    assert told in made["SUPPORTED-OPS.md"]
    assert told in made["errors.md"]
    row = json.loads(made["supported-ops.json"])["operators"]["Conv"]["after_prepare"]
    assert (row["failing"], row["tried"], row["agree"]) == (2, 1, 1)
    assert json.loads(made["matrix.json"])["cases"]["zoo/a"][0]["after_prepare"]["rewritings"] == ["names"]


def test_without_such_a_file_nothing_is_said_of_it():
    made = files(findings(a_record(refused("zoo/a"), replace(of_operator("c"), **REFUSED))))
    assert not [name for name, text in made.items() if "after prepare" in text.lower() and name.endswith(".md")]
