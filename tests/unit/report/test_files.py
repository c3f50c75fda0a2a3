"""The files of a report: which there are, by what the records hold."""

import json

from burn_verify.report.files import artefacts, files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from reported import a_record, agrees, of_operator


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
