"""ONNX's test backend, as far as it goes without compiling."""

import numpy as np
import pytest

from burn_verify import backend
from burn_verify.core.case import Case, Unavailable
from burn_verify.core.errors import ConvertError, RunError
from burn_verify.onnx_backend import Backend, Prepared, node_models
from burn_verify.run.steps import Chosen


class Refuses:
    """Models of which every one was refused."""

    def infer(self, step, inputs):
        raise step.error


@pytest.fixture
def prepared():
    case = Case(id="file/a", corpus="file", source=Unavailable(reason=""))
    return Prepared(Refuses(), Chosen(case=case).ended(ConvertError("no", "no")))


def test_a_refusal_is_a_failure_and_no_model_is_skipped(prepared):
    assert Backend.is_compatible(None)
    with pytest.raises(ConvertError, match="no"):
        prepared.run([np.ones(1, np.float32)])


@pytest.mark.parametrize("value", [np.array(["a"]), [np.ones(1)]], ids=["text", "sequence"])
def test_a_value_that_burn_does_not_have_is_refused(prepared, value):
    with pytest.raises(RunError, match="no Burn value for"):
        prepared.run([value])


def test_only_the_processor_is_a_device():
    assert Backend.supports_device("CPU")
    assert not Backend.supports_device("CUDA")


# onnx's own module of cases sets shapes in place, which NumPy 2.5 calls deprecated.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Setting the shape:DeprecationWarning")
def test_models_of_node_tests_are_found_by_name():
    (model,) = node_models(["test_relu"])

    assert [node.op_type for node in model.graph.node] == ["Relu"]


def test_the_old_name_is_the_same_backend():
    assert backend.Backend is Backend
