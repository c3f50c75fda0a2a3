"""What an exporter writes is run and judged; the exporter and the engine are stand-ins."""

import numpy as np
import onnx
import pytest

from burn_verify.core.errors import OracleError, RunError
from burn_verify.core.options import Settings
from burn_verify.run.fault import Trip
from burn_verify.run.models import Model, Models
from burn_verify.run.round_trip import Travelled, obstacle, shaped, trips
from handmade import model, value
from wrong import answers, seams

X = np.array([1, 2, 3], np.float32)


def proto(op_type="Exp"):
    return model([onnx.helper.make_node(op_type, ["x"], ["y"])], [value("x", shape=[3])], [value("y", shape=[3])])


@pytest.fixture
def travel(cache):
    def ask(change=None, **more):
        used = seams("Exp", change, **more)
        with Models(Settings(), cache=cache, seams=used) as models:
            made = models.build([Model(name="m", model=proto(), inputs=[X])])
            step = models.ready(made)["m"]
            one = Travelled(step=step, verified=models.judge(made)["m"])
            engine, exporter = used.engine(cache, 1.0, memory_limit=0), used.exporter(cache, Settings(), None, "0.22.1")
            return trips({"m": one}, exporter, engine, models.judged)["m"]

    return ask


def test_what_is_written_right_is_right(travel):
    found = travel()
    assert (found.written, found.right, found.alike, found.obstacle) == (True, True, True, "")


def test_what_is_written_wrong_is_told(travel):
    found = travel(exports=lambda written: proto("Neg"))
    assert "y" in found.difference
    assert (found.right, found.alike) == (False, False)


def test_the_same_wrong_answer_is_alike(travel):
    found = travel(lambda array: -np.log(array), exports=lambda written: proto("Neg"))
    assert found.difference
    assert found.alike


def test_what_is_not_written_says_why(travel):
    found = travel(
        exports=lambda written: RunError(
            "unsupported operation at index 3: BaseFloat(Expand(ShapeOpIr { input", "error: no"
        )
    )
    assert found == Trip(data_set=found.data_set, obstacle="unsupported operation: Expand (BaseFloat)")
    assert not found.ran


def test_what_the_engine_refuses_is_written_and_not_run(travel):
    def infer(path, inputs):
        if path.stem == "exported":
            raise OracleError("no such operator")
        return answers(onnx.load(path), inputs)

    found = travel(infer=infer)
    assert (found.written, found.ran, found.obstacle) == (True, False, "ONNX Runtime refuses it: no such operator")


def test_an_obstacle_is_an_operation_or_a_line():
    kind = "unsupported operation at index 12: NumericFloat(F32, SumDims(ReduceDimsOpIr { input: TensorIr"
    assert obstacle(RunError(kind, "r")) == "unsupported operation: SumDims (NumericFloat)"
    assert obstacle(RunError("a\nb", "r")) == "a b"
    assert len(obstacle(RunError("a" * 999, "r"))) <= 200


def test_a_scalar_comes_back_as_one():
    (found,) = shaped([np.array([2.0])], [np.array(1.0)])
    assert found.shape == ()
    assert shaped([X], None)[0] is X
    assert shaped([X], [X[:1]])[0] is X
