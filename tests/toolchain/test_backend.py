"""ONNX's own test runner over `burn_verify.onnx_backend` says what the plugin says."""

import json
import unittest
from pathlib import Path

import pytest
from onnx.backend.test import BackendTest
from onnx.backend.test.loader import load_model_tests

from burn_verify.onnx_backend import Backend, node_models

RECORD = Path(__file__).parents[2] / "reports" / "record.jsonl"
# One that agrees, one that is wrong, one refused, one that panics or has no value, one that does not compile.
PATTERNS = ("relu", "spacetodepth", "bitcast_2d", "gridsample_bicubic", "abs")


@pytest.fixture(scope="module")
def recorded():
    lines = map(json.loads, RECORD.read_text(encoding="utf-8").splitlines())
    return {line["case_id"]: line for line in lines if line.get("corpus") == "node"}


# Collecting ONNX's cases makes NumPy warn.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_outcomes_are_those_of_the_plugin(recorded):
    known = {case.name for case in load_model_tests(kind="node")}
    names = {name for name in known if any(name.startswith(f"test_{pattern}") for pattern in PATTERNS)}
    Backend.ahead(node_models(sorted(names)))
    suite = BackendTest(Backend, __name__)
    made = suite.test_cases["OnnxBackendNodeModelTest"]
    outcomes = {}
    for name in sorted(names):
        result = unittest.TestResult()
        made(f"{name}_cpu").run(result)
        outcomes[f"node/{name}"] = "passed" if result.wasSuccessful() else "failed"

    assert set(outcomes.values()) == {"passed", "failed"}
    assert outcomes == {case_id: recorded[case_id]["outcome"] for case_id in outcomes}


def test_only_the_processor_is_a_device():
    assert Backend.supports_device("CPU")
    assert not Backend.supports_device("CUDA")
