"""The table of operators that are put differently."""

import re

from burn_verify.graph.operators import all_operators
from burn_verify.prepare.decompositions import DECOMPOSITIONS


def test_every_name_is_an_operator():
    known = {operator.name for operator in all_operators()}
    assert {name for name in DECOMPOSITIONS if not name.startswith("com.microsoft.")} <= known


def test_every_entry_has_a_reason():
    assert all(one.reason for one in DECOMPOSITIONS.values())


def test_evidence_is_a_pattern_of_ids():
    patterns = [pattern for one in DECOMPOSITIONS.values() for pattern in one.evidence]
    assert patterns
    assert all(re.fullmatch(r"[a-z]+/[\w*]+", pattern) for pattern in patterns)
