"""What rewritings ask for, with onnx's evaluator as the engine."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.errors import OracleError
from burn_verify.prepare.known import opset_of
from burn_verify.run.prepare.tools import EngineTools
from fakes import FakeEngine, Faults
from handmade import model, value

X = np.float32([1, 2])


def of(opset=18, axes=None):
    node = helper.make_node("ReduceSum", ["x"], ["y"], **({} if axes is None else {"axes": axes}))
    return model([node], [value("x", shape=[2])], [value("y", shape=[1])], opset=opset)


@pytest.fixture
def tools(cache, tmp_path):
    return EngineTools(FakeEngine(cache, 1.0, Faults()), tmp_path)


def test_a_model_is_run_and_its_file_is_gone(tools, tmp_path):
    assert tools.run(of(), [X])[0].tolist() == [3]
    assert not list(tmp_path.glob("*.onnx"))


class Old(FakeEngine):
    """Knows no opset above 26."""

    def infer_all(self, path, sets, **given):
        """Answer."""
        import onnx

        if opset_of(onnx.load(path)) > 26:
            raise OracleError("too new", "too new")
        return super().infer_all(path, sets, **given)


def test_an_engine_that_does_not_know_the_opset_is_shown_an_older_one(cache, tmp_path):
    tools = EngineTools(Old(cache, 1.0, Faults()), tmp_path)
    assert tools.run(of(28), [X])[0].tolist() == [3]
    changed = model([helper.make_node("Celu", ["x"], ["y"])], [value("x", shape=[2])], [value("y")], opset=28)
    with pytest.raises(OracleError, match="too new"):
        tools.run(changed, [X])


def test_an_opset_goes_up_in_a_process_of_its_own(tools):
    raised = tools.lifted(of(11, axes=[0]), 18)
    assert opset_of(raised) == 18
    assert len(raised.graph.node[-1].input) == 2


def test_what_the_converter_cannot_do_is_nothing(tools):
    nonsense = model([helper.make_node("Nonsense", ["x"], ["y"])], [value("x")], [value("y")], opset=11)
    assert tools.lifted(nonsense, 18) is None
