"""The committed reports are what the committed record says."""

from pathlib import Path

import pytest

from burn_verify import expected_files, store
from burn_verify.cases.generated.registry import FAMILIES
from burn_verify.expectations import Expectations, expected_reasons
from burn_verify.report.bundle import files
from burn_verify.report.columns import merge
from burn_verify.report.findings import Findings

REPORTS = Path(__file__).parents[2] / "reports"


@pytest.fixture(scope="module")
def made():
    record = store.read(REPORTS / "record.jsonl")
    expected = Expectations(expected_files.load(record.target))
    return files(Findings(matrix=merge([record]), expected=(expected_reasons(record.results, expected),)))


NAMES = [
    "SUPPORTED-OPS.md",
    "compatibility-matrix.md",
    "errors.json",
    "errors.md",
    "index.html",
    "matrix.json",
    "ops.md",
    *(f"ops-{family}.md" for family in FAMILIES),
    "supported-ops.json",
]


def test_every_report_but_that_of_ci_is_committed(made):
    assert sorted(made) == sorted([*NAMES, "junit.xml"])


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_not_stale(made, name):
    assert (REPORTS / name).read_text(encoding="utf-8") == made[name], (
        "run: make pages, or, for a new record, make report"
    )
