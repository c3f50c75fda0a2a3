"""A fixed tolerance, and chance over what was drawn."""

import numpy as np
import pytest

from burn_verify.core.case import Tolerance
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.tolerated import Question, by_tolerance, rules_of

Y = np.array([1.0, 2.0], np.float32)


@pytest.mark.parametrize(
    ("tolerance", "name"),
    [(None, "disagrees"), (Tolerance(rtol=0.0, atol=0.5), "agrees"), (Tolerance(rtol=0.0, atol=0.001), "disagrees")],
)
def test_the_tolerance_of_the_corpus_counts_where_it_has_one(tolerance, name):
    question = Question(case_id="node/a", tolerance=tolerance)
    evidence = Evidence(inputs=(), stored=[Y], runtime=None)
    assert by_tolerance(question, ["Y"], [Y + np.float32(0.1)], evidence, "seeded").name == name
    assert bool(rules_of(question)) == (tolerance is not None)


def test_of_what_is_drawn_only_the_structure_counts():
    question, evidence = Question(case_id="node/a", random=True), Evidence(inputs=(), stored=[Y], runtime=None)
    assert by_tolerance(question, ["Y"], [Y + 5], evidence, "seeded").name == "nondeterministic"
    assert by_tolerance(question, ["Y"], [Y[:1]], evidence, "seeded").name == "disagrees"
