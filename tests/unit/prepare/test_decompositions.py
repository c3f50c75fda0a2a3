"""The table of operators that are put differently."""

import re

from onnx.defs import get_all_schemas

from burn_verify.graph.operators import all_operators, qualified
from burn_verify.prepare.decompositions import DECOMPOSITIONS


def test_every_name_is_an_operator():
    known = {operator.name for operator in all_operators()}
    # Of training, and operators that were removed from ONNX and that old models of the zoo still have.
    known |= {qualified(schema.name, schema.domain) for schema in get_all_schemas() if "training" in schema.domain}
    known |= {"Affine", "Crop", "ImageScaler"}
    assert {name for name in DECOMPOSITIONS if not name.startswith("com.microsoft.")} <= known


def test_every_entry_has_a_reason():
    assert all(one.reason for one in DECOMPOSITIONS.values())


def test_evidence_is_a_pattern_of_ids():
    patterns = [pattern for one in DECOMPOSITIONS.values() for pattern in one.evidence]
    assert patterns
    assert all(re.fullmatch(r"[a-z]+/[\w*]+", pattern) for pattern in patterns)
