"""The file of evidence."""

import gzip

import numpy as np
import pytest

from burn_verify.core.target import Target
from burn_verify.core.versions import DEFAULT
from burn_verify.forecast.cells import Cell
from burn_verify.forecast.endings import Ending
from burn_verify.forecast.evidence import decoded, encoded, file_name, packaged
from evidences import usual


def test_evidence_survives_its_file():
    before = usual()

    after = decoded(encoded(before))

    assert after.entries == before.entries
    assert (after.burn, after.backend, after.made, after.declared) == ("0.22.1", "flex", before.made, before.declared)
    for feature, weights in after.weights.items():
        np.testing.assert_allclose(weights, before.weights[feature], atol=0.0051)


def test_equal_evidence_is_an_equal_file():
    assert encoded(usual()) == encoded(usual())


@pytest.mark.parametrize(
    "content", [b"", b"{}", *(gzip.compress(text, mtime=0) for text in (b"{}", b"[]", b'{"schema": 99}'))]
)
def test_what_is_no_such_file_is_an_error(content):
    with pytest.raises(ValueError, match=r"evidence|Expecting"):
        decoded(content)


def test_a_cell_that_always_ended_one_way_has_an_ending():
    found = usual()
    agreeing = next(entry.cell for entry in found.entries["Relu"] if entry.ending is Ending.AGREES)

    assert found.only_ending_of(agreeing) is Ending.AGREES
    assert found.only_ending_of(Cell("Relu", ())) is None


def test_the_default_target_has_evidence_and_a_backend_nobody_ran_has_none():
    found = packaged(Target())

    assert found is not None
    assert (found.burn, found.burn_onnx, found.backend) == (DEFAULT.burn, DEFAULT.burn_onnx, "flex")
    assert found.made["cases"] > 4000
    assert found.made["started"]
    assert packaged(Target(backend="cuda")) is None
    assert file_name("0.22.1", "flex") == "0.22.1-flex.json.gz"
