"""A tolerance of the user's own: wider or narrower than the evidence, and with its reason."""

import numpy as np
import pytest

from burn_verify.core.case import OutputTolerance
from burn_verify.core.result import VerdictName
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.own import tolerance_of, weighed_by
from burn_verify.judge.policy import Judge
from burn_verify.judge.tolerated import Question


def allowed(rtol=0.0, atol=0.0, output="y"):
    return OutputTolerance(output=output, rtol=rtol, atol=atol, reason="weights in 8 bits")


def verdict(came, wanted, *tolerances):
    evidence = Evidence(inputs=(), stored=None, runtime=[np.asarray(wanted)])
    question = Question(case_id="file/m", own=tolerances)
    return Judge().verdict(question, ["y"], [np.asarray(came)], evidence, "seeded")


@pytest.mark.parametrize(
    ("came", "wanted", "tolerance", "agrees"),
    [
        ([1.0, 2.4], [1.0, 2.0], allowed(atol=0.5), True),
        ([1.0, 2.6], [1.0, 2.0], allowed(atol=0.5), False),
        ([1.0, 110.0], [1.0, 100.0], allowed(rtol=0.1), True),
        ([1.0, np.nan], [1.0, 2.0], allowed(atol=9.0), False),
        ([1.0, np.inf], [1.0, np.inf], allowed(atol=9.0), True),
        ([7, 9], [7, 8], allowed(atol=1.0), True),
        ([7, 10], [7, 8], allowed(atol=1.0), False),
        ([True], [False], allowed(atol=1.0), False),
    ],
)
def test_every_element_is_within(came, wanted, tolerance, agrees):
    evidence = Evidence(inputs=(), stored=None, runtime=[np.asarray(wanted)])
    weighed = weighed_by(tolerance, 0, np.asarray(came), evidence)
    assert weighed.name is (VerdictName.AGREES if agrees else VerdictName.DISAGREES)


def test_it_takes_the_place_of_the_bound_and_says_why():
    wide = verdict(np.float32([1.3]), np.float32([1.0]), allowed(atol=0.5))
    assert wide.agrees
    assert wide.metrics[0].bound == "rtol 0 atol 0.5 (weights in 8 bits)"
    narrow = verdict(np.float32([1.0000001]), np.float32([1.0]), allowed())
    assert narrow.name is VerdictName.DISAGREES
    assert "rtol 0 atol 0 (weights in 8 bits)" in narrow.message


def test_other_outputs_are_judged_as_ever():
    assert tolerance_of("y", [allowed(output="z")]) is None
    assert not verdict(np.float32([1.3]), np.float32([1.0]), allowed(atol=0.5, output="z")).agrees
