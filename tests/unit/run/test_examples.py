"""Drawn values of a generated graph: agreement, failures with a program, and graphs without a declaration."""

import numpy as np
import onnx
import pytest
from onnx import shape_inference

from burn_verify.cases.generated.build import Space, model_of
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.core.case import Case, Collected, Subject, TensorSpec
from burn_verify.core.errors import RunError
from burn_verify.core.result import Verdict, VerdictName
from burn_verify.core.stage import PreparedCase
from burn_verify.run.examples import ExampleSearch, choice_of
from fakes import FakeEngine, Faults, evaluated

SPACE = Space(operator_specs()["Relu"], 14)
CHOICE = SPACE.choice(SPACE.default)
RELU = Subject(op_type="Relu", domain="", since_version=14, dtype="float32", axes=CHOICE.labels)


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "relu.onnx"
    onnx.save(shape_inference.infer_shapes(model_of(CHOICE)), path)
    source = Collected(
        model=path, digest="00", op_types=("Relu",), opset=14, inputs=(), outputs=(), data=None, data_sets=()
    )
    return PreparedCase(
        case=Case(id="op/Relu-14/float32/default", corpus="op", source=source),
        model=path,
        digest="00",
        op_types=("Relu",),
        opset=14,
        inputs=(),
        outputs=(TensorSpec(name="Y", dtype="float32", shape=()),),
        subject=RELU,
    )


def search(cache, prepared, infer, name=VerdictName.AGREES):
    drawing = ExampleSearch(cache, FakeEngine(cache, 10.0, faults=Faults()), examples=5, seed=0, judge_timeout=1.0)
    try:
        return drawing.search(
            prepared,
            infer,
            lambda data, actual, ways: Verdict(name=name, message="off", metrics=(), reason="wrong values"),
            shrink=False,
        )
    finally:
        drawing.close()


def test_equal_answers_agree(cache, prepared):
    found = search(cache, prepared, lambda sets: [evaluated(prepared.model, inputs) for inputs in sets])

    assert found.error is None
    assert found.agree >= 5
    assert found.evidence == {"examples": {"agree": found.agree, "no reference": 0}}


def test_a_wrong_answer_has_a_program(cache, prepared):
    found = search(
        cache, prepared, lambda sets: [[np.full((2, 3), 7, np.float32)] for _ in sets], VerdictName.DISAGREES
    )

    assert found.error.reason == "wrong values"
    assert "op/Relu-14/float32/default" in found.program
    assert found.evidence["example"] == found.program


def test_a_panic_is_a_failure(cache, prepared):
    def panic(sets):
        raise RunError("panic", "panic")

    assert search(cache, prepared, panic).error.reason == "panic"


def test_a_graph_without_a_declaration_is_not_searched(cache, prepared):
    assert choice_of(None) is None
    assert choice_of(Subject(op_type="NoSuch", domain="", since_version=1, dtype="float32")) is None
    assert choice_of(RELU).id == CHOICE.id
