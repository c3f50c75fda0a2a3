"""Every data set is run and judged; what engines think of stored answers is told beside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from burn_verify.burn.program import Inference
from burn_verify.core.case import Case, TensorSpec, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.stage import ConvertedModel, FailureKind, PreparedCase, Reference, StoredArrays
from burn_verify.core.target import Target
from burn_verify.judge.policy import Judge
from burn_verify.run.compare import answered, compared
from burn_verify.run.steps import Answered, Built, Compared, Ended, Loaded, Ready
from burn_verify.system.wire import encode_named, placed

X = np.array([1.0, -2.0, 3.0], np.float32)
PAIR = np.arange(6, dtype=np.float32).reshape(2, 3)
SETS = ("seeded", "test_data_set_0")


@pytest.fixture
def ready(tmp_path):
    """Return a case that negates, with drawn and with stored data; engines think this and that of the stored ones."""

    def ready(opinions=None, refusals=None):
        arrays = {}
        for place, _ in enumerate(SETS):
            arrays |= {**placed(place, "in", [X + place]), **placed(place, "out", [-X - place])}
        for name, opinion in (opinions or {}).items():
            arrays |= placed(1, f"opinion-{name}", [opinion])
        import json

        notes = {"engines": json.dumps(sorted(opinions or {})), "refusals": json.dumps(refusals or {})}
        path = tmp_path / "reference.safetensors"
        path.write_bytes(encode_named(arrays, notes))
        case = Case(id="file/a", corpus="file", source=Unavailable(reason=""))
        spec = (TensorSpec(name="Y", dtype="float32", shape=(3,)),)
        stored = (StoredArrays(name=SETS[1], path=path, place=1),)
        prepared = PreparedCase(
            case=case, model=Path("a"), digest="", op_types=(), opset=17, inputs=spec, outputs=spec, stored=stored
        )
        model = ConvertedModel(label="", module="", rust=path, weights=path, seconds=0.0)
        built = Built(loaded=Loaded(case=case, prepared=prepared), target=Target(), model=model, program=None)
        return Ready(built=built, reference=Reference(path=path, data_sets=SETS, seconds=0.0))

    return ready


def honest(inputs):
    return Inference(outputs=[-inputs[0]], load_seconds=0.5, forward_seconds=0.25)


def test_every_data_set_is_answered(ready):
    step = answered(ready(), honest)
    assert isinstance(step, Answered)
    assert list(step.outputs) == list(SETS)
    assert step.evidence == {"inputs": {name: ["float32[3]"] for name in SETS}}
    assert compared(step, Judge()).evidence["fed"] == ["Y: float32[3], -2 to 3: 1, -2, 3"]
    assert step.durations == {"weights": 1.0, "forward": 0.5}


def test_the_first_that_fails_ends_the_case_and_what_came_before_is_kept(ready):
    def fails(inputs):
        if inputs[0][0] == 2:
            message = "panic"
            raise RunError(message)
        return honest(inputs)

    step = answered(ready(), fails)
    assert isinstance(step, Answered)
    assert list(step.failed) == [list(SETS)[1]]
    end = compared(step, Judge())
    assert isinstance(end, Ended)
    assert end.error.message == "panic"
    assert list(end.outputs) == ["seeded"]
    assert list(end.evidence["inputs"]) == list(SETS)


def test_where_every_data_set_fails_the_case_ends_at_once(ready):
    def fails(inputs):
        message = "panic"
        raise RunError(message)

    end = answered(ready(), fails)
    assert isinstance(end, Ended)
    assert end.error.message == "panic"


def test_a_failure_at_one_size_says_at_which_the_model_is_right(ready):
    sizes = dict(zip(SETS, ({"batch": 1}, {"batch": 3}), strict=True))
    step = answered(ready(), honest)
    known = replace(step.known, sizes=sizes)
    error = RunError("panic", "panic", kind=FailureKind.PANIC)
    first, second = SETS
    outputs = {first: step.outputs[first]}
    end = compared(replace(step, known=known, outputs=outputs, failed={second: error}), Judge())
    assert end.error.message == "right at batch=1, not at batch=3: panic"
    assert end.evidence["sizes"] == {"batch=1": "agrees", "batch=3": "panic"}
    wrong = {first: step.outputs[first], second: [one + 1 for one in step.outputs[second]]}
    made = compared(replace(step, known=known, outputs=wrong), Judge())
    assert made.verdict.message.startswith("right at batch=1, not at batch=3: ")
    assert made.evidence["sizes"] == {"batch=1": "agrees", "batch=3": "disagrees"}


def test_a_model_that_is_wrong_wherever_it_answers_is_wrong_whatever_else_happens(ready):
    step = answered(ready(), honest)
    first, second = SETS
    known = replace(step.known, sizes={first: {"trips": 3}, second: {"trips": 0}})
    error = RunError("panic", "panic", kind=FailureKind.PANIC)
    wrong = {first: [one + 1 for one in step.outputs[first]]}
    made = compared(replace(step, known=known, outputs=wrong, failed={second: error}), Judge())
    assert isinstance(made, Compared)
    assert made.verdict.name == "disagrees"
    assert made.evidence["sizes"] == {"trips=3": "disagrees", "trips=0": "panic"}


def test_all_sets_have_one_verdict(ready):
    step = compared(answered(ready(), honest), Judge())
    assert (step.verdict.name, len(step.verdict.metrics)) == ("agrees", 2)
    wrong = answered(ready(), lambda inputs: Inference(outputs=[inputs[0]], load_seconds=0, forward_seconds=0))
    assert compared(wrong, Judge()).verdict.name == "disagrees"


def test_the_opinion_of_each_engine_is_told_by_its_name(ready):
    step = compared(answered(ready({"onnxruntime": -X - 1, "other": X}), honest), Judge())
    assert step.evidence["onnxruntime"] == "agrees"
    assert "Y: " in step.evidence["other"]


def test_an_engine_that_refuses_says_why(ready):
    step = compared(answered(ready(refusals={"onnxruntime": "no kernel"}), honest), Judge())
    assert step.evidence["onnxruntime"] == "no kernel"
    assert "onnxruntime" not in compared(answered(ready(), honest), Judge()).evidence
