"""The evidence for one data set: stored answers count before those of ONNX Runtime."""

import numpy as np

from burn_verify.judge.evidence import Evidence, Measured

ONE, TWO = (np.array([value], np.float32) for value in (1, 2))


def test_stored_answers_count_first():
    assert Evidence(inputs=[], stored=[ONE], runtime=[TWO]).desired == [ONE]


def test_onnx_runtime_counts_where_nothing_is_stored():
    assert Evidence(inputs=[], stored=None, runtime=[TWO]).desired == [TWO]


def test_nothing_is_measured_unless_it_is_given():
    evidence = Evidence(inputs=[], stored=[ONE], runtime=None)

    assert evidence.measured == Measured()
    assert (dict(evidence.measured.wide), evidence.measured.lone) == ({}, None)
