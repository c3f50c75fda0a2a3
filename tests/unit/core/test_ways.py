"""The defaults of how a program gets its weights are burn-onnx's own."""

from burn_verify.core.target import Target
from burn_verify.core.ways import BIN, BURNPACK, LOADS, MPK, RECORDS, WEIGHTS


def test_the_defaults_come_first_and_are_those_of_a_target():
    assert (LOADS[0], WEIGHTS[0], RECORDS[0]) == (Target().load, Target().weights, Target().record)
    assert {BURNPACK, MPK, BIN} < set(RECORDS)
