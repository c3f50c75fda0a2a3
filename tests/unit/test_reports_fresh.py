"""The committed reports are what the committed record says."""

from pathlib import Path

import pytest

from burn_verify import store
from burn_verify.expectations import Expectations, expected_reasons, load_packaged
from burn_verify.report.artefacts import artefacts

REPORTS = Path(__file__).parents[2] / "reports"


@pytest.fixture(scope="module")
def made():
    record = store.read(REPORTS / "record.jsonl")
    expected = Expectations(load_packaged(record.burn_version, record.burn_backend))
    return artefacts(record, expected_reasons(record.results, expected))


@pytest.mark.parametrize(
    "name", ["SUPPORTED-OPS.md", "compatibility-matrix.md", "errors.json", "errors.md", "supported-ops.json"]
)
def test_a_report_is_not_stale(made, name):
    assert (REPORTS / name).read_text(encoding="utf-8") == made[name], "run: make report"
