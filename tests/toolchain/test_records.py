"""Burn 0.19.1 answers the same from every type of record, however it is loaded; half weights are judged as such.

Skipped where that version is not compiled: `tox run -e targets` compiles it.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.workspace import recipes_built
from burn_verify.core import versions
from burn_verify.core.options import Settings
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.core.targets import refusal
from burn_verify.core.ways import LOADS, WEIGHTS
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.wire import Array
from toolchain.helpers import OwnCache, case

OLD = versions.resolve("0.19.1")
PLAIN = Target(burn=OLD.burn, burn_onnx=OLD.burn_onnx, backend=OLD.backends[0], record=OLD.records[0])
EVERY = [
    replace(PLAIN, record=record, load=load, weights=weights)
    for weights in WEIGHTS
    for load in LOADS
    for record in OLD.records
]
TARGETS = [target for target in EVERY if refusal(target) is None]
Answers = Mapping[Target, tuple[CaseResult, list[Array]]]


def linear(path: Path, opset: int) -> Path:
    """Write a Gemm and a Concat: a module with weights, and code that names `alloc`."""
    drawn = np.random.default_rng(1)
    weights = [numpy_helper.from_array(drawn.standard_normal(shape).astype("f4"), name) for name, shape in SHAPES]
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1),
        helper.make_node("Concat", ["x", "y"], ["z"], axis=1),
    ]
    x, z = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, size]) for name, size in (("x", 4), ("z", 7)))
    graph = helper.make_graph(nodes, "linear", [x], [z], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


SHAPES = (("w", (3, 4)), ("b", (3,)))


@pytest.fixture(scope="module")
def answers(cache: OwnCache, own: Path) -> Answers:
    if not recipes_built(cache, OLD):
        pytest.skip(f"Burn {OLD.burn} is not compiled here: tox run -e targets")
    asked = case("linear", linear(own / "linear.onnx", 16))
    pipeline = Pipeline(Settings(), cache)
    try:
        plans = pipeline.prepare_all({target: [asked] for target in TARGETS})
        made = {target: pipeline.verify(plans[target].cases[asked.id]) for target in TARGETS}
    finally:
        pipeline.close()
    return {target: (one.result, one.outputs.get("seeded", [])) for target, one in made.items()}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.slug)
def test_every_record_answers_as_the_first_of_its_weights(target: Target, answers: Answers) -> None:
    (result, outputs), (_, first) = answers[target], answers[replace(PLAIN, weights=target.weights)]

    assert (result.outcome, result.reason) == (Outcome.PASSED, "")
    assert outputs
    assert [one.tobytes() for one in outputs] == [one.tobytes() for one in first]


def test_half_weights_are_other_numbers_in_smaller_files(answers: Answers) -> None:
    (full, outputs), (half, halves) = answers[PLAIN], answers[replace(PLAIN, weights="half")]

    assert "weights" not in full.details
    assert half.details["weights"]["bytes"] > 0
    assert 0 < np.abs(outputs[0] - halves[0]).max() < 0.01


def test_an_older_opset_is_refused(cache: OwnCache, own: Path, answers: Answers) -> None:
    asked = case("older", linear(own / "older.onnx", 15))
    pipeline = Pipeline(Settings(), cache)
    try:
        result = pipeline.verify(pipeline.prepare([asked], PLAIN).cases[asked.id]).result
    finally:
        pipeline.close()
    assert "requires opset 16 or higher" in result.reason + (result.message or "")
