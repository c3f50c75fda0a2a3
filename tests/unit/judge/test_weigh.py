"""One output against its evidence: verdict and guilty side."""

import numpy as np
import pytest

from burn_verify.core.result import Guilty, VerdictName
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.weigh import weigh

X = np.array([1, 2, 3], np.float32)


def evidence(stored=None, runtime=None, wide=None):
    measured = Measured(wide={} if wide is None else {0: wide.astype(np.float64)}, evaluator="test")
    return Evidence(
        inputs=[X],
        stored=None if stored is None else [stored],
        runtime=None if runtime is None else [runtime],
        measured=measured,
    )


@pytest.mark.parametrize(
    ("actual", "known", "name", "guilty"),
    [
        (X, evidence(runtime=X), VerdictName.AGREES, Guilty.NONE),
        (X + 1, evidence(runtime=X, wide=X), VerdictName.DISAGREES, Guilty.BURN),
        (X, evidence(runtime=X + 1, wide=X), VerdictName.ORACLE_DISAGREES, Guilty.ONNXRUNTIME),
        (X + 1, evidence(stored=X), VerdictName.DISAGREES, Guilty.BURN),
    ],
)
def test_float64_or_a_stored_answer_decides_who_is_wrong(actual, known, name, guilty):
    weighed = weigh(0, actual, known)

    assert weighed.name is name
    assert weighed.guilty is guilty or name is VerdictName.ORACLE_DISAGREES


def test_the_elements_that_are_outside_are_marked():
    actual = X.copy()
    actual[1] += 1

    assert weigh(0, actual, evidence(runtime=X, wide=X)).bad.tolist() == [False, True, False]


def test_what_is_allowed_can_be_widened():
    known = evidence(runtime=X, wide=X)
    outside = X * np.float32(1.005)

    def widen(bound):
        return type(bound)(limit=bound.limit * 1000, text=bound.text, override="test")

    assert weigh(0, outside, known).name is not VerdictName.AGREES
    assert weigh(0, outside, known, widen=widen).name is VerdictName.AGREES
