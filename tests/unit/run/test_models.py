"""Models in memory through the pipeline, in one batch, with inputs that are given or drawn."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.case import Hints, InputHint
from burn_verify.core.errors import ConvertError
from burn_verify.core.options import Settings
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.run.models import Model, Models, models
from burn_verify.run.steps import Built, Ended
from burn_verify.system.cache import Cache
from fakes import Faults, seams

X = np.array([1, -2, 3], np.float32)


def proto(op_type="Neg"):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(op_type, ["x"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, [3])],
        [value("y", TensorProto.FLOAT, [3])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def asked(cache: Cache, faults):
    """Return a function that verifies models."""
    return lambda *wanted: models(wanted, Settings(), cache=cache, seams=seams(faults))


def test_many_models_are_one_batch(asked, faults):
    found = asked(*(Model(name=f"m{place}", model=proto()) for place in range(5)))
    assert list(found) == [f"m{place}" for place in range(5)]
    assert {one.result.verdict for one in found.values()} == {"agrees"}
    assert {one.result.case_id for one in found.values()} == set(found)


def test_a_model_may_be_bytes(asked):
    found = asked(Model(name="a", model=proto()), Model(name="b", model=proto("Abs").SerializeToString()))
    assert [one.result.op_types for one in found.values()] == [("Neg",), ("Abs",)]


def test_given_inputs_are_fed_and_the_engine_answers_them(asked):
    found = asked(Model(name="a", model=proto(), inputs=[X]))["a"]
    assert found.result.verdict == "agrees"
    assert found.result.details["inputs"] == {"given": ["float32[3]"]}
    np.testing.assert_array_equal(found.outputs["given"][0], -X)


def test_other_given_inputs_are_another_question(asked):
    for values in (X, X + 1):
        outputs = asked(Model(name="a", model=proto(), inputs=[values]))["a"].outputs
        np.testing.assert_array_equal(outputs["given"][0], -values)


def test_drawn_inputs_follow_the_hints(asked):
    hints = Hints(inputs=(InputHint(name="x", value=2.0),))
    outputs = asked(Model(name="a", model=proto(), hints=hints))["a"].outputs
    np.testing.assert_array_equal(outputs["seeded"][0], np.full(3, -2, np.float32))


def test_bytes_that_are_no_model_are_a_result(asked):
    found = asked(Model(name="a", model=b"nothing"), Model(name="b", model=proto()))
    assert (found["a"].result.stage, found["a"].result.failure) == (Stage.LOAD, FailureKind.REFUSED)
    assert found["b"].result.outcome is Outcome.PASSED


def test_models_are_built_and_asked_again_and_again(cache, faults):
    with Models(Settings(), cache=cache, seams=seams(faults)) as open_models:
        made = open_models.build([Model(name="a", model=proto()), Model(name="b", model=proto("Abs"))])
        assert all(isinstance(step, Built) for step in made.values())
        np.testing.assert_array_equal(open_models.infer(made["a"], [X])[0], -X)
        np.testing.assert_array_equal(open_models.infer(made["b"], [[-1.0, 2.0, -3.0]])[0], [1, 2, 3])
    assert not [place for place, _ in faults.calls if place == "infer"]


def test_a_refusal_is_raised_when_the_model_is_asked(cache):
    class Refusing(Faults):
        def at(self, place, name):
            if place == "convert":
                message = "unsupported"
                raise ConvertError(message)

    with Models(Settings(), cache=cache, seams=seams(Refusing())) as open_models:
        made = open_models.build([Model(name="a", model=proto())])
        assert isinstance(made["a"], Ended)
        with pytest.raises(ConvertError):
            open_models.infer(made["a"], [X])


def test_two_models_of_one_name_are_two_models(cache):
    with Models(Settings(), cache=cache, seams=seams()) as open_models:
        first = open_models.verify([Model(name="a", model=proto())])["a"]
        second = open_models.verify([Model(name="a", model=proto("Abs"))])["a"]
    assert [one.result.op_types for one in (first, second)] == [("Neg",), ("Abs",)]
    assert onnx.__version__
