"""The committed reports are what the committed record says."""

from pathlib import Path

import pytest

from burn_verify.cases.generated.registry import FAMILIES
from burn_verify.expectations import packaged
from burn_verify.expectations.match import Expectations, expected_reasons
from burn_verify.record import store
from burn_verify.report.files import files
from burn_verify.report.summary.columns import merge
from burn_verify.report.summary.findings import Findings
from burn_verify.report.summary.lifted import from_text

REPORTS = Path(__file__).parents[3] / "reports"


@pytest.fixture(scope="module")
def made():
    record = store.read(REPORTS / "record.jsonl")
    expected = Expectations(packaged.load(record.target))
    reasons = (expected_reasons(record.results, expected),)
    lifted = from_text((REPORTS / "prepare.json").read_text(encoding="utf-8"))
    return files(Findings(matrix=merge([record]), expected=reasons, lifted=lifted))


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
